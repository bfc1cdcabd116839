/**
 * Cold storage in memory, which a test steers while it runs: on command it fails, hangs, is slow or
 * cannot be opened. It shows what was written.
 *
 * Promises the contract of every endpoint (`custody/coldstorage/Endpoint.ts`): a write is whole or
 * fails, a name that is taken is refused, and the endpoint itself has no way to read. How an
 * attempt goes is decided when it begins; only `release` reaches attempts under way. An attempt
 * first takes the time of `slowBy`, then waits if it hangs, then fails or writes. An interrupted
 * attempt writes nothing.
 *
 * Cost: keeps a copy of everything written, as long as the layer lives.
 *
 * **Gotchas**
 *
 * - Slowness is `Effect.sleep`: under TestClock nothing moves until the test moves time.
 * - Bytes are copied at the end of an attempt, as a disk does: changes that the caller makes before
 *   that are written, and a test can find them.
 * - A write before the storage was opened fails.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import { ColdStorageEndpoint, ColdStorageError } from "../custody/coldstorage/Endpoint.ts"
import { GrowingList } from "./GrowingList.ts"

/** One whole write. */
export interface Written {
  readonly name: string
  readonly bytes: Uint8Array
}

/** The controls of cold storage in memory. */
export class MemoryColdStorage extends Context.Service<MemoryColdStorage, {
  /** All writes that succeeded, oldest first. */
  readonly written: Effect.Effect<ReadonlyArray<Written>>
  /**
   * The names of all attempts in the order in which they began, including those that failed or are
   * under way.
   */
  readonly attempts: Effect.Effect<ReadonlyArray<string>>
  /** Waits until this many attempts have begun. */
  readonly attempted: (count: number) => Effect.Effect<void>
  /** How often it was asked to open. */
  readonly openings: Effect.Effect<number>
  /** The next `count` attempts fail; 0 means none. Replaces an earlier command to fail. */
  readonly failNext: (count: number) => Effect.Effect<void>
  /** All attempts fail, until `failNext(0)` or `heal`. */
  readonly failAlways: Effect.Effect<void>
  /** The next `count` times that it is asked to open, it fails. */
  readonly failOpening: (count: number) => Effect.Effect<void>
  /** Attempts that begin from now on hang until `release`. */
  readonly hang: () => Effect.Effect<void>
  /** Lets the attempts that hang go on; attempts that begin from now on do not hang. */
  readonly release: () => Effect.Effect<void>
  /** Attempts that begin from now on take so many ms; 0 means none. */
  readonly slowBy: (ms: number) => Effect.Effect<void>
  /** Releases; attempts that begin from now on neither fail nor are slow. */
  readonly heal: Effect.Effect<void>
}>()("tracehound/testing/MemoryColdStorage") {
  /**
   * An endpoint with its controls, empty for each layer that is built. `destination` is its name in
   * records.
   */
  static readonly layerAt = (destination: string): Layer.Layer<MemoryColdStorage | ColdStorageEndpoint> =>
    Layer.effectContext(Effect.sync(() => {
      const { control, endpoint } = make(destination)
      return Context.make(MemoryColdStorage, control).pipe(Context.add(ColdStorageEndpoint, endpoint))
    }))

  /** `layerAt` with the destination `memory:`. */
  static readonly layer: Layer.Layer<MemoryColdStorage | ColdStorageEndpoint> = MemoryColdStorage.layerAt("memory:")
}

/** One storage, as its writer and as the test sees it. */
export interface Memory {
  readonly endpoint: ColdStorageEndpoint["Service"]
  readonly control: MemoryColdStorage["Service"]
}

export const make = (destination: string): Memory => {
  const faults = new Faults()
  const memory = new Storage(destination, faults)
  const failNext = (count: number) => Effect.sync(() => faults.failNext(count))
  return {
    endpoint: {
      destination,
      open: Effect.suspend(() => memory.open()),
      write: (name, bytes) => Effect.suspend(() => memory.write(name, bytes))
    },
    control: {
      written: Effect.sync(() => memory.written),
      attempts: Effect.sync(() => memory.attempts.items),
      attempted: (count) => memory.attempts.reaches(count),
      openings: Effect.sync(() => memory.openings),
      failNext,
      failAlways: failNext(Number.POSITIVE_INFINITY),
      failOpening: (count) => Effect.sync(() => faults.failOpening(count)),
      hang: () => Effect.sync(() => faults.hang()),
      release: () => Effect.sync(() => faults.release()),
      slowBy: (ms) => Effect.sync(() => faults.slowBy(ms)),
      heal: Effect.sync(() => faults.heal())
    }
  }
}

/** How one attempt to write goes. */
interface Course {
  readonly slowMs: number
  readonly hangs: boolean
  readonly fails: boolean
}

/** What the test has commanded. */
class Faults {
  #failures = 0
  #failedOpenings = 0
  #slowMs = 0
  #isHanging = false
  readonly #latch = Latch.makeUnsafe(true)

  failNext(count: number): void {
    this.#failures = count
  }
  failOpening(count: number): void {
    this.#failedOpenings = count
  }
  slowBy(ms: number): void {
    this.#slowMs = ms
  }
  hang(): void {
    this.#isHanging = true
    this.#latch.closeUnsafe()
  }
  release(): void {
    this.#isHanging = false
    this.#latch.openUnsafe()
  }
  heal(): void {
    this.#failures = 0
    this.#slowMs = 0
    this.release()
  }

  /** Waits for `release`. */
  get released(): Effect.Effect<void> {
    return this.#latch.await
  }
  /** Decides how the next attempt goes; a failure counts as used. */
  next(): Course {
    const fails = this.#failures > 0
    if (fails) this.#failures -= 1
    return { slowMs: this.#slowMs, hangs: this.#isHanging, fails }
  }
  /** Whether the next opening fails; a failure counts as used. */
  nextOpeningFails(): boolean {
    if (this.#failedOpenings <= 0) return false
    this.#failedOpenings -= 1
    return true
  }
}

/** What was written, and the attempts to. */
class Storage {
  readonly attempts = new GrowingList<string>()
  openings = 0
  readonly #destination: string
  readonly #faults: Faults
  readonly #written = new Map<string, Uint8Array>()
  #isOpen = false

  constructor(destination: string, faults: Faults) {
    this.#destination = destination
    this.#faults = faults
  }

  get written(): ReadonlyArray<Written> {
    return Array.from(this.#written, ([name, bytes]) => ({ name, bytes }))
  }

  open(): Effect.Effect<void, ColdStorageError> {
    this.openings += 1
    if (this.#faults.nextOpeningFails()) return Effect.fail(this.#error("open", " cannot be opened: told to fail"))
    this.#isOpen = true
    return Effect.void
  }

  write(name: string, bytes: Uint8Array): Effect.Effect<void, ColdStorageError> {
    this.attempts.append(name)
    const { fails, hangs, slowMs } = this.#faults.next()
    return Effect.gen({ self: this }, function*() {
      if (slowMs > 0) yield* Effect.sleep(slowMs)
      if (hangs) yield* this.#faults.released
      if (fails) return yield* this.#unwritten(name, "told to fail")
      if (!this.#isOpen) return yield* this.#unwritten(name, "it was never opened")
      if (this.#written.has(name)) return yield* this.#unwritten(name, "the name is taken")
      this.#written.set(name, bytes.slice())
    })
  }

  #unwritten(name: string, why: string): ColdStorageError {
    return this.#error("write", `: ${name} was not written: ${why}`)
  }
  #error(reason: ColdStorageError["reason"], problem: string): ColdStorageError {
    return new ColdStorageError({ reason, message: `cold storage ${this.#destination}${problem}` })
  }
}
