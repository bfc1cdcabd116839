/**
 * The built-in analyzer opens archives within its bounds, and refuses bombs and archives that lie.
 */
import { assert, describe, it } from "@effect/vitest"
import * as zlib from "node:zlib"
import { examine, limits, makeWork, maxLevels, probe } from "../../../src/hound/analyzers/builtin.mjs"
import { random, Seed } from "../../support/random.ts"
import { gzipOfZeros, withZip64, xzOf } from "./archives.ts"
import {
  anything,
  bytesOf,
  centralOf,
  deflated,
  type Entry,
  localOf,
  stored,
  tarEntry,
  tarOf,
  u16,
  u32,
  u64,
  zipEnd,
  zipOf
} from "./streams.ts"

const text = "The quick brown fox jumps over the lazy dog.\n".repeat(40)
const gzip = (content: Uint8Array | string) => new Uint8Array(zlib.gzipSync(content))
const outcome = (bytes: Uint8Array) => probe(bytes).outcome

const streamed = (descriptor: (entry: Entry) => Uint8Array): Entry => {
  const entry = deflated("a.txt", text)
  return { ...entry, flags: 8, local: { crc: 0, csize: 0, usize: 0 }, descriptor: descriptor(entry) }
}

/** A zip in the manner of Fifield's: several entries of the directory share one body. */
const shared = (n: number): Uint8Array => {
  const entry = deflated("a", new Uint8Array(100_000))
  return zipOf(
    [entry, ...Array.from({ length: n }, () => ({ ...entry, offset: 0 }))].map((one, i) =>
      i === 0 ? one : { ...one, data: new Uint8Array(0) }
    )
  )
}

/**
 * The same with quoted headers: each entry's stream is a stored block of the next entry's header,
 * and then the next one's stream.
 */
const quoted = (n: number): Uint8Array => {
  const kernel = zlib.deflateRawSync(new Uint8Array(100_000))
  const entries: Array<Entry> = []
  let body: Uint8Array = bytesOf(kernel)
  let size = 100_000
  const offsets: Array<number> = []
  for (let i = n - 1; i >= 0; i--) {
    const entry: Entry = {
      name: String(i),
      data: body,
      method: 8,
      csize: body.length,
      usize: size,
      crc: zlib.crc32(zlib.inflateRawSync(body))
    }
    const local = localOf(entry)
    entries.unshift(entry)
    offsets.unshift(local.length)
    const header = local.length - body.length
    body = bytesOf([0], u16(header), u16(~header & 0xffff), local)
    size += header
  }
  // All of it is in the outermost entry: the others begin within its body.
  const outermost = localOf(entries[0] ?? assert.fail())
  const total = outermost.length
  const directory = bytesOf(...entries.map((entry, i) => centralOf(entry, total - (offsets[i] ?? 0))))
  return bytesOf(outermost, directory, zipEnd(entries.length, directory.length, total))
}

/** In the manner of 42.zip: each level is a zip of sixteen times the one below it. */
const fortyTwo = (levels: number): Uint8Array => {
  let content: Uint8Array = new Uint8Array(4_000_000)
  for (let level = 0; level < levels; level++)
    content = zipOf(Array.from({ length: 16 }, (_, i) => deflated(`${i}.zip`, content)))
  return content
}

const sound: ReadonlyArray<readonly [string, Uint8Array]> = [
  ["nothing", new Uint8Array(0)],
  ["text", bytesOf(text)],
  ["gzip", gzip(text)],
  ["gzip of nothing", gzip("")],
  ["gzip of several members", bytesOf(gzip(text), gzip(""), gzip(text))],
  ["gzip and padding", bytesOf(gzip(text), new Uint8Array(512))],
  ["gzip in gzip", gzip(gzip(text))],
  ["gzip at the last level that is opened", gzip(gzip(gzip(text)))],
  ["zlib", new Uint8Array(zlib.deflateSync(text))],
  ["zlib within gzip at any level", gzip(gzip(gzip(zlib.deflateSync(text))))],
  ["zip of nothing", zipOf([])],
  ["zip", zipOf([stored("a", text), deflated("b/c", text), stored("d/", "")])],
  ["zip with a comment", zipOf([deflated("a", text)], "what a comment")],
  ["zip after a program", bytesOf("#!/bin/sh\n", zipOf([deflated("a", text)]))],
  ["text that names the end of a zip", bytesOf("it ends with PK\x05\x06", new Uint8Array(18).fill(0x20))],
  [
    "zip with data descriptors",
    zipOf([streamed(({ crc = 0, csize = 0, usize = 0 }) => bytesOf("PK\x07\x08", u32(crc), u32(csize), u32(usize)))])
  ],
  [
    "zip with data descriptors without a signature",
    zipOf([streamed(({ crc = 0, csize = 0, usize = 0 }) => bytesOf(u32(crc), u32(csize), u32(usize)))])
  ],
  [
    "zip with wide data descriptors",
    zipOf([streamed(({ crc = 0, csize = 0, usize = 0 }) => bytesOf("PK\x07\x08", u32(crc), u64(csize), u64(usize)))])
  ],
  ["zip64", withZip64()],
  ["zip in zip", zipOf([stored("a.zip", zipOf([deflated("b", text)]))])],
  ["zip with an entry that is encrypted", zipOf([{ ...deflated("a", text), flags: 1, crc: 7 }])],
  ["zip with a method that is not opened", zipOf([{ ...deflated("a", text), method: 93 }])],
  ["tar", tarOf(tarEntry("a", text), tarEntry("d/", "", null, "5"), tarEntry("b", ""))],
  ["tar in gzip", gzip(tarOf(tarEntry("a", text)))],
  ["tar with an archive", tarOf(tarEntry("a.gz", gzip(text)), tarEntry("b.zip", zipOf([deflated("a", text)])))],
  ["tar, gzip, zip and tar", gzip(tarOf(tarEntry("a", zipOf([deflated("a", gzip(tarOf(tarEntry("a", text))))]))))],
  ["tar with a link that has a size", tarOf(tarEntry("l", "", "00000001000\0", "1"), tarEntry("a", text))],
  ["tar with a size in base 256", tarOf(tarEntry("a", "abc", "\x80\0\0\0\0\0\0\0\0\0\0\x03"))],
  ["zstd", new Uint8Array(zlib.zstdCompressSync(text))],
  ["xz", xzOf(2000)],
  [
    "a tar in a gzip of which no more than a part is kept",
    gzip(tarOf(tarEntry("a", anything(random(9), 600_000)), tarEntry("b", anything(random(8), 600_000))))
  ],
  [
    "a gzip in a zip of which no more than a part is kept",
    zipOf([deflated("a.gz", gzip(Uint8Array.from({ length: 700_000 }, (_, i) => (i * i) >>> 7)))])
  ]
]

const breaksOff: ReadonlyArray<readonly [string, Uint8Array]> = [
  ["gzip that is cut off", gzip(text).subarray(0, -12)],
  ["gzip without its trailer", gzip(text).subarray(0, -1)],
  ["the magic of gzip, and noise", bytesOf([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], "what?")],
  ["text that begins like zlib", bytesOf("x^2 + y^2 = z^2")],
  ["zip that is cut off", zipOf([deflated("a", text)]).subarray(0, -23)],
  ["tar that is cut off", tarEntry("a", text).subarray(0, 1000)],
  ["tar that says it is larger", tarOf(tarEntry("a", text, "77777777777\0"))],
  ["xz without its end", bytesOf("\xfd7zXZ\0", new Uint8Array(100))],
  ["zstd's magic", bytesOf([0x28, 0xb5, 0x2f, 0xfd])]
]

const flipped = (bytes: Uint8Array, at: number): Uint8Array => {
  const other = bytesOf(bytes)
  const index = at < 0 ? bytes.length + at : at
  other[index] = (other[index] ?? 0) ^ 1
  return other
}

const lies: ReadonlyArray<readonly [string, Uint8Array]> = [
  ["gzip with another CRC", flipped(gzip(text), -8)],
  ["gzip with another length", flipped(gzip(text), -4)],
  ["gzip whose second member lies", bytesOf(gzip(text), flipped(gzip(text), -4))],
  ["gzip with another CRC of its header", bytesOf([0x1f, 0x8b, 8, 2, 0, 0, 0, 0, 0, 3, 1, 2], gzip(text).subarray(10))],
  ["gzip that lies in gzip", gzip(flipped(gzip(text), -4))],
  ["zlib with another checksum", flipped(new Uint8Array(zlib.deflateSync(text)), -1)],
  ["zip with another CRC", zipOf([{ ...deflated("a", text), crc: 7 }])],
  ["zip whose stored entry has another CRC", zipOf([{ ...stored("a", text), crc: 7 }])],
  ["zip whose stored entry has two sizes", zipOf([{ ...stored("a", text), usize: 7 }])],
  ["zip that says it is smaller", zipOf([{ ...deflated("a", text), usize: 7 }])],
  ["zip that says it is larger", zipOf([{ ...deflated("a", text), usize: 1_000_000 }])],
  ["zip whose headers differ in size", zipOf([{ ...deflated("a", text), local: { usize: 7 } }])],
  ["zip whose headers differ in name", zipOf([{ ...deflated("a", text), local: { name: "b" } }])],
  ["zip whose headers differ in method", zipOf([{ ...deflated("a", text), local: { method: 0 } }])],
  ["zip without the data descriptor that it announces", zipOf([{ ...streamed(() => new Uint8Array(0)) }])],
  [
    "zip with a data descriptor that lies",
    zipOf([streamed(({ crc = 0, csize = 0 }) => bytesOf("PK\x07\x08", u32(crc), u32(csize), u32(1)))])
  ],
  [
    "zip with a stream that goes on",
    zipOf([{
      ...deflated("a", text),
      data: bytesOf(zlib.deflateRawSync(text), [0]),
      csize: zlib.deflateRawSync(text, { level: 9 }).length + 1
    }])
  ],
  ["zip whose entries share a body", shared(3)],
  ["zip with quoted headers", quoted(20)],
  ["zip with an entry beyond its end", zipOf([{ ...deflated("a", text), offset: 100_000 }])],
  ["zip that counts one entry more", bytesOf(zipOf([]).subarray(0, 8), u16(1), u16(1), new Uint8Array(10))],
  [
    "zip with two directories",
    (() => {
      const inner = zipOf([deflated("a", text)])
      return zipOf([deflated("b", text)], Buffer.from(inner).toString("latin1"))
    })()
  ],
  [
    "zip64 that contradicts the record it extends",
    (() => {
      const bytes = bytesOf(withZip64())
      bytes.set(u16(3), bytes.length - 14)
      bytes.set(u16(3), bytes.length - 12)
      return bytes
    })()
  ],
  ["xz with an index that is longer than it says", xzOf(2000, 100)],
  ["xz with an index that is not there", bytesOf(xzOf(2000).subarray(0, -8), u32(100), [0, 4], "YZ")],
  ["tar with noise where a header is to be", tarOf(tarEntry("a", text), bytesOf("x".repeat(512)))],
  ["tar with a size that is no number", tarOf(tarEntry("a", "", "0000000000z\0"))],
  ["tar with a size below zero", tarOf(tarEntry("a", "", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"))],
  ["a zip that lies in a tar in a gzip", gzip(tarOf(tarEntry("a", text), tarEntry("b", shared(2))))]
]

const bombs: ReadonlyArray<readonly [string, Uint8Array]> = [
  ["gzip of 20 MiB of zeros", gzip(new Uint8Array(20_971_520))],
  ["zlib of 20 MiB of zeros", new Uint8Array(zlib.deflateSync(new Uint8Array(20_971_520)))],
  ["zip of 20 MiB of zeros", zipOf([deflated("a", new Uint8Array(20_971_520))])],
  ["gzip of gzip of 20 MiB of zeros", gzip(gzip(new Uint8Array(20_971_520)))],
  ["many members of zeros", bytesOf(...Array.from({ length: 40 }, () => gzip(new Uint8Array(1_000_000))))],
  [
    "many entries of zeros",
    zipOf(Array.from({ length: 40 }, (_, i) => deflated(String(i), new Uint8Array(1_000_000))))
  ],
  ["a zip of zips of zips", fortyTwo(3)],
  ["a zip after something else", bytesOf("#!/bin/sh\n", zipOf([deflated("a", new Uint8Array(20_971_520))]))],
  ["a zip with a method that is not opened", zipOf([{ ...deflated("a", text), method: 93, usize: 0x7fffffff }])],
  ["xz that declares 2 MB", xzOf(2_000_000)],
  ["zstd that declares 1 GiB", bytesOf([0x28, 0xb5, 0x2f, 0xfd, 0xa0], u32(2 ** 30), [1, 0, 0])]
]

describe("the probe", () => {
  it.each(sound)("opens %s", (_name, bytes) => assert.strictEqual(outcome(bytes), "sound"))
  it.each(breaksOff)("lets pass %s", (_name, bytes) => assert.strictEqual(outcome(bytes), "broken"))
  it.each(lies)("refuses %s", (_name, bytes) => assert.strictEqual(outcome(bytes), "lies"))
  it.each(bombs)("does not go on with %s", (_name, bytes) => {
    const { outcome, output } = probe(bytes)
    assert.strictEqual(outcome, "bomb")
    // It came no further than the bound, and the piece in which it was passed.
    assert.isAtMost(output, Math.max(1_048_576, 200 * bytes.length) + 32_768)
  })

  it("does not go on with 1 GiB of zeros beyond its budget", () => {
    const bytes = gzipOfZeros(1024)
    assert.isBelow(bytes.length, 1_100_000)
    const { outcome, output, steps } = probe(bytes)
    assert.strictEqual(outcome, "budget")
    assert.isAtMost(output, limits(bytes.length).output + 32_768)
    assert.isAtMost(steps, limits(bytes.length).steps)
    assert.strictEqual(probe(gzipOfZeros(1)).outcome, "lies")
  })

  it("opens three levels of archives and refuses a fourth", () => {
    let bytes = gzip(text)
    for (let level = 1; level <= 6; level++) {
      assert.strictEqual(outcome(bytes), level <= maxLevels ? "sound" : "deep", String(level))
      bytes = level % 2 === 0 ? gzip(bytes) : zipOf([deflated("a", bytes)])
    }
    assert.strictEqual(outcome(tarOf(tarEntry("a", tarOf(tarEntry("b", tarOf(tarEntry("c", text))))))), "sound")
    const four = tarOf(tarEntry("a", tarOf(tarEntry("b", tarOf(tarEntry("c", tarOf(tarEntry("d", text))))))))
    assert.strictEqual(outcome(four), "deep")
  })

  it("counts the entries that it is ready to open", () => {
    const entry = stored("", "")
    const local = localOf(entry)
    const directory = bytesOf(...Array.from({ length: 66_000 }, (_, i) => centralOf(entry, i * 30)))
    const bytes = bytesOf(...Array.from({ length: 66_000 }, () => local), directory)
    const many = bytesOf(
      bytes,
      "PK\x06\x06",
      u64(44),
      u32(0),
      u32(0),
      u32(0),
      u64(66_000),
      u64(66_000),
      u64(directory.length),
      u64(66_000 * 30),
      "PK\x06\x07",
      u32(0),
      u64(bytes.length),
      u32(1),
      zipEnd(0xffff, 0xffffffff, 0xffffffff)
    )
    assert.strictEqual(outcome(many), "budget")
  })

  it("an archive that is cut off anywhere comes to an end, and is refused only where the rest contradicts itself", () => {
    for (const [name, bytes] of [...sound, ...lies, ...breaksOff]) {
      const step = Math.max(1, Math.floor(bytes.length / 150))
      for (let end = 0; end < bytes.length; end += step)
        assert.oneOf(outcome(bytes.subarray(0, end)), ["sound", "broken", "lies"], `${name}, ${end} bytes of it`)
    }
    const cut = gzip(text)
    for (let end = 0; end < cut.length; end++) assert.oneOf(outcome(cut.subarray(0, end)), ["sound", "broken"])
  })

  it.prop("any change to any of these comes to an end within what may be spent", { seed: Seed }, ({ seed }) => {
    const { below, pick } = random(seed)
    const all = [...sound, ...lies, ...breaksOff] as const
    const [, original] = all[below(all.length)] ?? assert.fail()
    const bytes = bytesOf(original)
    for (let n = below(5); n >= 0; n--) bytes[below(bytes.length)] = pick([0, 1, 0xff, 0x7f, below(256)])
    const { output, steps } = probe(bytes)
    assert.isAtMost(output, limits(bytes.length).output + 32_768)
    assert.isAtMost(steps, 2 * output + 300 * bytes.length + 100_000)
  }, { arbitrary: { runs: 3000 } })

  it("64 KiB behind each magic number, and 64 KiB of noise, are gone through within so much for each byte", async () => {
    const { below } = random(3)
    const noise = Uint8Array.from({ length: 65_536 }, () => below(256))
    const magics = [
      "",
      "\x1f\x8b\x08\0",
      "PK\x03\x04",
      "PK\x05\x06",
      "x\x9c",
      "\x28\xb5\x2f\xfd",
      "\xfd7zXZ\0",
      "BZh9",
      "THEV\x01\0",
      "\x7fELF",
      "MZ",
      "%PDF-",
      "{",
      "<!doctype ",
      "--"
    ]
    for (const magic of magics) {
      for (const filler of [noise, new Uint8Array(65_536), bytesOf(magic.repeat(65_536).slice(0, 65_536))]) {
        const bytes = bytesOf(magic, filler)
        const { probe } = await examine(bytes)
        if (probe !== null) assert.isAtMost(probe.steps, 10 * bytes.length + 2 * probe.output, JSON.stringify(magic))
      }
    }
  })

  it("members, entries and headers by the thousand are each gone through once", () => {
    const many: ReadonlyArray<Uint8Array> = [
      bytesOf(...Array.from({ length: 20_000 }, () => gzip(""))),
      zipOf(Array.from({ length: 5000 }, (_, i) => deflated(String(i), ""))),
      zipOf(Array.from({ length: 3000 }, (_, i) => stored(String(i), gzip("")))),
      tarOf(...Array.from({ length: 2000 }, () => tarEntry("a", ""))),
      bytesOf([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3], "x".repeat(400_000)),
      bytesOf(...Array.from({ length: 20_000 }, () => "PK\x05\x06\0\0"))
    ]
    for (const bytes of many) {
      const { outcome, steps } = probe(bytes)
      assert.oneOf(outcome, ["sound", "broken", "lies"])
      assert.isBelow(steps, 30 * bytes.length)
    }
  })

  it("the budget of evidence is one for all archives in it", () => {
    const work = makeWork(1e9, { output: 300_000, steps: 1e9 })
    const content = anything(random(1), 200_000)
    const bytes = zipOf(Array.from({ length: 50 }, (_, i) => deflated(String(i), content)))
    assert.strictEqual(probe(bytes, work).outcome, "budget")
    assert.isAtMost(work.output, 300_000 + 32_768 + content.length)
  })
})
