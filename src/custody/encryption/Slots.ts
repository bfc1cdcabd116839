/**
 * The file of slots: a key for each piece, wrapped by its epoch's key and overwritten in place when
 * it is destroyed (spec/encryption.md, "Slots"). A slot has 72 bytes:
 *
 * | at | bytes | field |
 * | --- | --- | --- |
 * | 0 | 12 | nonce |
 * | 12 | 32 | the piece's key under AES-256-GCM |
 * | 44 | 16 | tag |
 * | 60 | 8 | id of the epoch |
 * | 68 | 4 | use: how often the slot was given out, times two; odd while it is in use |
 *
 * Seven slots stand in a sector, so that no slot lies in two. The slot's number, its use and its
 * epoch are the additional data: a slot that was moved does not open.
 */
import { type Aead, keyBytes, nonceBytes, tagBytes } from "../../host/port/Aead.ts"
import type { Randomness } from "../../host/port/Randomness.ts"
import type { KeyName } from "./Sealed.ts"
import { sectorBytes } from "./StableFile.ts"

/** Bytes of a slot. */
export const slotBytes = 72

const slotsInSector = 7
const wrappedAt = nonceBytes
const wrappedBytes = keyBytes + tagBytes
const epochAt = wrappedAt + wrappedBytes
const stateAt = epochAt + 8

/** The most often that one slot is given out. */
export const maxUse = 0x7fff_ffff

/** Where a slot begins in the file. */
export const slotAt = (slot: number): number =>
  Math.floor(slot / slotsInSector) * sectorBytes + (slot % slotsInSector) * slotBytes

/** How many slots a file of so many bytes can hold. */
export const slotsIn = (bytes: number): number => Math.floor(bytes / sectorBytes) * slotsInSector

/** What can be read of a slot without a key. */
export interface SlotState {
  /** How often it was given out: 0 where it never was. */
  readonly use: number
  readonly isLive: boolean
  readonly epoch: number
}

/** Reads the state of the slot that begins at `at`. */
export const readState = (bytes: Uint8Array, at: number): SlotState => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const state = view.getUint32(at + stateAt)
  return { use: state >>> 1, isLive: (state & 1) === 1, epoch: Number(view.getBigUint64(at + epochAt)) }
}

/** `THKS` and the version, then what places the slot. */
const dataOf = ({ slot, use }: KeyName, epoch: number): Uint8Array => {
  const data = new Uint8Array(25)
  const view = new DataView(data.buffer)
  view.setUint32(0, 0x5448_4b53)
  view.setUint8(4, 1)
  view.setBigUint64(5, BigInt(slot))
  view.setUint32(13, use)
  view.setBigUint64(17, BigInt(epoch))
  return data
}

/** Wraps a piece's key: the bytes of its slot. */
export const wrap = (
  name: KeyName,
  key: Uint8Array,
  epoch: { readonly id: number; readonly key: Uint8Array },
  { aead, randomness }: { readonly aead: Aead["Service"]; readonly randomness: Randomness["Service"] }
): Uint8Array => {
  const bytes = new Uint8Array(slotBytes)
  const nonce = bytes.subarray(0, nonceBytes)
  randomness.fill(nonce)
  bytes.set(aead.seal(epoch.key, nonce, dataOf(name, epoch.id), key), wrappedAt)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(epochAt, BigInt(epoch.id))
  view.setUint32(stateAt, name.use * 2 + 1)
  return bytes
}

/** The key in a slot, in memory that the caller wipes, or null where its tag does not hold. */
export const unwrap = (
  name: KeyName,
  bytes: Uint8Array,
  epoch: { readonly id: number; readonly key: Uint8Array },
  aead: Aead["Service"]
): Uint8Array | null =>
  aead.open(
    epoch.key,
    bytes.subarray(0, nonceBytes),
    dataOf(name, epoch.id),
    bytes.subarray(wrappedAt, wrappedAt + wrappedBytes)
  )

/** What a destroyed slot is overwritten with: noise, but for how often it was given out. */
export const blank = (use: number, randomness: Randomness["Service"]): Uint8Array => {
  const bytes = new Uint8Array(slotBytes)
  randomness.fill(bytes.subarray(0, epochAt))
  new DataView(bytes.buffer).setUint32(stateAt, use * 2)
  return bytes
}
