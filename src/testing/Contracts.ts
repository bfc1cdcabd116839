/**
 * What Tracehound expects of parts that a program gives it (`Tracehound.layerWith`), as checks for
 * that program's own tests, whatever runs them.
 *
 * **Gotchas**
 *
 * - A part that breaks its promises harms nobody: Tracehound guards against it. It costs what
 *   docs/embedding.md says.
 *
 * **Example** (The promises of a cold storage of one's own)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { ColdStorageError } from "tracehound"
 * import { Contracts } from "tracehound/testing"
 *
 * const taken = new ColdStorageError({ reason: "write", message: "the name is taken" })
 *
 * const mine = Effect.sync(() => {
 *   const files = new Map<string, Uint8Array>()
 *   const write = Effect.fnUntraced(function*(name: string, bytes: Uint8Array) {
 *     if (files.has(name)) return yield* taken
 *     files.set(name, bytes.slice())
 *   })
 *   const endpoint = { destination: "mine:", open: Effect.void, write }
 *   return { endpoint, stored: Effect.sync(() => files) }
 * })
 *
 * // In a test: for (const { check, promise } of …) it.effect(promise, () => check)
 * const checks = Contracts.coldStorage(mine).map(({ check }) => check)
 * Effect.runPromise(Effect.all(checks)).then(({ length }) => console.log(length)) // => 7
 * ```
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type { ColdStorageEndpoint, ColdStorageError } from "../custody/coldstorage/Endpoint.ts"
import type { RateLimiter } from "../intake/gate/RateLimiter.ts"

/** A promise that was not kept. */
export class PromiseBroken extends Schema.TaggedError<PromiseBroken>()("PromiseBroken", {
  promise: Schema.String,
  found: Schema.String
}) {
  override get message(): string {
    return `it ${this.promise}: ${this.found}`
  }
}

/** One promise, and an effect that fails where it is not kept. */
export interface Check<E, R> {
  /** What the part does, in words. */
  readonly promise: string
  readonly check: Effect.Effect<void, E | PromiseBroken, R>
}

const unless = (holds: boolean, promise: string, found: string): Effect.Effect<void, PromiseBroken> =>
  holds ? Effect.void : Effect.fail(new PromiseBroken({ promise, found }))

/** Bytes that look like no others: of other lengths, or of other seeds. */
const bytesOf = (length: number, seed = 1): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => Math.imul(i + seed, 2_654_435_761) >>> 24)

const isSame = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && a.length === b.length && b.every((byte, i) => a[i] === byte)

/** Whether exactly these are stored. */
const areStored = (stored: ReadonlyMap<string, Uint8Array>, wanted: ReadonlyMap<string, Uint8Array>): boolean =>
  stored.size === wanted.size && [...wanted].every(([name, bytes]) => isSame(stored.get(name), bytes))

/** An endpoint, and what it has stored, which its interface does not give. */
export interface InspectedEndpoint {
  readonly endpoint: ColdStorageEndpoint["Service"]
  /** What is stored, by name. */
  readonly stored: Effect.Effect<ReadonlyMap<string, Uint8Array>>
}

/** What a check does with an open endpoint; it gives what it found, or null where all is well. */
type Use = (parts: InspectedEndpoint) => Effect.Effect<string | null, ColdStorageError>

const holds = (stored: InspectedEndpoint["stored"], wanted: ReadonlyMap<string, Uint8Array>) =>
  Effect.map(stored, (all) => areStored(all, wanted) ? null : `it stored ${[...all.keys()].join(", ") || "nothing"}`)

/** The promises of an endpoint (CONFORMANCE C1), in the order in which they are checked. */
const endpointPromises: Readonly<Record<string, Use>> = {
  "is write-only: there is nothing in it to read, list or delete with": ({ endpoint }) =>
    Effect.sync(() => {
      const others = Object.keys(endpoint).filter((key) => !["destination", "open", "write"].includes(key))
      return others.length === 0 ? null : `it has ${others.join(", ")}`
    }),
  "stores the whole of the bytes under their name, none and many": ({ endpoint, stored }) => {
    const contents = new Map([["a", bytesOf(1_000)], ["b", new Uint8Array(0)], ["c", bytesOf(1_000_000)]])
    const writes = [...contents].map(([name, bytes]) => endpoint.write(name, bytes))
    return Effect.andThen(Effect.all(writes), holds(stored, contents))
  },
  "stores a view, not the buffer behind it, and does not keep the memory": ({ endpoint, stored }) => {
    const around = bytesOf(100)
    const wanted = around.slice(10, 20)
    return endpoint.write("a", around.subarray(10, 20)).pipe(
      Effect.andThen(Effect.sync(() => around.fill(0))),
      Effect.andThen(holds(stored, new Map([["a", wanted]])))
    )
  },
  "is append-only: a name that is taken is refused, and what is there stays": ({ endpoint, stored }) =>
    Effect.gen(function*() {
      yield* endpoint.write("a", bytesOf(10, 1))
      const again = yield* Effect.exit(endpoint.write("a", bytesOf(10, 2)))
      if (Exit.isSuccess(again)) return "it took the name a second time"
      return yield* holds(stored, new Map([["a", bytesOf(10, 1)]]))
    }),
  "lets one of many writers of a name succeed, whole": ({ endpoint, stored }) =>
    Effect.gen(function*() {
      const writers = Array.from({ length: 8 }, (_, seed) => Effect.exit(endpoint.write("a", bytesOf(50_000, seed))))
      const exits = yield* Effect.all(writers, { concurrency: "unbounded" })
      const won = exits.flatMap((exit, seed) => Exit.isSuccess(exit) ? [seed] : [])
      if (won.length !== 1) return `${won.length} writers succeeded`
      return yield* holds(stored, new Map(won.map((seed) => ["a", bytesOf(50_000, seed)])))
    }),
  "lets writers of different names not disturb each other": ({ endpoint, stored }) => {
    const contents = new Map(Array.from({ length: 20 }, (_, i) => [`name-${i}`, bytesOf(1_000, i)]))
    const writes = [...contents].map(([name, bytes]) => endpoint.write(name, bytes))
    return Effect.andThen(Effect.all(writes, { concurrency: "unbounded" }), holds(stored, contents))
  },
  "may be opened again, and keeps what it has": ({ endpoint, stored }) =>
    Effect.gen(function*() {
      yield* endpoint.write("a", bytesOf(10, 1))
      yield* endpoint.open
      yield* endpoint.write("b", bytesOf(10, 2))
      return yield* holds(stored, new Map([["a", bytesOf(10, 1)], ["b", bytesOf(10, 2)]]))
    })
}

/** The promises of an endpoint of cold storage. `make` gives an empty one for each check. */
export const coldStorage = <E, R>(
  make: Effect.Effect<InspectedEndpoint, E, R>
): ReadonlyArray<Check<E | ColdStorageError, R>> =>
  Object.entries(endpointPromises).map(([promise, use]) => ({
    promise,
    check: Effect.gen(function*() {
      const parts = yield* make
      yield* parts.endpoint.open
      const found = yield* use(parts)
      yield* unless(found === null, promise, found ?? "")
    })
  }))

/** Sources as they come: addresses, names, the longest, the shortest, and hostile ones. */
const sources = ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "", "x".repeat(256), "__proto__", "\u0000", "💥"]

/** What `check` of a limiter may be given by a host without types. */
const noSources: ReadonlyArray<unknown> = [undefined, null, 5, {}, [], Symbol("x"), "x".repeat(100_000), "\ud800"]

type Limiter = RateLimiter["Service"]

const isWait = (wait: unknown): boolean => typeof wait === "number" && Number.isSafeInteger(wait) && wait >= 0

const isCount = (count: unknown): boolean => Number.isSafeInteger(count) && Number(count) >= 0

/** The promises of a limiter, each with what was found, or null where all is well. */
const limiterPromises = (maxSources: number): Readonly<Record<string, (limiter: Limiter) => string | null>> => ({
  "answers waitUnsafe with 0 or the whole ms to wait, for any source and however often": ({ waitUnsafe }) => {
    for (let i = 0; i < 1_000; i++) {
      const wait: unknown = waitUnsafe(sources[i % sources.length] ?? "")
      if (!isWait(wait)) return `it answered ${String(wait)}`
    }
    return null
  },
  "answers check with allowed, or with retryAfter and a reason, whatever it is given": ({ check }) => {
    for (const source of [...sources, ...noSources]) {
      const answer = check(source as string)
      const isAnswer = answer.allowed || (isWait(answer.retryAfter) && typeof answer.reason === "string")
      if (!isAnswer) return `it answered ${JSON.stringify(answer)}`
    }
    return null
  },
  "takes reset of sources that it knows, and of those that it does not": ({ reset, waitUnsafe }) => {
    waitUnsafe("192.0.2.1")
    for (const source of [...sources, ...noSources]) reset(source as string)
    return null
  },
  "counts what it remembers": ({ stats }) => {
    const { blocked, sources } = stats()
    return isCount(blocked) && isCount(sources) ? null : `it counts ${String(blocked)} and ${String(sources)}`
  },
  [`remembers at most ${maxSources} sources, however many come`]: ({ stats, waitUnsafe }) => {
    for (let i = 0; i < maxSources * 2 + 1; i++) waitUnsafe(`made-up-${i}`)
    const { sources } = stats()
    return sources <= maxSources ? null : `it remembers ${sources}`
  }
})

/**
 * The promises of a limiter that remembers at most `maxSources`. `make` gives a new one for each
 * check.
 */
export const limiter = <E, R>(make: Effect.Effect<Limiter, E, R>, maxSources: number): ReadonlyArray<Check<E, R>> =>
  Object.entries(limiterPromises(maxSources)).map(([promise, find]) => ({
    promise,
    check: Effect.flatMap(make, (limiter) => {
      const found = Effect.try({
        try: () => find(limiter),
        catch: (cause) => new PromiseBroken({ promise, found: `it threw ${String(cause)}` })
      })
      return Effect.flatMap(found, (found) => unless(found === null, promise, found ?? ""))
    })
  }))
