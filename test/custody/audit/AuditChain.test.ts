import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { fromArgument, resolveConfig } from "../../../src/config/ConfigSources.ts"
import { Settings } from "../../../src/config/Settings.ts"
import type { TracehoundConfigInput } from "../../../src/config/TracehoundConfig.ts"
import { AuditChain } from "../../../src/custody/audit/AuditChain.ts"
import { factsOf } from "../../../src/custody/audit/AuditFacts.ts"
import * as NodeHash from "../../../src/host/node/NodeHash.ts"
import { custody } from "../../domain/samples.ts"
import { chainOf } from "./entries.ts"

const unlinked = custody.neutralized

const chainWith = (audit: NonNullable<TracehoundConfigInput["audit"]>) =>
  AuditChain.layer.pipe(
    Layer.provide(NodeHash.layer),
    Layer.provide(Layer.effect(Settings, Effect.fromResult(resolveConfig([fromArgument({ audit })]))))
  )

describe("AuditChain", () => {
  it.effect("RFC A1 is one chain for all rooms, with as many records as configured", () =>
    Effect.gen(function*() {
      const [mine, theirs] = [yield* AuditChain, yield* AuditChain]
      for (let n = 0; n < 3; n++) mine.append(factsOf({ ...unlinked, size: n }))
      assert.strictEqual(theirs.length, 3)
      assert.deepStrictEqual(theirs.records().map(({ entry }) => entry.size), [1, 2])
      assert.strictEqual(theirs.lastHash, chainOf([0, 1, 2].map((size) => ({ ...custody.neutralized, size }))).lastHash)
    }).pipe(Effect.provide(chainWith({ maxRecords: 2 }))))

  it.effect("RFC A3 does not chain where chainEnabled is false", () =>
    Effect.gen(function*() {
      const chain = yield* AuditChain
      chain.append(factsOf(unlinked))
      assert.strictEqual(chain.lastHash, "0".repeat(64))
      assert.strictEqual(chain.records().length, 1)
    }).pipe(Effect.provide(chainWith({ chainEnabled: false }))))
})
