/**
 * Arbitraries of all inputs and outputs of Tracehound, for property tests with
 * `effect/Arbitrary` (`it.prop`, `checkEffect`, `sampleEffect`).
 *
 * Every value is accepted by its schema, and every edge of the schema occurs: ids of exactly 256
 * bytes, times that are negative, fractional or -0, empty payloads, all severities equally often.
 * Values shrink towards the simplest, and one seed always gives the same values.
 *
 * Cost: a payload has up to 64 KB, so a thousand scents take some MB; all other values are small.
 *
 * **Gotchas**
 *
 * - `effect/Arbitrary` is marked unstable: another version of Effect may give other values for the
 *   same seed.
 * - A property's runs share values: do not write to them.
 * - A failing property prints its input. Hostile values cannot be printed: use `hostile`, whose
 *   recipes have names.
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
