/**
 * The price of a full quarantine for new evidence: pairs of one that is full and one that holds as
 * much and has room.
 *
 * What came to the one with room is neutralized after each turn, untimed, so that it holds the same
 * number again.
 */
import type { InterceptResult } from "../../src/index.ts"
import { heldCounts } from "../catalogue.ts"
import { type Row, rowOf } from "../goals.ts"
import { type Held, holding } from "../held.ts"
import { type Context, type Makers, makersOf, type Measure, rowsOf, type Timed, timeLines } from "../measure.ts"
import { median, medianDifference } from "../statistics.ts"

/** A maker each for the quarantine with room and the one that is full. */
const pair = (held: string, count: number): Makers => {
  const run = ({ payload, scent, tracehound }: Held, results: Array<InterceptResult>) => (i: number) => {
    payload(i)
    const result = tracehound.intercept(scent)
    results.push(result)
    return result
  }
  return {
    [`new with room, ${held} held`]: () => {
      const results: Array<InterceptResult> = []
      return {
        maxCalls: 20_000,
        run: run(holding(count, 16_777_216), results),
        after: () => {
          for (const result of results) if (result.status === "quarantined") result.handle.neutralize()
          results.length = 0
        }
      }
    },
    [`new while full, ${held} held`]: () => {
      const results: Array<InterceptResult> = []
      return {
        maxCalls: 20_000,
        run: run(holding(count, count), results),
        after: () => {
          results.length = 0
        }
      }
    }
  }
}

const rounds = (timed: Timed, name: string): ReadonlyArray<number> => timed.timings.get(name)?.rounds ?? []

export const measure: Measure = async (context: Context): Promise<ReadonlyArray<Row>> => {
  const sizes = heldCounts.filter(({ count }) => context.whole || count < 1_000_000)
  const isTimed = (name: string): boolean => sizes.some(({ held }) => name.endsWith(`, ${held} held`))
  const derived = context.lines.some(({ unit }) => unit !== undefined)
  const makers = makersOf(sizes, ({ count, held }) => pair(held, count))
  // A derived line needs both of its pair, whether or not they are to be shown.
  const needed = sizes.flatMap(({ held }) => [
    { name: `new with room, ${held} held` },
    { name: `new while full, ${held} held`, floor: `new with room, ${held} held` }
  ])
  const timing = derived ? needed : needed.filter(({ name }) => context.lines.some((line) => line.name === name))
  const timed = await timeLines(context, timing, makers)
  const pairs = rowsOf(context, timing, timed)
  const bytes = (name: string): number => pairs.find((row) => row.name === name)?.bytes ?? Number.NaN
  const full = sizes.map(({ held }) => median(rounds(timed, `new while full, ${held} held`)))
  return context.lines.flatMap((line) => {
    const [held] = /\d+[kM](?= held$)/.exec(line.name) ?? []
    if (line.unit === undefined)
      return pairs.filter(({ name }) => name === line.name).map((row) => ({ ...row, floor: line.floor ?? null }))
    if (held === undefined) return [rowOf(line, { value: (full.at(-1) ?? Number.NaN) / (full[0] ?? Number.NaN) })]
    if (!isTimed(line.name)) return []
    const [whileFull, withRoom] = [`new while full, ${held} held`, `new with room, ${held} held`]
    return [rowOf(line, {
      value: medianDifference(rounds(timed, whileFull), rounds(timed, withRoom)),
      bytes: bytes(whileFull) - bytes(withRoom)
    })]
  })
}
