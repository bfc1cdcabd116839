/**
 * The example of an analyzer: bundled by its own script, called directly, and run in a hound.
 */
import { afterAll, assert, beforeAll, describe, it as every } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { defaultBounds, scan } from "../../examples/analyzer/scanner.ts"
import { type Shape } from "../../examples/analyzer/shape.ts"
import type { Analyzer, EvidenceFacts } from "../../src/hound/index.ts"
import { verdictsOf } from "../hound/analyzers/realHound.ts"
import { random, Seed } from "../support/random.ts"
import { sampleOf } from "../support/tiers.ts"

const it = sampleOf(every, 2)

const root = fileURLToPath(new URL("../../", import.meta.url))
const utf8 = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
const shapeOf = (text: string): Shape => scan(utf8(text))

/** Directories that the tests make, and leave to nobody. */
const directories: Array<string> = []
const bundled = () => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "tracehound-test-")))
  directories.push(directory)
  chmodSync(directory, 0o755)
  const printed = execFileSync(process.execPath, [join(root, "examples/analyzer/bundle.mjs"), directory], {
    cwd: tmpdir(),
    encoding: "utf8"
  })
  const path = join(directory, "analyzer.mjs")
  const source = readFileSync(path, "utf8")
  return { path, printed, source, sha256: createHash("sha256").update(source).digest("hex") }
}

let bundle: ReturnType<typeof bundled>
beforeAll(() => {
  bundle = bundled()
})
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
})

const facts = (bytes: Uint8Array): EvidenceFacts => ({
  category: "injection",
  severity: "critical",
  size: bytes.length,
  sha256: null
})

const good = [
  "{}",
  "[]",
  "0",
  " {\"a\":[1,-2.5e3,\"b\\u00e9\",true,false,null,{\"a\":1}]} ",
  "{\"a\":\"\\u0022\"}",
  "not JSON"
]
const hostile = [
  "{\"a\":1,\"a\":2}",
  "{\"a\":1,\"\\u0061\":2}",
  "{\"__proto__\":1}",
  "{\"\\u005f_proto__\":1}",
  "[{\"constructor\":{\"prototype\":1}}]",
  "[".repeat(1_000_000),
  "{\"a\":".repeat(100_000),
  "9".repeat(100_000),
  `{${Array.from({ length: 120_000 }, (_, i) => `"${i}":0`).join(",")}}`
]

describe("the example of an analyzer", () => {
  it("is bundled into one module without imports, the same wherever that is done, and the script says how to pin it", () => {
    const { path, printed, sha256, source } = bundle
    assert.notMatch(source, /\bimport\b|\brequire\b|\bprocess\b/)
    assert.match(source, /export \{\s*analyze\s*\}/)
    assert.include(printed, sha256)
    assert.deepStrictEqual(JSON.parse(printed.slice(printed.indexOf("{"))), { hound: { analyzer: { path, sha256 } } })
    assert.strictEqual(bundled().sha256, sha256)
  })

  it("gives its verdict on good and on hostile JSON", async () => {
    const { analyze } = await import(pathToFileURL(bundle.path).href) as Analyzer
    for (const text of good) assert.strictEqual(await analyze(utf8(text).buffer, facts(utf8(text))), "complete", text)
    for (const text of hostile)
      assert.strictEqual(await analyze(utf8(text).buffer, facts(utf8(text))), "error", text.slice(0, 60))
  })

  it("RFC H2 gives the same verdicts in a hound", async () => {
    const texts = [...good, ...hostile, "{}"]
    const result = await verdictsOf(texts.map((text) => ({ bytes: utf8(text) })), bundle)
    if (result === null) return
    const expected = [...good.map(() => "complete"), ...hostile.map(() => "error"), "complete"]
    assert.deepStrictEqual(result.verdicts, expected)
    assert.strictEqual(result.words, "")
  }, 120_000)

  it("is run by a Tracehound, by its own main.ts", () => {
    const output = execFileSync(process.execPath, ["--import", "tsx", "examples/analyzer/main.ts"], {
      cwd: root,
      encoding: "utf8",
      timeout: 100_000
    })
    const sandbox = /the sandbox in effect: (\w+)/.exec(output)?.[1]
    if (sandbox === "none") {
      console.error("no hounds on this machine: the example only held its evidence")
      assert.notStrictEqual(process.env["CI"], "true")
      return
    }
    assert.match(output, /"admin".*: escalated/)
    assert.include(output, "examined: 1, could not be examined: 3, still held: 4")
  }, 120_000)
})

describe("its scanner", () => {
  it("measures what is there", () => {
    assert.deepStrictEqual(shapeOf("{\"a\":[1,{\"bb\":\"ccc\",\"bb\":12345678901234567890}],\"d\":1e999}"), {
      status: "json",
      scanned: 58,
      depth: 3,
      objects: 2,
      arrays: 1,
      keys: 4,
      mostKeys: 2,
      duplicateKeys: 1,
      dangerousKeys: 0,
      longestString: 3,
      longestNumber: 20,
      inexactNumbers: 2
    })
  })

  it("stops at its bounds, having gone no further", () => {
    const deep = scan(utf8("[".repeat(100_000)))
    assert.deepStrictEqual([deep.status, deep.depth, deep.scanned], ["unbounded", 256, 256])
    const many = `[${"{\"a\":0},".repeat(200_000)}0]`
    const wide = scan(utf8(many))
    assert.deepStrictEqual([wide.status, wide.keys], ["unbounded", defaultBounds.keys + 1])
  })

  it.prop("takes what JSON.parse takes", { json: Arbitrary.schema(Schema.Json), seed: Seed }, ({ json, seed }) => {
    const { below, chance, pick } = random(seed)
    let text = JSON.stringify(json, null, pick([0, 1, 2]))
    for (let n = chance(0.3) ? 0 : 1 + below(3); n > 0; n--) {
      const at = below(text.length + 1)
      text = text.slice(0, at) +
        pick(["", "\"", "\\", "\\u00", "0", "-", ".", "e", ",", ":", "]", "}", "\n", "\v", "x"]) +
        text.slice(at + below(3))
    }
    let isJson = true
    try {
      JSON.parse(text)
    } catch {
      isJson = false
    }
    assert.strictEqual(shapeOf(text).status, isJson ? "json" : "notJson", text)
  }, { arbitrary: { runs: 3000 } })
})
