/**
 * The audit chain: what a record costs, beside the one hash that it must cost, and how fast a chain
 * is verified.
 */
import { sha256 } from "../floors.ts"
import { type Line, type Row, rowOf } from "../goals.ts"
import { type Measure, measureLines } from "../measure.ts"
import { changingBytes, threatScent } from "../payloads.ts"
import { type Nanoseconds, sink } from "../runner.ts"
import { median, ratiosOf } from "../statistics.ts"
import { roomyTracehound } from "../tracehounds.ts"

/** About what the text of a record is in bytes: what its hash covers. */
const recordBytes = 445

/** Verified or hashed so many a second, in each round. */
interface Rates {
  readonly verified: ReadonlyArray<number>
  readonly hashed: ReadonlyArray<number>
}

/**
 * Of each eviction one record, until the chain keeps as many as it may. Then it is verified and as
 * many hashes are made, in turns.
 */
const ratesOf = (records: number, rounds: number, now: Nanoseconds): Rates => {
  const { auditChain, intercept } = roomyTracehound({ quarantine: { maxCount: 1 }, audit: { maxRecords: records } })
  const payload = changingBytes(64)
  const scent = threatScent(payload(0))
  for (let i = 0; i <= records; i++) {
    payload(i)
    intercept(scent)
  }
  const perSecond = (run: () => void): number => {
    const start = now()
    run()
    return records / (now() - start) * 1e9
  }
  const verify = (): void => {
    const { checked, valid } = auditChain.inspect()
    if (!valid || checked !== records) throw new Error(`verified ${checked} of ${records} records`)
  }
  const bytes = changingBytes(recordBytes)
  const hash = (): void => {
    for (let i = 0; i < records; i++) sink.value = sha256(bytes(i))
  }
  // The first round of each is the warm-up.
  const each = Array.from({ length: rounds + 1 }, () => [perSecond(verify), perSecond(hash)] as const).slice(1)
  return { verified: each.map(([verified]) => verified), hashed: each.map(([, hashed]) => hashed) }
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
  const values = context.lines.filter(isValue)
  if (values.length === 0) return timed
  context.progress("verifying")
  const { hashed, verified } = ratesOf(context.quick ? 20_000 : 100_000, context.quick ? 7 : 21, context.now)
  const ratios = ratiosOf(hashed, verified)
  return [
    ...timed,
    ...values.map((line) =>
      line.name === "verify"
        ? rowOf(line, { value: median(verified), ratio: median(ratios), rounds: ratios })
        : rowOf(line, { value: median(hashed), rounds: hashed.map((rate) => 1e9 / rate) })
    )
  ]
}
