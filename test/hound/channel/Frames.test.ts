import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { threatCategories } from "../../../src/domain/Scent.ts"
import { severities } from "../../../src/domain/Severity.ts"
import {
  frameBytes,
  frameKinds,
  frameMagic,
  frameVersion,
  jobHeader,
  jobHeaderBytes,
  jobMagic,
  writeJobHeader
} from "../../../src/hound/channel/Frames.ts"
import { frameOf } from "../../support/FakeSpawner.ts"

const entry = readFileSync(new URL("../../../src/hound/sandbox/entry.mjs", import.meta.url), "utf8")

/** The groups of the one match of a pattern in the entry. */
const inEntry = (pattern: RegExp): ReadonlyArray<string> => {
  const found = [...entry.matchAll(new RegExp(pattern, "g"))]
  assert.lengthOf(found, 1, `${pattern} stands in the entry exactly once`)
  return found[0]?.slice(1) ?? []
}

const numberInEntry = (pattern: RegExp): number => Number(inEntry(pattern)[0])

describe("Frames", () => {
  it("RFC H3 a job's header stands where the layout says", () => {
    const digest = Uint8Array.from({ length: 32 }, (_, i) => i + 1)
    const facts = { job: 0xfffffffe, length: 0x01020304, category: 3, severity: 2, digest }
    const header = jobHeader(facts)
    assert.lengthOf(header, jobHeaderBytes)
    const start = "484e4431feffffff0403020103020100"
    assert.strictEqual(Buffer.from(header).toString("hex"), start + Buffer.from(digest).toString("hex"))
    const bare = jobHeader({ ...facts, digest: null })
    assert.deepStrictEqual([...bare.subarray(14)], Array.from({ length: 34 }, () => 0))
    // Over another one, of which nothing is left.
    const used = new Uint8Array(jobHeaderBytes + 1).fill(0xff)
    writeJobHeader({ ...facts, digest: null }, used)
    assert.deepStrictEqual(used, Uint8Array.of(...bare, 0xff))
  })

  it("RFC H3 the tests' own frames stand where the layout says", () => {
    const frame = frameOf(4, 0x01020304, 0x05060708, 0x090a0b0c, 0x0d0e0f10)
    assert.strictEqual(
      Buffer.from(frame).toString("hex"),
      "4854010404030201080706050c0b0a09100f0e0d00000000"
    )
  })

  it("RFC H3 a hound's entry has the numbers of the layout", () => {
    assert.strictEqual(numberInEntry(/\bframeBytes = (\d+)/), frameBytes)
    assert.strictEqual(numberInEntry(/\bheader = new Uint8Array\((\d+)\)/), jobHeaderBytes)
    assert.strictEqual(numberInEntry(/frameView\.setUint16\(at, (0x[0-9a-f]+), true\)/), frameMagic)
    assert.strictEqual(numberInEntry(/frameView\.setUint8\(at \+ 2, (\d+)\)/), frameVersion)
    assert.strictEqual(numberInEntry(/headerView\.getUint32\(0, true\) === (0x[0-9a-f]+)/), jobMagic)
    const fields = [...entry.matchAll(/frameView\.setUint(8|16|32)\(at(?: \+ (\d+))?, ([^,)]+)/g)].map((match) =>
      match.slice(1)
    )
    assert.deepStrictEqual(fields.slice(2).map(([bits, at]) => `${bits}@${at}`), [
      "8@3",
      "32@4",
      "32@8",
      "32@12",
      "32@16"
    ])
    assert.strictEqual(numberInEntry(/const job = headerView\.getUint32\((\d+), true\)/), 4)
    assert.strictEqual(numberInEntry(/const length = headerView\.getUint32\((\d+), true\)/), 8)
  })

  it("RFC H3 a hound's entry has the words of the domain in their order", () => {
    const words = (text: string | undefined): ReadonlyArray<string> =>
      [...(text ?? "").matchAll(/"(\w+)"/g)].map((match) => match[1] ?? "")
    assert.deepStrictEqual(words(inEntry(/const categories = \[([^\]]+)\]/)[0]), [...threatCategories])
    assert.deepStrictEqual(words(inEntry(/const severities = \[([^\]]+)\]/)[0]), [...severities])
    const [names = "", numbers = ""] = inEntry(/const \[(ready[^\]]+)\] = \[([^\]]+)\]/)
    const kinds = Object.fromEntries(names.split(", ").map((name, i) => [name, Number(numbers.split(", ")[i])]))
    const { error, ...same } = frameKinds
    assert.deepStrictEqual(kinds, { ...same, failed: error })
  })
})
