/**
 * Arbitraries of everything that Tracehound takes and gives, for property tests with
 * `effect/Arbitrary` (`it.prop`, `checkEffect`, `sampleEffect`).
 *
 * Every value is one that its schema accepts, and every edge of the schema is met with: ids of
 * exactly 256 bytes, times that are negative, fractional or -0, empty payloads, each severity as
 * often as the others. They shrink to what is simplest, and one seed gives the same values each
 * time.
 *
 * Cost: a payload is of up to 64 KB, so a thousand scents take some MB; the rest is small. Each
 * module says its own.
 *
 * **Gotchas**
 *
 * - `effect/Arbitrary` is marked unstable: another version of Effect may give other values for the
 *   same seed.
 * - Values are not copied from run to run of a property: do not write to them.
 * - A failure prints its input. For a hostile value take `hostile`, whose recipes have names.
 */
export {
  alert,
  answerWithoutHandle,
  type AnswerWithoutHandle,
  failSafeAction,
  failSafeCause,
  hound,
  panicAction,
  panicContext,
  tracehoundError,
  watcherSnapshot
} from "./arbitraries/answers.ts"
export { configInput, configInputTo, signatureKey } from "./arbitraries/config.ts"
export { type Hostile, hostile, hostileKinds, hostilePayload, type Touched } from "./arbitraries/hostile.ts"
export { json, jsonPayload } from "./arbitraries/json.ts"
export { bytes, bytesPayload, payload, textPayload } from "./arbitraries/payloads.ts"
export {
  auditRecord,
  cleanScent,
  cleanScentOf,
  custodyRecord,
  evacuateRecord,
  evictionRecord,
  evidenceRecord,
  neutralizationRecord,
  purgedRecord,
  purgeRecord,
  scent,
  type ScentParts,
  threat,
  threatScent,
  type ThreatScent,
  threatScentOf,
  threatSignal,
  transferRecord
} from "./arbitraries/records.ts"
export { ipv4, ipv6, type Mapped, mappedIpv4, mappedPair, source, sourceName } from "./arbitraries/sources.ts"
export {
  digest,
  identifier,
  purgeReason,
  secureId,
  severity,
  signature,
  signatureOf,
  size,
  text,
  textOfBytes,
  threatCategory,
  timestamp,
  wellFormedText
} from "./arbitraries/values.ts"
