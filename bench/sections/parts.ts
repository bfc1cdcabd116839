/**
 * Parts of Tracehound that are no line of `intercept` by themselves.
 */
import * as Effect from "effect/Effect"
import { randomUUID } from "node:crypto"
import { sha256 } from "../floors.ts"
import type { Line, Row } from "../goals.ts"
import { type Measure, measureLines, measureValues } from "../measure.ts"
import { changingBytes, sources } from "../payloads.ts"
import { hostNanoseconds } from "../runner.ts"
import { median } from "../statistics.ts"

const sourceKeys = (of: ReadonlyArray<string>) => async () => {
  const { sourceKey } = await import("../../src/intake/gate/SourceKey.ts")
  const mask = of.length - 1
  return { run: (i: number) => sourceKey(of[i & mask] ?? "") }
}

const services = async () => (await import("../services.ts")).services()

const record = {
  signature: `injection:${"ab".repeat(32)}`,
  hash: "ab".repeat(32),
  category: "injection",
  severity: "low",
  size: 1024,
  captured: 1_760_000_000_000,
  scent: { id: "request-1", source: "192.0.2.1", timestamp: 1_760_000_000_000 }
} as const

/**
 * What the caller waits for, and what the main thread does in all: ns for each of `count` small
 * pieces of evidence.
 */
const compress = async (count: number): Promise<{ readonly call: number; readonly all: number }> => {
  const { compression } = await services()
  const bytes = changingBytes(256)
  const processor = process.threadCpuUsage()
  const start = hostNanoseconds()
  const compressing = Array.from({ length: count }, (_, i) => compression.compressUnsafe("gzip", bytes(i)))
  const call = (hostNanoseconds() - start) / count
  await Effect.runPromise(
    Effect.forEach(compressing, (compressed) => compressed, { concurrency: "unbounded", discard: true })
  )
  const { system, user } = process.threadCpuUsage(processor)
  return { call, all: (system + user) * 1000 / count }
}

export const measure: Measure = async (context): Promise<ReadonlyArray<Row>> => {
  const isValue = ({ unit }: Line): boolean => unit !== undefined
  const timed = await measureLines({ ...context, lines: context.lines.filter((line) => !isValue(line)) }, {
    "source key, IPv4": sourceKeys(sources(256)),
    "source key, IPv6": sourceKeys(Array.from({ length: 256 }, (_, i) => `2001:db8:0:${i.toString(16)}::1`)),
    "source key, a name": sourceKeys(sources(256, "user-")),
    "crypto.randomUUID": () => ({ run: () => randomUUID() }),
    "secure id as text": async () => {
      const { ids } = await services()
      return { run: () => ids.next() }
    },
    "secure id as bytes": async () => {
      const { ids } = await services()
      const target = new Uint8Array(20)
      return { run: (i) => ids.nextInto(target, 1_760_000_000_000 + (i >>> 10)) }
    },
    "SHA-256 of 1 KiB": () => {
      const bytes = changingBytes(1024)
      return { run: (i) => sha256(bytes(i)) }
    },
    "sealing an envelope, 1 KiB": async () => {
      const { seal } = await import("../../src/custody/evidence/Envelope.ts")
      const { hash } = await services()
      const bytes = changingBytes(1024)
      return { run: (i) => seal(record, "stored", bytes(i), hash) }
    }
  })
  const values = context.lines.filter(isValue)
  if (values.length === 0) return timed
  const readings: Array<{ readonly call: number; readonly all: number }> = []
  const compressed = async (of: "call" | "all"): Promise<number> => {
    // The first two are the warm-up: threads start, code is compiled.
    for (let run = readings.length; run < (context.quick ? 5 : 13); run++) readings.push(await compress(2000))
    return median(readings.slice(2).map((reading) => reading[of]))
  }
  return [
    ...timed,
    ...await measureValues({ ...context, lines: values }, {
      "compressing 256 B: the call": () => compressed("call"),
      "compressing 256 B: main thread in all": () => compressed("all")
    })
  ]
}
