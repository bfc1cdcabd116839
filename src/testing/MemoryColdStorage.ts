/**
 * Cold storage in memory, which a test steers while it runs: it fails, hangs, is slow or cannot be
 * opened, as it is told, and shows what was written.
 *
 * Promises the contract of every endpoint (`custody/coldstorage/Endpoint.ts`): whole writes, a name
 * that was used is refused, no way to read in the endpoint itself. What an attempt does is settled
 * when it begins; only `release` reaches those under way. It takes the time of `slowBy` first, then
 * waits where it hangs, then fails or writes. An attempt that is interrupted writes nothing.
 *
 * Cost: a copy of everything written, kept as long as the layer.
 *
 * **Gotchas**
 *
 * - Slowness is `Effect.sleep`: under TestClock nothing moves until the test moves time.
 * - Bytes are copied when they are written, at the end of an attempt, as by a disk: whoever changes
 *   them earlier is found out.
 * - Written to before it was opened, it fails.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import { ColdStorageEndpoint, ColdStorageError } from "../custody/coldstorage/Endpoint.ts"

/** Something that was written, whole. */
export interface Written {
  readonly name: string
  readonly bytes: Uint8Array
}

/** What a test does with cold storage in memory. */
export class MemoryColdStorage extends Context.Service<MemoryColdStorage, {
  /** What was written, oldest first. */
  readonly written: Effect.Effect<ReadonlyArray<Written>>
  /**
   * The names of all attempts, failed ones and those under way too, in the order in which they
   * began.
   */
  readonly attempts: Effect.Effect<ReadonlyArray<string>>
  /** Waits until this many attempts have begun. */
  readonly attempted: (count: number) => Effect.Effect<void>
  /** How often it was to be opened. */
  readonly openings: Effect.Effect<number>
  /** The next `count` attempts fail, whatever was said before; 0 is none. */
  readonly failNext: (count: number) => Effect.Effect<void>
  /** All attempts fail, until `failNext(0)` or `heal`. */
  readonly failAlways: Effect.Effect<void>
  /** The next `count` times that it is to be opened, it cannot be. */
  readonly failOpening: (count: number) => Effect.Effect<void>
  /** Attempts that begin from now on have no end, until `release`. */
  readonly hang: () => Effect.Effect<void>
  /** Lets all that hang go on, and those to come not hang. */
  readonly release: () => Effect.Effect<void>
  /** Attempts that begin from now on take so many ms; 0 is none. */
  readonly slowBy: (ms: number) => Effect.Effect<void>
  /** Releases, and from now on nothing fails or is slow. */
  readonly heal: Effect.Effect<void>
}>()("tracehound/testing/MemoryColdStorage") {
  /**
   * An endpoint of this name with its controls: what records call it is `destination`. Empty for
   * each layer that is built.
   */
  static readonly layerAt = (destination: string): Layer.Layer<MemoryColdStorage | ColdStorageEndpoint> =>
    Layer.effectContext(Effect.sync(() => {
      const { control, endpoint } = make(destination)
      return Context.make(MemoryColdStorage, control).pipe(Context.add(ColdStorageEndpoint, endpoint))
    }))

  /** The same, called `memory:`. */
  static readonly layer: Layer.Layer<MemoryColdStorage | ColdStorageEndpoint> = MemoryColdStorage.layerAt("memory:")
}

/** Both services without a layer. */
export interface Memory {
  readonly endpoint: ColdStorageEndpoint["Service"]
  readonly control: MemoryColdStorage["Service"]
}

/** An empty one. */
export const make = (destination: string): Memory => {
  const written = new Map<string, Uint8Array>()
  const attempts: Array<string> = []
  const waiting: Array<{ readonly count: number; readonly done: Deferred.Deferred<void> }> = []
  const latch = Latch.makeUnsafe(true)
  let openings = 0
  let isOpen = false
  let lockedFor = 0
  let failures = 0
  let slowness = 0
  let isHanging = false

  const begin = (name: string): { readonly fails: boolean; readonly hangs: boolean; readonly ms: number } => {
    attempts.push(name)
    for (const { count, done } of waiting) {
      if (attempts.length >= count) Deferred.doneUnsafe(done, Effect.void)
    }
    const fails = failures > 0
    if (fails) failures -= 1
    return { fails, hangs: isHanging, ms: slowness }
  }
  const unwritten = (name: string, why: string) =>
    new ColdStorageError({ reason: "write", message: `cold storage ${destination}: ${name} was not written: ${why}` })

  const endpoint: ColdStorageEndpoint["Service"] = {
    destination,
    open: Effect.suspend(() => {
      openings += 1
      if (lockedFor > 0) {
        lockedFor -= 1
        return Effect.fail(
          new ColdStorageError({
            reason: "open",
            message: `cold storage ${destination} cannot be opened: told to fail`
          })
        )
      }
      isOpen = true
      return Effect.void
    }),
    write: Effect.fnUntraced(function*(name, bytes) {
      const { fails, hangs, ms } = begin(name)
      if (ms > 0) yield* Effect.sleep(ms)
      if (hangs) yield* latch.await
      if (fails) return yield* unwritten(name, "told to fail")
      if (!isOpen) return yield* unwritten(name, "it was never opened")
      if (written.has(name)) return yield* unwritten(name, "the name is taken")
      written.set(name, bytes.slice())
    })
  }
  const failNext = (count: number) =>
    Effect.sync(() => {
      failures = count
    })
  const slowBy = (ms: number) =>
    Effect.sync(() => {
      slowness = ms
    })
  const release = Effect.sync(() => {
    isHanging = false
    latch.openUnsafe()
  })
  return {
    endpoint,
    control: {
      written: Effect.sync(() => Array.from(written, ([name, bytes]) => ({ name, bytes }))),
      attempts: Effect.sync(() => [...attempts]),
      attempted: (count) =>
        Effect.suspend(() => {
          if (attempts.length >= count) return Effect.void
          const done = Deferred.makeUnsafe<void>()
          waiting.push({ count, done })
          return Deferred.await(done)
        }),
      openings: Effect.sync(() => openings),
      failNext,
      failAlways: failNext(Number.POSITIVE_INFINITY),
      failOpening: (count) =>
        Effect.sync(() => {
          lockedFor = count
        }),
      hang: () =>
        Effect.sync(() => {
          isHanging = true
          latch.closeUnsafe()
        }),
      release: () => release,
      slowBy,
      heal: Effect.andThen(Effect.andThen(failNext(0), slowBy(0)), release)
    }
  }
}
