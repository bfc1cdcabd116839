/**
 * A metric registry whose every series is on an OpenTelemetry meter as well.
 *
 * **Details**
 *
 * - A counter is an observable counter, or an observable up-down counter where it can go down; a
 *   gauge is an observable gauge; a frequency is an observable counter with the attribute `key`.
 * - A histogram and a summary are a histogram (`Replay.ts`).
 * - The meter reads all of them when it collects. Until then they cost nothing.
 * - Series of one name, unit and description share an instrument. The attribute `unit` becomes the
 *   instrument's unit.
 * - A series that leaves the registry is handed to the next collection once more, with what it said
 *   when it left. So totals of a Tracehound that closes are not lost to a slow reader.
 *
 * **Gotchas**
 *
 * - The SDK's cumulative readers repeat the last value of a series for ever. With delta temporality
 *   a series that left is gone.
 */
import type { Meter } from "@opentelemetry/api"
import { type Metadata, unitOf } from "./Metadata.ts"
import { Observed } from "./Observed.ts"
import { Replay } from "./Replay.ts"

/** The registry. Everything that is in it is collected; `clear` ends that. */
export class MeterRegistry extends Map<string, Metadata> {
  readonly #meter: Meter
  readonly #instruments = new Map<string, Observed | Replay>()

  constructor(meter: Meter) {
    super()
    this.#meter = meter
  }

  override set(key: string, metadata: Metadata): this {
    this.#instrumentOf(metadata).add(key, metadata)
    return super.set(key, metadata)
  }

  override delete(key: string): boolean {
    const metadata = this.get(key)
    if (metadata !== undefined) this.#instrumentOf(metadata).remove(key)
    return super.delete(key)
  }

  override clear(): void {
    for (const key of this.keys()) this.delete(key)
  }

  #instrumentOf(metadata: Metadata): Observed | Replay {
    const { description, id, type } = metadata
    const identity = JSON.stringify([id, type, unitOf(metadata), description])
    const known = this.#instruments.get(identity)
    if (known !== undefined) return known
    const made = type === "Histogram" || type === "Summary"
      ? new Replay(this.#meter, metadata)
      : new Observed(this.#meter, metadata)
    this.#instruments.set(identity, made)
    return made
  }
}
