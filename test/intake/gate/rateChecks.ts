import type { RateTable } from "../../../src/intake/gate/RateTable.ts"

const now = new Float64Array(1)

/** Counts a request at this time, in ms. */
export const check = (table: RateTable, source: string, time: number): number => {
  now[0] = time
  return table.check(source, now)
}

/** Sources that are blocked at this time. */
export const blocked = (table: RateTable, time: number): number => {
  now[0] = time
  return table.blocked(now)
}
