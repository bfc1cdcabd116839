import { assert, describe, it } from "@effect/vitest"
import { sortEntries, sortKeys } from "../../../src/intake/gate/canonical/Order.ts"
import { random, Seed } from "../../support/random.ts"

describe("the canonical order", () => {
  it.prop(
    "RFC D3 of keys is that of ECMAScript's own comparison, for few keys as for many",
    { seed: Seed },
    ({ seed }) => {
      const { below, pick } = random(seed)
      const piece = () => pick(["", "a", "b", "é", "\ud800", "\udc00", "\u{1f600}", "\0", "10", "2"])
      const keys = Array.from({ length: below(60) }, () => `${piece()}${piece()}${piece()}`)
      const sorted = [...keys]
      sortKeys(sorted)
      assert.deepStrictEqual(sorted, keys.toSorted((a, b) => a < b ? -1 : a > b ? 1 : 0))
    },
    { arbitrary: { runs: 300 } }
  )

  it.prop("RFC D3 of entries is that of their bytes, a prefix first", { seed: Seed }, ({ seed }) => {
    const { below } = random(seed)
    const entries = Array.from(
      { length: 1 + below(20) },
      () => Array.from({ length: 1 + below(3) }, () => 0x2b + below(4))
    )
    const bytes = Uint8Array.from([0x5b, ...entries.flatMap((entry) => [...entry, 0x2c])])
    const starts = [1]
    for (const entry of entries) starts.push((starts.at(-1) ?? 0) + entry.length + 1)
    const expected = entries.map((entry) => Buffer.from(entry)).toSorted(Buffer.compare)
    sortEntries(bytes, starts)
    assert.deepStrictEqual(bytes, Uint8Array.from([0x5b, ...expected.flatMap((entry) => [...entry, 0x2c])]))
  }, { arbitrary: { runs: 300 } })
})
