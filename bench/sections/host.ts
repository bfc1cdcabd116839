/**
 * An Express host, with Tracehound and without at the same time: a short run of what
 * `npm run bench:host` does for ten minutes.
 */
import type { Row } from "../goals.ts"
import { hostFigures } from "../host/report.ts"
import { type HostRun, runHosts } from "../host/run.ts"
import { withOrWithout } from "../hostLines.ts"
import { type Context, type Measure, measureValues } from "../measure.ts"

/** Of a smoke run two seconds, of a full one a minute. */
const runOf = ({ quick }: Context): HostRun => ({
  rate: 1000,
  warmSeconds: quick ? 0.5 : 10,
  seconds: quick ? 2 : 60,
  hasHounds: true
})

export const measure: Measure = async (context): Promise<ReadonlyArray<Row>> => {
  // A quick run has no time for it.
  if (!context.whole) return []
  const report = await runHosts(runOf(context), context.progress)
  const values = hostFigures.flatMap(({ name, of }) =>
    withOrWithout(name).map((line, at) => [line, () => of(at === 0 ? report.without : report.with)] as const)
  )
  const rows = await measureValues(context, Object.fromEntries(values))
  const valueOf = (name: string | null): number => rows.find((row) => row.name === name)?.value ?? Number.NaN
  return rows.map((row) => {
    const ratio = (row.value ?? Number.NaN) / valueOf(row.floor)
    return Number.isFinite(ratio) ? { ...row, ratio } : row
  })
}
