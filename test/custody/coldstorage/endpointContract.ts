/**
 * The contract of an endpoint of cold storage: one suite, run against the file endpoint and against
 * the fake that stands in for other endpoints.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, type Scope } from "effect"
import { type ColdStorageEndpoint, ColdStorageError } from "../../../src/custody/coldstorage/Endpoint.ts"
import { noise } from "../../host/port/contract.ts"

/** An endpoint, and access to what it stored, which its interface does not give. */
export interface Inspected {
  readonly endpoint: ColdStorageEndpoint["Service"]
  /** What it was configured as. */
  readonly configured: string
  /** What is stored, by name. */
  readonly stored: Effect.Effect<ReadonlyMap<string, Uint8Array>>
}

export const endpointContract = (name: string, make: Effect.Effect<Inspected, ColdStorageError, Scope.Scope>): void => {
  const opened = Effect.tap(make, ({ endpoint }) => endpoint.open)

  describe(`${name} as an endpoint`, () => {
    it.effect("RFC C1 is write-only: there is nothing in it to read, list or delete with", () =>
      Effect.gen(function*() {
        const { configured, endpoint } = yield* make
        assert.sameMembers(Object.keys(endpoint), ["destination", "open", "write"])
        assert.strictEqual(endpoint.destination, configured)
      }))

    it.effect("RFC C1 stores the whole of the bytes under their name, none and many", () =>
      Effect.gen(function*() {
        const { endpoint, stored } = yield* opened
        const contents = new Map([["a", noise(1_000)], ["b", new Uint8Array(0)], ["c", noise(1_000_000)]])
        for (const [name, bytes] of contents) yield* endpoint.write(name, bytes)
        assert.deepStrictEqual(yield* stored, contents)
      }))

    it.effect("RFC C1 stores a view, not the buffer behind it, and does not keep the memory", () =>
      Effect.gen(function*() {
        const { endpoint, stored } = yield* opened
        const around = noise(100)
        const expected = around.slice(10, 20)
        yield* endpoint.write("a", around.subarray(10, 20))
        around.fill(0)
        assert.deepStrictEqual((yield* stored).get("a"), expected)
      }))

    it.effect("RFC C1 is append-only: a name that is taken is refused, and what is there stays", () =>
      Effect.gen(function*() {
        const { endpoint, stored } = yield* opened
        yield* endpoint.write("a", noise(10, 1))
        const error = yield* Effect.flip(endpoint.write("a", noise(10, 2)))
        assert.instanceOf(error, ColdStorageError)
        assert.strictEqual(error.reason, "write")
        assert.deepStrictEqual(yield* stored, new Map([["a", noise(10, 1)]]))
      }))

    it.effect("RFC C1 of many writers of one name exactly one succeeds, whole", () =>
      Effect.gen(function*() {
        const { endpoint, stored } = yield* opened
        const writers = Array.from({ length: 8 }, (_, seed) => Effect.exit(endpoint.write("a", noise(50_000, seed))))
        const exits = yield* Effect.all(writers, { concurrency: "unbounded" })
        const won = exits.findIndex((exit) => Exit.isSuccess(exit))
        assert.strictEqual(exits.filter((exit) => Exit.isSuccess(exit)).length, 1)
        assert.deepStrictEqual(yield* stored, new Map([["a", noise(50_000, won)]]))
      }))

    it.effect("RFC C1 writers of different names do not disturb each other", () =>
      Effect.gen(function*() {
        const { endpoint, stored } = yield* opened
        const names = Array.from({ length: 20 }, (_, i) => `name-${i}`)
        yield* Effect.forEach(names, (name, i) => endpoint.write(name, noise(1_000, i)), { concurrency: "unbounded" })
        assert.deepStrictEqual(new Map(yield* stored), new Map(names.map((name, i) => [name, noise(1_000, i)])))
      }))

    it.effect("RFC R4 may be opened again, and keeps what it has", () =>
      Effect.gen(function*() {
        const { endpoint, stored } = yield* opened
        yield* endpoint.write("a", noise(10))
        yield* endpoint.open
        assert.deepStrictEqual(yield* stored, new Map([["a", noise(10)]]))
        yield* endpoint.write("b", noise(10))
      }))
  })
}
