/**
 * How many alerts were raised, and how many the limiter suppressed, by type: typed arrays, so that
 * counting a flood of them allocates nothing.
 */
import { type Alert, alertTypes } from "../../domain/Alert.ts"

export class AlertCounts {
  readonly #raised = new Float64Array(alertTypes.length)
  readonly #suppressed = new Float64Array(alertTypes.length)

  /** It passed the limiter. */
  countRaised(type: Alert["type"]): void {
    add(this.#raised, type)
  }

  /** The limiter kept it back. */
  countSuppressed(type: Alert["type"]): void {
    add(this.#suppressed, type)
  }

  raised(type: Alert["type"]): number {
    return this.#raised[placeOf(type)] ?? 0
  }

  suppressed(type: Alert["type"]): number {
    return this.#suppressed[placeOf(type)] ?? 0
  }
}

const places: ReadonlyMap<Alert["type"], number> = new Map(alertTypes.map((type, place) => [type, place]))

const placeOf = (type: Alert["type"]): number => places.get(type) ?? 0

const add = (counts: Float64Array, type: Alert["type"]): void => {
  const place = placeOf(type)
  counts[place] = (counts[place] ?? 0) + 1
}
