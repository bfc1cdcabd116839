/**
 * The lines of the section about an Express host.
 */
import type { Line } from "./goals.ts"
import { hostFigures } from "./host/report.ts"

/** The names of a figure's two lines: of the host without Tracehound, and of that with it. */
export const withOrWithout = (figure: string): readonly [string, string] => [
  `express without Tracehound: ${figure}`,
  `express with Tracehound: ${figure}`
]

export const hostLines: ReadonlyArray<Line> = hostFigures.flatMap(({ name, unit }): ReadonlyArray<Line> => {
  const [without, withIt] = withOrWithout(name)
  return [{ name: without, unit }, { name: withIt, floor: without, unit }]
})
