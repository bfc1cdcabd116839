/**
 * The flags that several commands share.
 */
import * as Flag from "effect/cli/Flag"

/** One JSON object on standard output instead of text for people. */
export const json = Flag.Boolean("json").pipe(
  Flag.withDescription("Answer with one JSON object on standard output"),
  Flag.withDefault(false)
)

/** A JSON configuration file, over the defaults and under the environment. */
export const configFile = Flag.String("config").pipe(
  Flag.withMetavar("FILE"),
  Flag.withDescription("A JSON configuration file; the environment (TRACEHOUND_…) goes over it"),
  Flag.optional
)
