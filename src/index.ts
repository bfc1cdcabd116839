/**
 * The package's main entry, `tracehound`.
 *
 * `Tracehound` is the Effect service with its layers, `createTracehound` makes the same as a plain
 * object. Beside them stand every schema of the domain, the configuration, the reader of evidence
 * envelopes, the verifier of audit records, and the tags of parts that a program may replace
 * (`Tracehound.layerWith`).
 */
export { type AlertSink, AlertSinks, type EffectSink } from "./safety/alert/AlertSink.ts"
export type { Checkpoint } from "./custody/audit/Checkpoint.ts"
export type { AuditRange, ChainReport } from "./custody/audit/HashChain.ts"
export { type RunReport, type RunStart, verifyRecords, verifyRecordsEffect } from "./custody/audit/Verify.ts"
export type { ColdStorageStats, KeptStats, ResendOptions, Resent } from "./custody/coldstorage/ColdStorage.ts"
export { ColdStorageEndpoint, ColdStorageError } from "./custody/coldstorage/Endpoint.ts"
export { ConfigMistake, InvalidConfig } from "./config/ConfigSources.ts"
export { wipeOnSignals } from "./runtime/WipeAtEnd.ts"
export { createTracehound, type TracehoundInstance, type TracehoundOptions } from "./runtime/createTracehound.ts"
export * from "./domain/Alert.ts"
export * from "./domain/Missed.ts"
export * from "./domain/Decision.ts"
export * from "./domain/Evidence.ts"
export * from "./domain/EvidenceNotDurable.ts"
export * from "./domain/FailSafe.ts"
export * from "./domain/Hound.ts"
export * from "./domain/InterceptErrors.ts"
export * from "./domain/InterceptResult.ts"
export * from "./domain/Records.ts"
export * from "./domain/Scent.ts"
export * from "./domain/Severity.ts"
export * from "./domain/Threat.ts"
export * from "./config/TracehoundConfig.ts"
export * from "./domain/TracehoundError.ts"
export * from "./domain/WatcherSnapshot.ts"
export { StoreOpenError } from "./custody/store/StoreErrors.ts"
export { EnvelopeError, type Opened } from "./custody/evidence/Envelope.ts"
export { Callbacks } from "./safety/failsafe/FailSafe.ts"
export {
  HoundBootError,
  type HoundFailure,
  type HoundJob,
  type HoundOutcomes,
  HoundPool,
  type HoundStats
} from "./hound/pool/HoundPool.ts"
export { RateLimiter, type RateLimitResult } from "./intake/gate/RateLimiter.ts"
export type { Joints } from "./runtime/Joints.ts"
export { Settings } from "./config/Settings.ts"
export { openEnvelope, openEnvelopeEffect } from "./runtime/openEnvelope.ts"
export { prometheusName } from "./runtime/MetricNames.ts"
export type { Host } from "./runtime/HostParts.ts"
export { FlagsMissing, HostUnfit, SharedStateMissing, type StartError } from "./runtime/StartErrors.ts"
export type { AuditChainInSlices } from "./runtime/InSlices.ts"
export type { TracehoundIterables } from "./runtime/streams/Iterables.ts"
export type { ActorEvent, AuditOptions, DecisionOptions, StreamOptions } from "./runtime/streams/Sources.ts"
export type { TracehoundStreams } from "./runtime/streams/Streams.ts"
export { Tracehound } from "./runtime/Tracehound.ts"
export type { AuditChainView, QuarantineView, TracehoundSync } from "./runtime/TracehoundSync.ts"
