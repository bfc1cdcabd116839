import { assert, describe, it } from "@effect/vitest"
import * as zlib from "node:zlib"
import { type FrameEnd, type FramePart, header, trailer } from "../../../src/host/node/GzipFrame.ts"

/** What the part says of these bytes, given one by one, and how many it took. */
const byOne = (part: FramePart, bytes: ReadonlyArray<number>): { readonly taken: number; readonly end?: FrameEnd } => {
  for (const [i, byte] of bytes.entries()) {
    const end = part(Uint8Array.of(byte))
    if (end !== undefined) return { taken: i + 1, end }
  }
  return { taken: bytes.length }
}

const begin = (flags: number) => [0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 0xff]
const name = [...Buffer.from("name"), 0]

/** A header with every optional field (RFC 1952, 2.3), its own CRC included. */
const full = (): ReadonlyArray<number> => {
  const bytes = [...begin(0x1e), 2, 0, 7, 7, ...name, ...name]
  const crc = zlib.crc32(Uint8Array.from(bytes))
  return [...bytes, crc & 0xff, (crc >>> 8) & 0xff]
}

describe("header", () => {
  it("takes the ten bytes of a header without options, and no more", () => {
    assert.deepStrictEqual(header()(Uint8Array.from([...begin(0), 1, 2, 3])), { consumed: 10, mistake: undefined })
  })

  it("takes every optional field, whole or byte by byte", () => {
    const bytes = full()
    assert.deepStrictEqual(header()(Uint8Array.from([...bytes, 1])), { consumed: bytes.length, mistake: undefined })
    assert.deepStrictEqual(byOne(header(), bytes), { taken: bytes.length, end: { consumed: 1, mistake: undefined } })
  })

  it("tells what is no gzip at all from a damaged header", () => {
    const cases: ReadonlyArray<readonly [ReadonlyArray<number>, FrameEnd["mistake"]]> = [
      [[0x50], "foreign"],
      [[0x1f, 0x50], "foreign"],
      [[0x1f, 0x8b, 7, 0], "corrupt"],
      [[0x1f, 0x8b, 8, 0x20], "corrupt"],
      [[...full().slice(0, -1), 0xaa], "corrupt"]
    ]
    for (const [bytes, mistake] of cases)
      assert.strictEqual(header()(Uint8Array.from(bytes))?.mistake, mistake, bytes.join(" "))
  })

  it("rejects a name that is longer than 64 KiB", () => {
    const part = header()
    assert.isUndefined(part(Uint8Array.from([...begin(8), ...new Uint8Array(65_536).fill(65)])))
    assert.strictEqual(part(Uint8Array.of(65))?.mistake, "corrupt")
  })
})

describe("trailer", () => {
  it("takes CRC and size, the lowest byte first, across chunks", () => {
    const part = trailer(0x0403_0201, 0x0807_0605)
    assert.isUndefined(part(Uint8Array.of(1, 2, 3)))
    assert.deepStrictEqual(part(Uint8Array.of(4, 5, 6, 7, 8, 9)), { consumed: 5, mistake: undefined })
  })

  it("finds a wrong CRC and a wrong size at the byte", () => {
    for (let at = 0; at < 8; at++) {
      const bytes = [1, 2, 3, 4, 5, 6, 7, 8]
      bytes[at] = 0xee
      const end = trailer(0x0403_0201, 0x0807_0605)(Uint8Array.from(bytes))
      assert.deepStrictEqual(end, { consumed: at + 1, mistake: "corrupt" })
    }
  })
})
