/**
 * The audit chain: what a record costs, beside the one hash that it must cost, and how fast a chain
 * is verified.
 */
import { sha256 } from "../floors.ts"
import type { Line, Row } from "../goals.ts"
import { type Measure, measureLines, measureValues } from "../measure.ts"
import { changingBytes, threatScent } from "../payloads.ts"
import { hostNanoseconds } from "../runner.ts"
import { median } from "../statistics.ts"
import { roomyTracehound } from "../tracehounds.ts"

/** About what a record is in bytes. */
const recordBytes = 192

/** Of each eviction one record, until the chain keeps as many as it may. */
const recordsPerSecond = (records: number, runs: number): number => {
  const { auditChain, intercept } = roomyTracehound({ quarantine: { maxCount: 1 }, audit: { maxRecords: records } })
  const payload = changingBytes(64)
  const scent = threatScent(payload(0))
  for (let i = 0; i <= records; i++) {
    payload(i)
    intercept(scent)
  }
  const rates = Array.from({ length: runs }, () => {
    const start = hostNanoseconds()
    const { checked, valid } = auditChain.inspect()
    if (!valid || checked !== records) throw new Error(`verified ${checked} of ${records} records`)
    return checked / (hostNanoseconds() - start) * 1e9
  })
  return median(rates)
}

export const measure: Measure = async (context): Promise<ReadonlyArray<Row>> => {
  const isValue = ({ unit }: Line): boolean => unit !== undefined
  const timed = await measureLines({ ...context, lines: context.lines.filter((line) => !isValue(line)) }, {
    "one SHA-256 of a record": () => {
      const bytes = changingBytes(recordBytes)
      return { run: (i) => sha256(bytes(i)) }
    },
    append: async () => {
      const { services } = await import("../services.ts")
      const { chain } = await services()
      const digest = changingBytes(32)(1)
      const facts = {
        status: "evicted",
        severity: "low",
        purgeReason: null,
        category: "injection",
        size: 1024,
        compressedSize: null,
        timestamp: 1_760_000_000_000,
        id: changingBytes(20)(1),
        hash: digest,
        digest,
        destination: null
      } as const
      return { run: () => chain.append(facts) }
    }
  })
  const values = await measureValues({ ...context, lines: context.lines.filter(isValue) }, {
    verify: () => recordsPerSecond(context.quick ? 20_000 : 100_000, context.quick ? 5 : 11)
  })
  return [...timed, ...values]
}
