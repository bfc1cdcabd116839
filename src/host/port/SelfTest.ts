/**
 * Tries the ports of a host out, by questions whose answers are known (CONFORMANCE R5).
 *
 * A port that throws turns every threat away; one that gives wrong answers is worse, as nobody
 * notices: evidence under a wrong name, ids that anybody can guess, envelopes that nobody can open.
 * So a Tracehound tries out what custody needs before it takes anything in, and compression when it
 * starts; `tracehound doctor` tries out all of it.
 *
 * Cost: one pass over some hundred bytes for each port and codec, once.
 *
 * **Gotchas**
 *
 * - It finds a host that is broken, not one that lies: randomness may pass and be predictable.
 * - Time may stand still, as it does on a test's clock. Only `tryRunning` asks that it moves.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { textOf } from "../../domain/Hex.ts"
import type { Compression } from "./Compression.ts"
import { type Codec, CompressionError } from "./CompressionError.ts"
import type { Hash } from "./Hash.ts"
import type { Introspection } from "./Introspection.ts"
import type { Memory } from "./Memory.ts"
import type { MonotonicTime } from "./MonotonicTime.ts"
import type { Randomness } from "./Randomness.ts"
import { findSlots } from "./SlotTrial.ts"

/** What came of trying out one port, or one codec of compression. */
export interface PortReport {
  readonly port: string
  readonly holds: boolean
  /** The finding, in words. */
  readonly found: string
}

/** The ports that custody needs. */
export interface CustodyPorts {
  readonly hash: Hash["Service"]
  readonly introspection: Introspection["Service"]
  readonly memory: Memory["Service"]
  readonly monotonicTime: MonotonicTime["Service"]
  readonly randomness: Randomness["Service"]
}

/** What is wrong, or null. */
type Finding = string | null

const messageOf = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)

const report = (port: string, find: () => Finding): PortReport => {
  try {
    const wrong = find()
    return { port, holds: wrong === null, found: wrong ?? "gives the known answers" }
  } catch (cause) {
    return { port, holds: false, found: `fails: ${messageOf(cause)}` }
  }
}

/** The first thing that is wrong. Those behind it are not asked. */
const firstOf = (...findings: ReadonlyArray<() => Finding>): Finding => {
  for (const find of findings) {
    const wrong = find()
    if (wrong !== null) return wrong
  }
  return null
}

const unless = (holds: boolean, wrong: string): Finding => holds ? null : wrong

/** One report for each port of custody. Takes 64 bytes of randomness. */
export const tryCustody = (ports: CustodyPorts): ReadonlyArray<PortReport> => [
  report("hash", () => findHash(ports.hash)),
  report("randomness", () => findRandomness(ports.randomness)),
  report("memory", () => findMemory(ports.memory)),
  report("monotonic time", () => findTime(ports.monotonicTime)),
  report("introspection", () => findIntrospection(ports.introspection))
]

/** One report for each codec that the host names. */
export const tryCompression = (compression: Compression["Service"]): ReadonlyArray<PortReport> =>
  compression.codecs.map((codec) => report(`compression ${codec}`, () => findCodec(compression, codec)))

/** Readings of a clock after which it counts as stopped: some 10 ms. */
const patience = 1_000_000

/** Whether time moves by itself, as it must wherever no test owns it. */
export const tryRunning = ({ nowMs }: Pick<MonotonicTime["Service"], "nowMs">): PortReport =>
  report("monotonic time, running", () => {
    const begin = nowMs()
    for (let i = 0; i < patience; i++) if (nowMs() > begin) return null
    return "stands still"
  })

/** The same for one codec, by `compressUnsafe`, as evidence is compressed for cold storage. */
export const tryLater = (compression: Compression["Service"], codec: Codec): Effect.Effect<PortReport> => {
  const compressing = Effect.exit(Effect.suspend(() => compression.compressUnsafe(codec, sample)))
  return Effect.map(compressing, (exit) =>
    report(`compression ${codec}, in the background`, () => {
      if (Exit.isFailure(exit)) return `fails: ${messageOf(Cause.squash(exit.cause))}`
      return unless(isSame(compression.openSync(codec, exit.value, sample.length), sample), opensOtherwise)
    }))
}

const utf8 = new TextEncoder()

const sample: Uint8Array = utf8.encode("evidence, evidence, evidence")

const opensOtherwise = "opens what it compressed to other bytes"

const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")

const bytesOf = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16))

const isSame = (a: Uint8Array, b: Uint8Array): boolean => hexOf(a) === hexOf(b)

/** NIST's examples of SHA-256 (FIPS 180-4): of no block that is full, of one, and of two. */
const digests: ReadonlyArray<readonly [text: string, digest: string]> = [
  ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  [
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
  ]
]

const findHash = (hash: Hash["Service"]): Finding => {
  for (const [text, digest] of digests) {
    // A view into something larger, as the canonical bytes of a payload are.
    const around = utf8.encode(`<${text}>`)
    const message = around.subarray(1, -1)
    const target = new Uint8Array(40).fill(0xee)
    hash.sha256Into(message, target.subarray(4))
    const wrong = firstOf(
      () => unless(hash.sha256Hex(message) === digest, "gives a wrong SHA-256 as text"),
      () => unless(isSame(hash.sha256(message), bytesOf(digest)), "gives a wrong SHA-256 as bytes"),
      () => unless(hash.sha256Text(message) === textOf([...bytesOf(digest)]), "gives a wrong SHA-256 as characters"),
      () => unless(hexOf(target) === `eeeeeeee${digest}eeeeeeee`, "writes a wrong SHA-256 into memory"),
      () => unless(isSame(around, utf8.encode(`<${text}>`)), "changes what it hashes")
    )
    if (wrong !== null) return wrong
  }
  return findTimingSafeEqual(hash)
}

const findTimingSafeEqual = ({ timingSafeEqual }: Hash["Service"]): Finding => {
  const digest = bytesOf(digests[1]?.[1] ?? "")
  const isTold = (at: number): boolean => {
    const other = digest.slice()
    other[at] = (other[at] ?? 0) ^ 1
    return !timingSafeEqual(digest, other)
  }
  return firstOf(
    () => unless(timingSafeEqual(digest, digest.slice()), "takes equal digests for unequal ones"),
    () => unless(isTold(0) && isTold(digest.length - 1), "takes unequal digests for equal ones"),
    () => unless(!timingSafeEqual(digest, digest.subarray(1)), "takes digests of unequal length for equal ones")
  )
}

/** Bytes of a draw, and of the pieces that are compared: by chance two are equal in 2^-128. */
const drawBytes = 32
const pieceBytes = 16

const findRandomness = ({ fill }: Randomness["Service"]): Finding => {
  const pieces = [new Uint8Array(drawBytes), new Uint8Array(drawBytes)].flatMap((draw) => {
    fill(draw)
    return [hexOf(draw.subarray(0, pieceBytes)), hexOf(draw.subarray(pieceBytes))]
  })
  return firstOf(
    () => unless(!pieces.includes("00".repeat(pieceBytes)), "leaves memory as it was"),
    () => unless(new Set(pieces).size === pieces.length, "gives the same bytes twice")
  )
}

/** Ranges that hosts compare in different ways, from none to long. */
const ranges: ReadonlyArray<number> = [0, 1, 95, 96, 300]

const findMemory = ({ equal, writeUtf8 }: Memory["Service"]): Finding =>
  firstOf(() => findEqual(equal), () => findWriteUtf8(writeUtf8))

/** One, two, three and four bytes; the second text is of ASCII alone. */
const texts: ReadonlyArray<string> = ["a\u00e9\u20ac\u{1f600}", "evidence ".repeat(9)]

const findWriteUtf8 = (writeUtf8: Memory["Service"]["writeUtf8"]): Finding => {
  for (const text of texts) {
    const expected = utf8.encode(text)
    const { length } = expected
    const write = (room: number): readonly [written: number, memory: string] => {
      const around = new Uint8Array(length + 9).fill(0xee)
      return [writeUtf8(text, around.subarray(2), 3, room), hexOf(around)]
    }
    const [written, memory] = write(length)
    const wrong = firstOf(
      () => unless(written === length, "counts the bytes of a text wrongly"),
      () => unless(memory === `${"ee".repeat(5)}${hexOf(expected)}${"ee".repeat(4)}`, "writes a text as other bytes"),
      () => unless(write(length - 1)[0] === -1, "writes less than the text, and does not say so"),
      () => unless(write(length - 1)[1].endsWith("ee".repeat(5)), "writes a text past its room")
    )
    if (wrong !== null) return wrong
  }
  return null
}

const findEqual = (equal: Memory["Service"]["equal"]): Finding => {
  for (const length of ranges) {
    // All bytes around the range differ.
    const a = new Uint8Array(length + 9).fill(1)
    const b = new Uint8Array(length + 5).fill(2)
    for (let i = 0; i < length; i++) a[3 + i] = b[2 + i] = i
    if (!equal(a, 3, b, 2, length)) return "takes equal memory for unequal"
    for (const at of length === 0 ? [] : [0, length >> 1, length - 1]) {
      const before = b[2 + at] ?? 0
      b[2 + at] = before ^ 1
      if (equal(a, 3, b, 2, length)) return "takes unequal memory for equal"
      b[2 + at] = before
    }
  }
  return null
}

const findTime = ({ last, nowMs, tick }: MonotonicTime["Service"]): Finding => {
  const before = nowMs()
  tick()
  const between = last[0] ?? Number.NaN
  const after = nowMs()
  return firstOf(
    () => unless([before, between, after].every(Number.isFinite), "is no number"),
    () => unless(before <= between && between <= after, "goes back")
  )
}

/** What nobody may take for a Proxy: all of them would be the same evidence. */
const plain: ReadonlyArray<object> = [{}, [], new Map(), new Uint8Array(1), Object.create(null) as object]

const findIntrospection = ({ isProxy, slots }: Introspection["Service"]): Finding => {
  let traps = 0
  const handler = new Proxy({}, {
    get: () => {
      traps += 1
      return undefined
    }
  })
  isProxy(new Proxy({}, handler))
  return firstOf(
    () => unless(traps === 0, "runs the traps of a Proxy"),
    () => unless(plain.every((value) => !isProxy(value)), "takes plain objects for a Proxy"),
    () => slots === null ? null : findSlots(slots)
  )
}

/** `sample`, compressed by other programs; of `stored` it is the text itself. */
const streams: Readonly<Record<string, string>> = {
  gzip: "1f8b08000000000002034b2dcb4c49cd4b4ed55148c56001006c4896591c000000",
  zstd: "28b52ffd241c8d00005865766964656e63652c206501009d8b1782423bc8",
  brotli: "1b1b00f82500ca90614a0189fc17"
}

const findCodec = (compression: Compression["Service"], codec: Codec): Finding => {
  const { compressSync, openSync } = compression
  const known = streams[codec]
  const given = sample.slice()
  const form = compressSync(codec, given)
  return firstOf(
    () =>
      unless(
        isSame(known === undefined ? form : openSync(codec, bytesOf(known), sample.length), sample),
        "opens a known stream to other bytes"
      ),
    () => unless(isSame(openSync(codec, form, sample.length), sample), opensOtherwise),
    () => unless(isSame(given, sample), "changes what it compresses"),
    () => unless(isRefused(() => openSync(codec, form, sample.length - 1)), "gives back more than it may")
  )
}

const isRefused = (open: () => unknown): boolean => {
  try {
    open()
    return false
  } catch (cause) {
    return cause instanceof CompressionError && cause.reason === "too_large"
  }
}
