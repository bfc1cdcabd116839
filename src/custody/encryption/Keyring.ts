/**
 * The keys of pieces: made, found, destroyed, and wrapped anew.
 *
 * Each piece has a random key of its own in a slot of the file `slots`, wrapped by the key of an
 * epoch; the file `epochs` has what the epochs' keys are derived by. One owner holds both files and
 * calls from one thread; all calls are synchronous, and those that write return before what they
 * wrote is on the disk: `sync` is once for a group.
 *
 * Promises that a key is on the disk, after `sync`, before anything that it seals needs to be; that
 * a destroyed key is overwritten where it lay, after `sync`; and that rotation, stopped anywhere,
 * leaves each living slot under an epoch that is there.
 *
 * Cost: 72 bytes of disk and 4 of memory a slot; slots are used again. Opening reads all slots
 * once.
 *
 * **Gotchas**
 *
 * - Destroying a slot means nothing to who has an old copy of the file and the master secret:
 *   rotate the epoch against those.
 */
import * as Result from "effect/Result"
import { type Aead, keyBytes } from "../../host/port/Aead.ts"
import { randomBytes, type Randomness } from "../../host/port/Randomness.ts"
import { grown } from "../../memory/Grown.ts"
import { EncryptionError } from "./EncryptionError.ts"
import { beginEpoch, destroyEpoch, type Epoch, epochKey, isMasterOf, readEpochs } from "./Epochs.ts"
import type { KeyName } from "./Sealed.ts"
import { blank, maxUse, readState, slotAt, slotBytes, slotsIn, unwrap, wrap } from "./Slots.ts"
import { sectorBytes, type StableFile } from "./StableFile.ts"

/** The most slots of one file: 1.2 GB of disk. */
const maxSlots = 1 << 24

/** Sectors that are read at once when the file is opened. */
const sectorsAtOnce = 2_048

/** What a keyring is opened with. */
export interface KeyringParts {
  readonly slots: StableFile
  readonly epochs: StableFile
  readonly aead: Aead["Service"]
  readonly randomness: Randomness["Service"]
  /** The most slots, where less than `maxSlots`. */
  readonly limit?: number
}

/** The master secret, and then former ones. */
export type Secrets = readonly [Uint8Array, ...ReadonlyArray<Uint8Array>]

/** How far a rotation is. */
export interface Rewrapped {
  /** Slots that are still to be looked at; 0 where the older epochs are destroyed. */
  readonly left: number
  /** Slots of this call that are in use and do not open. */
  readonly damaged: number
}

interface Wrapping {
  readonly epoch: Epoch
  readonly id: number
  readonly key: Uint8Array
}

export class Keyring {
  readonly #parts: KeyringParts
  readonly #limit: number
  /** The current epoch is the last. */
  #wrappings: Array<Wrapping>
  /** The state of each slot as it stands in the file: its use, times two, odd while it is live. */
  #states = new Uint32Array(1_024)
  #count = 0
  #living = 0
  /** Slots that can be given out again. */
  readonly #free: Array<number> = []
  /** The next slot that a rotation looks at. */
  #rewrapped = 0

  private constructor(parts: KeyringParts, wrappings: Array<Wrapping>) {
    this.#parts = parts
    this.#limit = Math.min(parts.limit ?? maxSlots, maxSlots)
    this.#wrappings = wrappings
  }

  /**
   * Opens the files, and begins the first epoch where there is none. The first secret is the master
   * secret, the others are former ones, of which a rotation that was stopped may have left epochs.
   * Secrets are read during the call and are the caller's to wipe. `wrong_master` where a living
   * epoch has none of them.
   */
  static open(parts: KeyringParts, secrets: Secrets): Result.Result<Keyring, EncryptionError> {
    return attempt(() => {
      const { aead, epochs } = parts
      const found = readEpochs(epochs)
      const living = found.living.length > 0 ? found.living : [beginEpoch(epochs, found.next, secrets[0], parts)]
      const wrappings: Array<Wrapping> = []
      for (const epoch of living) {
        const secret = secrets.find((secret) => isMasterOf(epoch, secret, aead))
        if (secret === undefined) return wrongMaster
        wrappings.push(wrappingOf(epoch, secret, aead))
      }
      const keyring = new Keyring(parts, wrappings)
      keyring.#readSlots()
      return keyring
    })
  }

  /** Slots in use. */
  get living(): number {
    return this.#living
  }

  /** The id of the epoch that wraps new keys. */
  get epoch(): number {
    return this.#current.id
  }

  /**
   * Makes a key: on the disk after the next `sync`. The caller wipes the key. `full` where no slot
   * is left.
   */
  create(): Result.Result<{ readonly name: KeyName; readonly key: Uint8Array }, EncryptionError> {
    return attempt(() => {
      const slot = this.#free.at(-1) ?? this.#count
      if (slot >= this.#limit)
        return failure("full", `all ${this.#limit} keys are in use: destroy evidence, or empty the data directory`)
      const name = { slot, use: ((this.#states[slot] ?? 0) >>> 1) + 1 }
      const key = randomBytes(keyBytes, this.#parts.randomness)
      this.#write(slot, wrap(name, key, this.#current, this.#parts))
      if (this.#free.length > 0) this.#free.pop()
      this.#note(slot, name.use * 2 + 1)
      this.#living += 1
      return { name, key }
    })
  }

  /** Finds the key of a name, in memory that the caller wipes. One read of 72 bytes. */
  find(name: KeyName): Result.Result<Uint8Array, EncryptionError> {
    return attempt(() => {
      const missing = this.#missing(name)
      if (missing !== null) return missing
      const bytes = this.#parts.slots.read(slotAt(name.slot), slotBytes)
      const key = bytes.length === slotBytes ? this.#unwrap(name, bytes) : null
      return key ?? failure("slot_damaged", `slot ${name.slot} was changed, or moved from another place`)
    })
  }

  /**
   * Destroys the key of a name: overwritten after the next `sync`. Says whether it was there; a key
   * that is destroyed already is no error.
   */
  destroy(name: KeyName): Result.Result<boolean, EncryptionError> {
    return attempt(() => {
      const missing = this.#missing(name)
      if (missing !== null) return missing.reason === "key_destroyed" ? false : missing
      this.#write(name.slot, blank(name.use, this.#parts.randomness))
      this.#note(name.slot, name.use * 2)
      this.#living -= 1
      if (name.use < maxUse) this.#free.push(name.slot)
      return true
    })
  }

  /** Returns when all keys made and destroyed so far are so on the disk. */
  sync(): Result.Result<void, EncryptionError> {
    return attempt(() => this.#parts.slots.sync())
  }

  /**
   * Begins a new epoch, under this master secret, which may be another than before: new keys are
   * wrapped by it from now on. Then call `rewrap` until it says that nothing is left.
   */
  beginRotation(secret: Uint8Array): Result.Result<number, EncryptionError> {
    return attempt(() => {
      const epoch = beginEpoch(this.#parts.epochs, readEpochs(this.#parts.epochs).next, secret, this.#parts)
      this.#wrappings = [...this.#wrappings, wrappingOf(epoch, secret, this.#parts.aead)]
      this.#rewrapped = 0
      return epoch.id
    })
  }

  /**
   * Wraps the keys of at most `limit` slots anew, where an older epoch wraps them. Once none is
   * left, destroys the salts of all older epochs. A slot that does not open stays as it is: its key
   * is lost with the epoch, and counted.
   */
  rewrap(limit: number): Result.Result<Rewrapped, EncryptionError> {
    return attempt(() => {
      const end = Math.min(this.#rewrapped + limit, this.#count)
      let damaged = 0
      for (; this.#rewrapped < end; this.#rewrapped++) damaged += Number(!this.#rewrapOne(this.#rewrapped))
      if (end < this.#count) return { left: this.#count - end, damaged }
      this.#parts.slots.sync()
      for (const old of this.#wrappings.slice(0, -1)) {
        destroyEpoch(this.#parts.epochs, old.epoch, this.#parts.randomness)
        old.key.fill(0)
      }
      this.#wrappings = [this.#current]
      return { left: 0, damaged }
    })
  }

  /** Whether a rotation was begun and not ended, by this process or one before it. */
  get isRotating(): boolean {
    return this.#wrappings.length > 1
  }

  /** Wipes all keys in memory. The keyring finds and makes no key after that. */
  close(): void {
    for (const { epoch, key } of this.#wrappings) {
      key.fill(0)
      epoch.salt.fill(0)
    }
  }

  get #current(): Wrapping {
    return this.#wrappings[this.#wrappings.length - 1] as Wrapping
  }

  #missing({ slot, use }: KeyName): EncryptionError | null {
    const state = this.#states[slot] ?? 0
    const given = state >>> 1
    if (slot >= this.#count || use > given) return failure("unknown_key", `slot ${slot} was not given out ${use} times`)
    return use < given || (state & 1) === 0
      ? failure("key_destroyed", `the key in slot ${slot} was destroyed, and the evidence with it`)
      : null
  }

  #unwrap(name: KeyName, bytes: Uint8Array): Uint8Array | null {
    const { epoch } = readState(bytes, 0)
    const wrapping = this.#wrappings.find(({ id }) => id === epoch)
    return wrapping === undefined ? null : unwrap(name, bytes, wrapping, this.#parts.aead)
  }

  /** False where the slot is in use and does not open. */
  #rewrapOne(slot: number): boolean {
    const state = this.#states[slot] ?? 0
    if ((state & 1) === 0) return true
    const name = { slot, use: state >>> 1 }
    const bytes = this.#parts.slots.read(slotAt(slot), slotBytes)
    if (bytes.length === slotBytes && readState(bytes, 0).epoch === this.#current.id) return true
    const key = bytes.length === slotBytes ? this.#unwrap(name, bytes) : null
    if (key === null) return false
    this.#write(slot, wrap(name, key, this.#current, this.#parts))
    key.fill(0)
    return true
  }

  #write(slot: number, bytes: Uint8Array): void {
    this.#parts.slots.write(slotAt(slot), bytes)
  }

  #note(slot: number, state: number): void {
    if (slot >= this.#states.length) this.#states = grown(this.#states, new Uint32Array(this.#states.length * 2))
    this.#states[slot] = state
    this.#count = Math.max(this.#count, slot + 1)
  }

  /** Learns the state of each slot. A file that ends within a sector has had its last one torn. */
  #readSlots(): void {
    const size = Math.ceil(this.#parts.slots.size() / sectorBytes)
    for (let from = 0; from < size; from += sectorsAtOnce) {
      const bytes = this.#parts.slots.read(from * sectorBytes, Math.min(sectorsAtOnce, size - from) * sectorBytes)
      const first = slotsIn(from * sectorBytes)
      const last = Math.min(slotsIn((from + sectorsAtOnce) * sectorBytes), maxSlots)
      for (let slot = first; slot < last; slot++) {
        const at = slotAt(slot) - from * sectorBytes
        if (at + slotBytes > bytes.length) break
        const { isLive, use } = readState(bytes, at)
        this.#note(slot, use * 2 + Number(isLive))
        if (isLive) this.#living += 1
        else if (use < maxUse) this.#free.push(slot)
      }
    }
    this.#free.reverse()
  }
}

const wrappingOf = (epoch: Epoch, secret: Uint8Array, aead: Aead["Service"]): Wrapping => ({
  epoch,
  id: epoch.id,
  key: epochKey(epoch, secret, aead)
})

const failure = (reason: EncryptionError["reason"], message: string): EncryptionError =>
  new EncryptionError({ reason, message })

const wrongMaster = failure(
  "wrong_master",
  "the master secret is not the one that the keys were wrapped under: give that one, or that one beside a new one"
)

/** What a file throws, and an answer that is an error, as a failure. */
const attempt = <A>(step: () => A | EncryptionError): Result.Result<A, EncryptionError> => {
  try {
    const answer = step()
    return answer instanceof EncryptionError ? Result.fail(answer) : Result.succeed(answer)
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : "its host failed"
    return Result.fail(failure("io", `the file of the keys failed: ${message}`))
  }
}
