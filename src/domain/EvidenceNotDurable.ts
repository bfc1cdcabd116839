/**
 * Why evidence in custody is not on disk, and will not be (CONFORMANCE E9).
 */
import * as Schema from "effect/Schema"

/**
 * `memory`: custody is in memory alone, as configured. `window`: more evidence came than the disk
 * took, or this piece is too large, so it is held in memory alone. `left`: it is no longer in
 * custody. `disk`: the disk refused.
 */
export class EvidenceNotDurable extends Schema.TaggedError<EvidenceNotDurable>()("EvidenceNotDurable", {
  reason: Schema.Literals(["memory", "window", "left", "disk"]),
  message: Schema.String
}) {}
