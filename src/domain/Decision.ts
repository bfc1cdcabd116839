/**
 * What `intercept` decided about one scent: its answer without the evidence (CONFORMANCE V3).
 *
 * **Gotchas**
 *
 * - Nothing in it is an attacker's text: no id, no source, no payload.
 */
import * as Schema from "effect/Schema"
import { interceptStatuses } from "./InterceptResult.ts"
import { ThreatCategory } from "./Scent.ts"
import { Severity } from "./Severity.ts"
import { Signature } from "./Threat.ts"

export const Decision = Schema.Struct({
  status: Schema.Literals(interceptStatuses),
  /** As the detector said, where there was a threat that could be read. */
  category: Schema.optionalKey(ThreatCategory),
  severity: Schema.optionalKey(Severity),
  /** Of evidence that is held, was held already, or was turned away. */
  signature: Schema.optionalKey(Signature),
  /** The code of an answer `error`. */
  code: Schema.optionalKey(Schema.String)
})
export type Decision = typeof Decision.Type
