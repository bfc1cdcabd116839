/**
 * Tests that two payloads share a signature exactly where spec/canonical.md declares them equal:
 * random pairs, other spellings, near misses.
 */
import { assert, describe, it } from "@effect/vitest"
import { nearMiss, randomPayload, respell } from "../intake/gate/payloads.ts"
import { random, Seed } from "../support/random.ts"
import { areEqual, isUnreadable, spell } from "./equality.ts"
import { mutate } from "./mutations.ts"
import { bounds, signatureOf, smallTracehound } from "./runtime.ts"
import { hostileValue } from "./values.ts"
import { makeWires } from "./wires.ts"

describe("equal signatures and equal payloads", () => {
  const tracehound = smallTracehound()
  let equal = 0
  let different = 0

  /** Compares the runtime's answer with the specification's. */
  const compare = (a: unknown, b: unknown): void => {
    const areSame = areEqual(a, b)
    const areRead = !isUnreadable(spell(a)) && !isUnreadable(spell(b))
    if (areRead) assert.strictEqual(spell(a).equals(spell(b)), areSame, "the two readings of spec/canonical.md differ")
    if (spell(a).length > bounds.maxPayloadSize || spell(b).length > bounds.maxPayloadSize) return
    const [left, right] = [signatureOf(tracehound, a), signatureOf(tracehound, b)]
    assert.isTrue(left.startsWith("malware:") && right.startsWith("malware:"), `${left}, ${right}`)
    assert.strictEqual(left === right, areSame)
    if (areSame) equal += 1
    else different += 1
  }

  it.prop(
    "RFC D3 random pairs, other spellings and near misses",
    { seed: Seed },
    ({ seed }) => {
      const r = random(seed)
      const wires = makeWires()
      const isPlain = r.chance(0.3)
      const value = isPlain ? randomPayload(r) : hostileValue(r, wires, 2)
      const others = [
        () => isPlain ? respell(value, r) : hostileValue(r, wires, 1),
        () => isPlain ? nearMiss(value, r) : mutate(value, r),
        () => mutate(value, r),
        () => mutate(value, r),
        () => [value],
        () => ({ a: value }),
        // Rule 2: the text or bytes that are the value's own canonical bytes.
        () => spell(value).toString("latin1"),
        () => spell(value)
      ] as const
      const other = r.pick(others)()
      compare(value, other)
      compare([value], [other])
      assert.deepStrictEqual(wires.touched, [])
    },
    { arbitrary: { runs: 1500 } }
  )

  it("has compared enough equal pairs and enough unequal ones", () => {
    assert.isAbove(equal, 100)
    assert.isAbove(different, 500)
  })
})
