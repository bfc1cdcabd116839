/**
 * Epochs: the keys that wrap the keys of pieces, and the file that they are derived by
 * (spec/encryption.md, "Epochs").
 *
 * An epoch's key is HKDF-SHA-256 of the master secret and the epoch's own salt of 32 random bytes.
 * The salt is a secret: who destroys it destroys the epoch's key, even for who keeps the master
 * secret and an old copy of the slots. One sector of 512 bytes for each epoch:
 *
 * | at | bytes | field |
 * | --- | --- | --- |
 * | 0 | 4 | magic, `THKE` |
 * | 4 | 4 | state: 1 live, 2 destroyed |
 * | 8 | 8 | id of the epoch, from 1 |
 * | 16 | 32 | salt |
 * | 48 | 16 | check: tells whether a master secret is the one of this epoch |
 */
import { type Aead, keyBytes } from "../../host/port/Aead.ts"
import { randomBytes, type Randomness } from "../../host/port/Randomness.ts"
import { sectorBytes, type StableFile } from "./StableFile.ts"

const magic = 0x5448_4b45
const live = 1
const destroyed = 2
const saltAt = 16
const saltBytes = 32
const checkAt = 48
const checkBytes = 16

/**
 * The most sectors that are read: destroyed ones are used again, so that two or three are usual.
 */
const maxEpochs = 1_024

/** An epoch whose salt is there. */
export interface Epoch {
  readonly id: number
  readonly sector: number
  readonly salt: Uint8Array
  readonly check: Uint8Array
}

/** The living epochs of the file, by id, and the sector that the next one takes. */
export interface Epochs {
  readonly living: ReadonlyArray<Epoch>
  readonly next: { readonly id: number; readonly sector: number }
}

const utf8 = new TextEncoder()

/** What a key is derived for, so that no two uses of one secret give the same bytes. */
const info = (use: "epoch" | "check", id: number): Uint8Array => {
  const text = utf8.encode(`tracehound/v1/${use}`)
  const bytes = new Uint8Array(text.length + 8)
  bytes.set(text)
  new DataView(bytes.buffer).setBigUint64(text.length, BigInt(id))
  return bytes
}

/** The key that wraps the keys of an epoch, in memory that the caller wipes. */
export const epochKey = (epoch: Epoch, secret: Uint8Array, aead: Aead["Service"]): Uint8Array =>
  aead.derive(secret, epoch.salt, info("epoch", epoch.id), keyBytes)

/** Whether this is the master secret of the epoch. In time that depends on nothing secret. */
export const isMasterOf = (epoch: Epoch, secret: Uint8Array, aead: Aead["Service"]): boolean => {
  const check = aead.derive(secret, epoch.salt, info("check", epoch.id), checkBytes)
  let difference = 0
  for (let i = 0; i < checkBytes; i++) difference |= (check[i] ?? 0) ^ (epoch.check[i] ?? 0)
  return difference === 0
}

/** Reads the file; an empty one has no epochs. Throws what the file throws. */
export const readEpochs = (file: StableFile): Epochs => {
  const sectors = Math.min(Math.floor(file.size() / sectorBytes), maxEpochs)
  const bytes = file.read(0, sectors * sectorBytes)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const living: Array<Epoch> = []
  let lastId = 0
  let free = sectors
  for (let sector = sectors - 1; sector >= 0; sector--) {
    const at = sector * sectorBytes
    if (at + sectorBytes > bytes.length || view.getUint32(at) !== magic) continue
    const id = Number(view.getBigUint64(at + 8))
    lastId = Math.max(lastId, id)
    if (view.getUint32(at + 4) === live) {
      living.push({
        id,
        sector,
        salt: bytes.slice(at + saltAt, at + saltAt + saltBytes),
        check: bytes.slice(at + checkAt, at + checkAt + checkBytes)
      })
    } else free = sector
  }
  return { living: living.toSorted((a, b) => a.id - b.id), next: { id: lastId + 1, sector: free } }
}

/** Begins an epoch under this master secret, on disk when this returns. */
export const beginEpoch = (
  file: StableFile,
  { id, sector }: Epochs["next"],
  secret: Uint8Array,
  { aead, randomness }: { readonly aead: Aead["Service"]; readonly randomness: Randomness["Service"] }
): Epoch => {
  const salt = randomBytes(saltBytes, randomness)
  const check = aead.derive(secret, salt, info("check", id), checkBytes)
  write(file, sector, id, live, salt, check)
  return { id, sector, salt, check }
}

/** Destroys an epoch's salt, and with it its key; gone from the file when this returns. */
export const destroyEpoch = (file: StableFile, epoch: Epoch, randomness: Randomness["Service"]): void => {
  const noise = randomBytes(saltBytes + checkBytes, randomness)
  write(file, epoch.sector, epoch.id, destroyed, noise.subarray(0, saltBytes), noise.subarray(saltBytes))
  epoch.salt.fill(0)
}

const write = (
  file: StableFile,
  sector: number,
  id: number,
  state: number,
  salt: Uint8Array,
  check: Uint8Array
): void => {
  const bytes = new Uint8Array(sectorBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, magic)
  view.setUint32(4, state)
  view.setBigUint64(8, BigInt(id))
  bytes.set(salt, saltAt)
  bytes.set(check, checkAt)
  file.write(sector * sectorBytes, bytes)
  file.sync()
}
