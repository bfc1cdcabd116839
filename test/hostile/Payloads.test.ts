/**
 * Passes every kind of JavaScript value as a payload through the whole runtime (CONFORMANCE D3, D4,
 * D6).
 */
import { assert, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import { random, Seed } from "../support/random.ts"
import { isRaw, isUnreadable, scribble, spell, withoutNonces } from "./equality.ts"
import { bounds, intercept, signatureOf, smallTracehound } from "./runtime.ts"
import { disguises, hostileValue, kinds } from "./values.ts"
import { makeWires } from "./wires.ts"

const signatureBy = (canonical: Buffer): string => `malware:${createHash("sha256").update(canonical).digest("hex")}`

/** Asserts that a payload of these bytes was signed as it should be. */
const assertSigned = (sign: () => string, canonical: Buffer): void => {
  if (!isUnreadable(canonical)) return assert.strictEqual(sign(), signatureBy(canonical))
  const signatures = [sign(), sign(), sign()]
  assert.isTrue(signatures.every((signature) => signature.startsWith("malware:")), signatures.join(" "))
  assert.strictEqual(new Set(signatures).size, 3, "what cannot be read is never the same")
}

/** Whether the payload is within all bounds, but for its size. */
const isSmall = (canonical: Buffer): boolean => canonical.length <= bounds.maxPayloadSize

describe("payloads of every kind", () => {
  const tracehound = smallTracehound()

  for (const [name, make] of Object.entries(kinds)) {
    it(`RFC D3 D4 ${name}: untouched, and signed as spec/canonical.md says`, () => {
      const wires = makeWires()
      const r = random(1)
      for (const wrap of [(value: unknown) => value, (value: unknown) => [value], (value: unknown) => ({ a: value })]) {
        const payload = wrap(make({ random: r, wires, inner: () => "inner" }))
        const before = spell(payload)
        assertSigned(() => signatureOf(tracehound, payload), before)
        assert.deepStrictEqual(wires.touched, [])
        assert.isTrue(spell(payload).equals(before), "the payload was changed")
      }
    })
  }

  for (const [name, make] of Object.entries(disguises)) {
    it(`RFC D3 ${name}: what spec/canonical.md says that it is`, () => {
      for (const payload of [make(), [make()]])
        assertSigned(() => signatureOf(tracehound, payload), spell(payload))
    })
  }

  it.prop(
    "RFC D3 D4 D6 whatever it is: never throws, one of seven answers, bounds kept, payload untouched, signature as specified",
    { seed: Seed },
    ({ seed }) => {
      const wires = makeWires()
      const payload = hostileValue(random(seed), wires)
      const before = spell(payload)
      const result = intercept(tracehound, payload)
      if (result.status === "quarantined" && !result.handle.disposed) {
        assert.isTrue(
          withoutNonces(new Uint8Array(result.handle.bytes ?? new ArrayBuffer(0))).equals(before),
          "the evidence is something else"
        )
      }
      assert.deepStrictEqual(wires.touched, [])
      assert.isTrue(spell(payload).equals(before), "the payload was changed")
      if (!isSmall(before)) return assert.strictEqual(result.status, "payload_too_large")
      assertSigned(() => signatureOf(tracehound, payload), before)
      // The evidence is a copy: overwriting the payload's memory afterwards does not change it.
      if (result.status === "quarantined" && !result.handle.disposed && typeof payload === "object" && isRaw(payload)) {
        scribble(payload)
        assert.isTrue(Buffer.from(result.handle.bytes ?? new ArrayBuffer(0)).equals(before), "the evidence is shared")
      }
      tracehound.flush()
    },
    { arbitrary: { runs: 1500 } }
  )
})
