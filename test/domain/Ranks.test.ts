/**
 * The ranks of categories and severities: numbers at run time, two types for the compiler.
 */
import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import type { Quarantine } from "../../src/custody/quarantine/Quarantine.ts"
import type { Arrival } from "../../src/custody/quarantine/Vault.ts"
import { categoryAt, type CategoryRank, categoryRank, threatCategories } from "../../src/domain/Scent.ts"
import { severities, severityAt, type SeverityRank, severityRank } from "../../src/domain/Severity.ts"
import type { Escalation } from "../../src/intake/agent/Escalation.ts"

describe("ranks", () => {
  it("RFC Q1 are the indexes, and lead back to the names", () => {
    assert.deepStrictEqual(threatCategories.map(categoryRank), [0, 1, 2, 3, 4, 5] as Array<CategoryRank>)
    assert.deepStrictEqual(severities.map(severityRank), [0, 1, 2, 3] as Array<SeverityRank>)
    for (const category of threatCategories) assert.strictEqual(categoryAt(categoryRank(category)), category)
    for (const severity of severities) assert.strictEqual(severityAt(severityRank(severity)), severity)
    assert.strictEqual(categoryAt(-1 as CategoryRank), "unknown")
    assert.strictEqual(severityAt(4 as SeverityRank), "low")
  })

  it("do not compile where the two are swapped, or one is any number", () => {
    type Pair = [CategoryRank, SeverityRank]
    type Swapped = [SeverityRank, CategoryRank]
    type AfterFirst<F extends (first: never, ...rest: never) => unknown> = Parameters<F> extends
      [unknown, ...infer Rest] ? Rest : never
    type AfterSecond<F extends (first: never, second: never, ...rest: never) => unknown> = Parameters<F> extends
      [unknown, unknown, ...infer Rest] ? Rest : never
    type HitSame = AfterSecond<Quarantine["Service"]["hitSame"]>
    type Escalate = AfterFirst<Escalation["Service"]["escalateUnsafe"]>
    expectTypeOf<Pair>().toExtend<HitSame>()
    expectTypeOf<Swapped>().not.toExtend<HitSame>()
    expectTypeOf<[number, number]>().not.toExtend<HitSame>()
    expectTypeOf<Pair>().toExtend<Escalate>()
    expectTypeOf<Swapped>().not.toExtend<Escalate>()
    type Hit = Parameters<Quarantine["Service"]["hit"]>
    expectTypeOf<Pair>().toEqualTypeOf<[Hit[2], Hit[3]]>()
    expectTypeOf<Pair>().toEqualTypeOf<[Arrival["category"], Arrival["severity"]]>()
    expectTypeOf<CategoryRank>().toExtend<number>()
    expectTypeOf<CategoryRank>().not.toExtend<SeverityRank>()
    expectTypeOf<SeverityRank>().not.toExtend<CategoryRank>()
  })
})
