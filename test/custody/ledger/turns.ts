/**
 * Turns that end when a test says so.
 */
import type { Turns } from "../../../src/custody/ledger/StoreTurns.ts"

interface TestTurns extends Turns {
  /** Ends the turn: what was to come after it comes now. */
  readonly end: () => void
  /** The same, of what was to come soon. */
  readonly wait: () => void
  /** What is still to come. */
  readonly waiting: () => number
}

export const makeTurns = (): TestTurns => {
  let after: Array<() => void> = []
  let soon: Array<() => void> = []
  return {
    afterTurnUnsafe: (act) => void after.push(act),
    soonUnsafe: (act) => void soon.push(act),
    end: () => {
      const acts = after
      after = []
      for (const act of acts) act()
    },
    wait: () => {
      const acts = soon
      soon = []
      for (const act of acts) act()
    },
    waiting: () => after.length + soon.length
  }
}
