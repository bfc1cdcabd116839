/**
 * The built-in analyzer where it belongs: in a hound.
 */
import { assert, describe, it as every } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as zlib from "node:zlib"
import { unbase64, vectors } from "../../custody/evidence/envelopes.ts"
import { sampleOf } from "../../support/tiers.ts"
import { type Trial, verdictsOf } from "./realHound.ts"
import { bytesOf, deflated, zipOf } from "./streams.ts"

const it = sampleOf(every, 2)

const text = bytesOf("' OR 1=1 --")

describe("the built-in analyzer in a hound", () => {
  it("RFC H2 gives the same verdicts as outside, over one piece of evidence after the other", async () => {
    const noise = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i * 2_654_435_761) >>> 13)
    const trials: ReadonlyArray<readonly [verdict: string, trial: Trial]> = [
      ["complete", { bytes: new Uint8Array(0) }],
      ["complete", { bytes: text }],
      ["error", { bytes: text, digest: "wrong" }],
      ["complete", { bytes: text, digest: "none" }],
      ["complete", { bytes: noise }],
      ["error", { bytes: new Uint8Array(zlib.gzipSync(new Uint8Array(40_000_000))) }],
      ["complete", { bytes: new Uint8Array(zlib.gzipSync(noise)) }],
      ["complete", { bytes: zipOf([deflated("a", text), deflated("b", zipOf([deflated("c", text)]))]) }],
      ["error", { bytes: zipOf([{ ...deflated("a", text), crc: 1 }]) }],
      ...vectors.good.slice(0, 12).map(({ envelope }) => ["complete", { bytes: unbase64(envelope) }] as const),
      ["error", { bytes: unbase64(vectors.bad.find(({ name }) => name === "a seal of zeros")?.envelope ?? "") }],
      ["complete", { bytes: bytesOf(readFileSync(process.execPath).subarray(0, 900_000)) }]
    ]
    const result = await verdictsOf(trials.map(([, trial]) => trial))
    if (result === null) return
    assert.strictEqual(result.words, "")
    assert.deepStrictEqual(result.verdicts, trials.map(([verdict]) => verdict))
  }, 120_000)

  it("RFC H4 a job that spends its whole budget leaves the hound ready for the next one", async () => {
    // As much as 1 MB of deflate can say without being a bomb: nothing is left of the budget.
    const block = zlib.deflateRawSync(new Uint8Array(300_000), { finishFlush: zlib.constants.Z_FULL_FLUSH })
    const count = Math.floor(990_000 / block.length)
    const full = bytesOf([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], ...Array.from({ length: count }, () => block))
    const result = await verdictsOf([{ bytes: full }, { bytes: text }, { bytes: full }, { bytes: text }])
    if (result === null) return
    assert.deepStrictEqual(result.verdicts, ["error", "complete", "error", "complete"])
  }, 120_000)
})
