/**
 * The contract of an endpoint of cold storage: one suite, run against the file endpoint, the fakes
 * that stand in for other endpoints, and the one that the documents show. It is the suite that the
 * package exports.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { Contracts } from "tracehound/testing"
import type { ColdStorageError } from "../../../src/custody/coldstorage/Endpoint.ts"

/** An endpoint, and access to what it stored, which its interface does not give. */
export interface Inspected extends Contracts.InspectedEndpoint {
  /** What it was configured as. */
  readonly configured: string
}

export const endpointContract = (name: string, make: Effect.Effect<Inspected, ColdStorageError, Scope.Scope>): void => {
  describe(`${name} as an endpoint`, () => {
    it.effect("RFC C1 is called as it was configured", () =>
      Effect.gen(function*() {
        const { configured, endpoint } = yield* make
        assert.strictEqual(endpoint.destination, configured)
      }))

    for (const { check, promise } of Contracts.coldStorage(make)) it.effect(`RFC C1 ${promise}`, () => check)
  })
}
