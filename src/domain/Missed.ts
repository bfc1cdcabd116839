/**
 * The gap in a stream of events: it stands where the events would have stood that a reader was too
 * slow for (CONFORMANCE V1). No event has a `_tag` of this name.
 */
import * as Schema from "effect/Schema"

export const Missed = Schema.TaggedStruct("Missed", {
  /** How many events, at least 1. */
  count: Schema.Natural
})
export type Missed = typeof Missed.Type

/** Whether this is a gap and no event. */
export const isMissed = (event: object): event is Missed => "_tag" in event && event._tag === "Missed"
