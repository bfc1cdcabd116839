/**
 * A Tracehound that holds so much evidence of 64 bytes.
 */
import type { TracehoundInstance } from "../src/index.ts"
import { type Reusable, scatteredBytes, threatScent } from "./payloads.ts"
import { roomyTracehound } from "./tracehounds.ts"

/** Evidence is numbered from here on: away from the counters of the runner. */
let next = 1_500_000_000

/** What is held, and how to send it again. */
export interface Held {
  readonly tracehound: TracehoundInstance
  /** A scent whose payload is the bytes of `payload`. */
  readonly scent: Reusable
  /** Makes the payload that of a number. */
  readonly payload: (i: number) => Uint8Array
  /** The number of the first that is held; the others follow. */
  readonly first: number
}

/** Fills a Tracehound. O(count), a few microseconds each. */
export const holding = (count: number, maxCount: number): Held => {
  const tracehound = roomyTracehound({ quarantine: { maxCount } })
  const payload = scatteredBytes(64)
  const scent = threatScent(payload(0))
  const first = next
  for (; next < first + count; next++) {
    payload(next)
    tracehound.intercept(scent)
  }
  if (tracehound.quarantine.count !== count) throw new Error(`holds ${tracehound.quarantine.count}, not ${count}`)
  return { tracehound, scent, payload, first }
}
