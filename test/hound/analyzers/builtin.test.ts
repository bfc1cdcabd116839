/**
 * The built-in analyzer as a whole: what evidence is, whether it is what it is said to be, and what
 * it answers.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as zlib from "node:zlib"
import { seal } from "../../../src/custody/evidence/Envelope.ts"
import { analyze, checkEnvelope, examine, profile, typeOf } from "../../../src/hound/analyzers/builtin.mjs"
import { type EvidenceFacts } from "../../../src/hound/index.ts"
import { hash, unbase64, vectors } from "../../custody/evidence/envelopes.ts"
import { random, Seed } from "../../support/random.ts"
import { anything, bytesOf, deflated, stored, tarEntry, tarOf, u32, zipOf } from "./streams.ts"

const digestOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")
const factsOf = (bytes: Uint8Array): EvidenceFacts => ({
  category: "injection",
  severity: "critical",
  size: bytes.length,
  sha256: digestOf(bytes)
})
const verdict = async (bytes: Uint8Array, facts: Partial<EvidenceFacts> = {}) =>
  analyze(Uint8Array.from(bytes).buffer, { ...factsOf(bytes), ...facts })

const types: ReadonlyArray<readonly [type: string, bytes: Uint8Array | string]> = [
  ["empty", ""],
  ["gzip", zlib.gzipSync("a")],
  ["zip", zipOf([stored("a", "b")])],
  ["zip", zipOf([])],
  ["zlib", zlib.deflateSync("something")],
  ["zstd", zlib.zstdCompressSync("something")],
  ["bzip2", "BZh91AY&SY"],
  ["text", "BZhello"],
  ["xz", "\xfd7zXZ\0\0\x04"],
  ["7z", "7z\xbc\xaf\x27\x1c\0\x04"],
  ["rar", "Rar!\x1a\x07\x01\0"],
  ["tar", tarOf(tarEntry("a", "b"))],
  ["png", "\x89PNG\r\n\x1a\n"],
  ["jpeg", "\xff\xd8\xff\xe0"],
  ["gif", "GIF89a"],
  ["webp", "RIFF\0\0\0\0WEBPVP8 "],
  ["binary", "RIFF\0\0\0\0WAVEfmt "],
  ["pdf", "%PDF-1.7"],
  ["pdf", `${"\r\n".repeat(500)}%PDF-1.7`],
  ["elf", "\x7fELF\x02\x01\x01"],
  ["pe", bytesOf("MZ", new Uint8Array(58), u32(64), "PE\0\0")],
  ["text", "MZ is two letters"],
  ["mach-o", "\xcf\xfa\xed\xfe"],
  ["mach-o", "\xca\xfe\xba\xbe\0\0\0\x02"],
  ["class", "\xca\xfe\xba\xbe\0\0\0\x3d"],
  ["wasm", "\0asm\x01\0\0\0"],
  ["script", "#!/bin/sh\nid\n"],
  ["envelope", "THEV\x01"],
  ["html", "  <!DOCTYPE html><p>"],
  ["html", "<html lang=en>"],
  ["html", "<script>alert(1)</script>"],
  ["xml", "<?xml version='1.0'?><a/>"],
  ["xml", "<soap:Envelope>"],
  ["text", "<3"],
  ["json", "{\"a\":1}"],
  ["json", " [1, 2]\n"],
  ["json", "{}"],
  ["json", "[true]"],
  ["text", "{{template}}"],
  ["text", "{\"a\":1"],
  ["form", "user=admin%27&pass=+x"],
  ["text", "user=admin'&pass=x"],
  ["text", "a%3"],
  ["multipart", "--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--x--"],
  ["text", "-- a comment of SQL"],
  ["text", "' OR 1=1 --"],
  ["text", "\xc3\xa9t\xc3\xa9"],
  ["binary", "\xc3"],
  ["binary", "\xc0\x80"],
  ["binary", "\xed\xa0\x80"],
  ["binary", "\xf4\x90\x80\x80"],
  ["utf-16", "\xff\xfeh\0i\0"],
  ["utf-16", "\xfe\xff\0h\0i"],
  ["utf-16", "S\0E\0L\0E\0C\0T\0"],
  ["binary", "\0\0\0\0"]
]

describe("the type", () => {
  it.each(types)("%s %#", (type, bytes) => assert.strictEqual(typeOf(bytesOf(bytes)), type))

  it("UTF-8 is text where the first 64 KiB end in the middle of a character", () => {
    for (const lead of [0, 1, 2, 3]) {
      const long = new TextEncoder().encode(`${" ".repeat(65_536 - lead)}\u{1f600} and on`)
      assert.strictEqual(typeOf(long), "text")
      assert.strictEqual(typeOf(bytesOf("x".repeat(65_536 - lead), [0xf0, 0x9f])), lead >= 2 ? "binary" : "text")
    }
  })

  it.prop("UTF-8 is what TextDecoder takes", { seed: Seed }, ({ seed }) => {
    const { below, pick } = random(seed)
    const bytes = Uint8Array.from(
      { length: 1 + below(6) },
      () => pick([0x41, 0x80, 0xbf, 0x9f, 0xa0, 0x8f, 0x90, 0xc2, 0xc1, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff])
    )
    let isUtf8 = true
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes)
    } catch {
      isUtf8 = false
    }
    // Before them a letter, so that they are no magic number.
    assert.strictEqual(typeOf(bytesOf("'", bytes)), isUtf8 ? "text" : "binary")
  }, { arbitrary: { runs: 2500 } })
})

describe("the profile", () => {
  it.each<readonly [string, Uint8Array, number]>([
    ["nothing", new Uint8Array(0), 0],
    ["one byte", new Uint8Array(1), 0],
    ["one value", new Uint8Array(100_000).fill(65), 0],
    ["two values", Uint8Array.from({ length: 100_000 }, (_, i) => i & 1), 1],
    ["three to one", Uint8Array.from({ length: 400 }, (_, i) => i & 3 ? 0 : 1), 0.8112781244591328],
    ["every byte once", Uint8Array.from({ length: 256 }, (_, i) => i), 8]
  ])("entropy of %s", (_name, bytes, entropy) => {
    assert.closeTo(profile(bytes).entropy, entropy, 1e-12)
  })

  it("says which part has the least and the most of it", () => {
    const { below } = random(1)
    const noise = Uint8Array.from({ length: 65_536 }, () => below(256))
    const of = profile(bytesOf(new Uint8Array(65_536), noise, noise.subarray(0, 10)))
    assert.deepStrictEqual([of.windows, of.lowest], [3, 0])
    assert.isAbove(of.highest, 7.99)
    assert.isFalse(of.looksRandom)
    assert.strictEqual(profile(noise).type, "random")
    assert.strictEqual(profile(noise.subarray(0, 1000)).type, "binary")
    assert.isFalse(profile(bytesOf("All work and no play makes Jack a dull boy.\n".repeat(100))).looksRandom)
  })
})

describe("integrity", () => {
  it("RFC H7 evidence with the size and digest of its custody is complete, any other is an error", async () => {
    const bytes = bytesOf("' OR 1=1 --")
    assert.strictEqual(await verdict(bytes), "complete")
    assert.strictEqual(await verdict(bytes, { sha256: null }), "complete")
    assert.strictEqual(await verdict(bytes, { size: bytes.length + 1 }), "error")
    assert.strictEqual(await verdict(bytes, { size: bytes.length - 1, sha256: null }), "error")
    assert.strictEqual(await verdict(bytes, { sha256: digestOf(bytesOf("' OR 1=2 --")) }), "error")
    assert.strictEqual(await verdict(bytes, { sha256: digestOf(bytes).toUpperCase() }), "error")
    assert.strictEqual(await verdict(bytes, { sha256: "" }), "error")
    assert.strictEqual(await verdict(new Uint8Array(0)), "complete")
  })

  it("refusals are errors, and all that could be examined is complete", async () => {
    assert.strictEqual(await verdict(zlib.gzipSync(new Uint8Array(20_000_000))), "error")
    assert.strictEqual(await verdict(zipOf([{ ...deflated("a", "b"), crc: 1 }])), "error")
    assert.strictEqual(await verdict(zlib.gzipSync("a").subarray(0, 15)), "complete")
    for (const [, bytes] of types) assert.strictEqual(await verdict(bytesOf(bytes)), "complete")
  })

  it.effect.prop(
    "anything at all gets one of two answers, twice the same",
    { seed: Seed },
    ({ seed }) =>
      Effect.promise(async () => {
        const choice = random(seed)
        const bytes = anything(choice, 3000)
        const answer = await verdict(bytes)
        assert.oneOf(answer, ["complete", "error"])
        assert.strictEqual(await verdict(bytes), answer)
      })
  )
})

/** The codec of an envelope, by its header; a body under these is opened. */
const isOpened = (envelope: Uint8Array): boolean => envelope[5] === 0 || envelope[5] === 1
const foreign = ["not_an_envelope", "unknown_version", "unknown_codec"]

describe("Tracehound's own envelopes", () => {
  it.each(vectors.good)("RFC E6 holds: $name", async ({ envelope, evidence }) => {
    const bytes = unbase64(envelope)
    const { content, outcome } = await checkEnvelope(bytes)
    assert.strictEqual(outcome, "sound")
    if (isOpened(bytes)) assert.strictEqual(Buffer.from(content ?? []).toString("base64"), evidence)
    assert.strictEqual(await verdict(bytes), "complete")
  })

  it.each(vectors.bad)("RFC E6 does not hold: $name", async ({ envelope, needs, reason }) => {
    const bytes = unbase64(envelope)
    const { outcome } = await checkEnvelope(bytes)
    if (foreign.includes(reason)) assert.strictEqual(outcome, "none")
    // Their limit is a reader's; what is in a body under zstd or brotli is not looked at.
    else if (reason === "too_large" || !(needs === undefined || isOpened(bytes))) assert.notStrictEqual(outcome, "none")
    else {
      assert.oneOf(outcome, ["broken", "bomb"])
      assert.strictEqual(await verdict(bytes), "error")
    }
  })

  it("the evidence in an envelope is opened like any other", async () => {
    const record = (evidence: Uint8Array) => ({
      signature: `malware:${digestOf(evidence)}`,
      hash: digestOf(evidence),
      category: "malware" as const,
      severity: "high" as const,
      size: evidence.length,
      captured: 1,
      scent: { id: "1", source: "192.0.2.1", timestamp: 1 }
    })
    const liar = zipOf([{ ...deflated("a", "b"), crc: 1 }])
    const gzipped = new Uint8Array(zlib.gzipSync(liar))
    assert.strictEqual((await examine(seal(record(liar), "stored", liar, hash))).refusal, "lies")
    assert.strictEqual((await examine(seal(record(liar), "gzip", gzipped, hash))).refusal, "lies")
    const bomb = new Uint8Array(20_000_000)
    const envelope = seal(record(bomb), "gzip", new Uint8Array(zlib.gzipSync(bomb)), hash)
    assert.strictEqual((await examine(envelope)).refusal, "bomb")
    // Too long to be held for its hash: its CRC and its length are right.
    const large = Uint8Array.from({ length: 5_000_000 }, (_, i) => (i * 2_654_435_761) >>> 13)
    const big = seal(record(large), "gzip", new Uint8Array(zlib.gzipSync(large)), hash)
    assert.deepStrictEqual(await checkEnvelope(big), { outcome: "sound", content: null })
  })
})

describe("the module", () => {
  const source = readFileSync(
    fileURLToPath(new URL("../../../src/hound/analyzers/builtin.mjs", import.meta.url)),
    "utf8"
  )

  it("RFC H2 imports nothing, and asks for nothing that is not there inside a hound", () => {
    assert.notMatch(
      source,
      /^\s*import\b|\bimport\(|\brequire\(|\bprocess\b\.|\bBuffer\b|\bconsole\b|\bWebAssembly\b|\bperformance\b/m
    )
  })

  it("runs no regular expression, and nothing that calls itself, over evidence", () => {
    assert.notMatch(source, /new RegExp|\.(?:match|matchAll|replace|replaceAll|search|test)\(/)
    for (const [, name = ""] of source.matchAll(/^(?:export )?const (\w+) = (?:async )?\(/gm)) {
      const from = source.search(new RegExp(`^(?:export )?const ${name} = `, "m"))
      const end = source.slice(from + 1).search(/^(?:export )?(?:const|for|let) /m)
      const body = source.slice(source.indexOf("=>", from), end < 0 ? undefined : from + 1 + end)
      assert.notMatch(body, new RegExp(`\\b${name}\\(`), name)
    }
  })
})
