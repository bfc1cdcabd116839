/**
 * The metrics of a Tracehound, put together: each is a number that a room keeps anyhow, read when
 * somebody exports. The rooms know nothing of it. All are gone when the scope closes.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { Settings } from "../config/Settings.ts"
import { AuditChain } from "../custody/audit/AuditChain.ts"
import { ColdStorage } from "../custody/coldstorage/ColdStorage.ts"
import { exitReasons } from "../custody/quarantine/ExitCounts.ts"
import { Quarantine } from "../custody/quarantine/Quarantine.ts"
import { alertTypes } from "../domain/Alert.ts"
import { interceptStatuses } from "../domain/InterceptResult.ts"
import { severities } from "../domain/Severity.ts"
import { exitCauses } from "../hound/pool/ExitCause.ts"
import { HoundPool } from "../hound/pool/HoundPool.ts"
import type { HoundCounts } from "../hound/pool/HoundTally.ts"
import { Agent } from "../intake/agent/Agent.ts"
import { RateLimiter } from "../intake/gate/RateLimiter.ts"
import { Alerts } from "../safety/alert/Alerts.ts"
import { FailSafe } from "../safety/failsafe/FailSafe.ts"
import { claimInstance } from "../telemetry/Instances.ts"
import { pullAll, type Pulled, type PullMetric } from "../telemetry/PullMetric.ts"
import { DurableLedger } from "./DurableLedger.ts"
import { metrics } from "./MetricNames.ts"

/** Gives all series above it an attribute that tells the Tracehounds of one process apart. */
export const layerInstance: Layer.Layer<never, never, Settings> = Layer.effect(
  Metric.CurrentMetricAttributes,
  Effect.gen(function*() {
    const { telemetry } = yield* Settings
    const around = yield* Metric.CurrentMetricAttributes
    return { ...around, "tracehound.instance": yield* claimInstance(telemetry.instance) }
  })
)

/** Registers those of the rooms. */
export const register = Effect.gen(function*() {
  const { alerts: { devopsEndpoint }, dataDirectory } = yield* Settings
  const all = [
    ...ofIntake(yield* Agent, yield* RateLimiter),
    ...ofCustody(yield* Quarantine, yield* AuditChain),
    ...dataDirectory === undefined ? [] : ofLedger(yield* Quarantine, yield* AuditChain, yield* DurableLedger),
    ...ofColdStorage(yield* ColdStorage),
    ...ofSafety(yield* Alerts, yield* FailSafe, devopsEndpoint !== undefined),
    ...ofHounds(yield* HoundPool)
  ]
  yield* pullAll(all)
})

const ofIntake = (agent: Agent["Service"], limiter: RateLimiter["Service"]): ReadonlyArray<Pulled> => [
  ...each(metrics.intercepts, "status", interceptStatuses, (status) => agent.totals()[status]),
  { metric: metrics.sourcesKnown, read: () => limiter.stats().sources },
  { metric: metrics.sourcesBlocked, read: () => limiter.stats().blocked }
]

const ofCustody = (quarantine: Quarantine["Service"], chain: AuditChain["Service"]): ReadonlyArray<Pulled> => [
  ...each(metrics.items, "severity", severities, (severity) => quarantine.stats().bySeverity[severity]),
  ...each(metrics.bytes, "severity", severities, (severity) => quarantine.bytesBySeverity()[severity]),
  ...exitReasons.flatMap((reason) =>
    severities.map((severity) => ({
      metric: { ...metrics.exits, attributes: { reason, severity } },
      read: () => quarantine.exits(reason, severity)
    }))
  ),
  { metric: metrics.duplicates, read: quarantine.hits },
  { metric: metrics.auditRecords, read: () => chain.length }
]

/** What is on disk, of a Tracehound that has a data directory. */
const ofLedger = (
  { journalled }: Quarantine["Service"],
  chain: AuditChain["Service"],
  ledger: DurableLedger["Service"]
): ReadonlyArray<Pulled> => [
  { metric: metrics.durable, read: () => journalled().durable },
  { metric: metrics.notDurable, read: () => journalled().notDurable },
  { metric: metrics.ledgerDurable, read: chain.durable },
  { metric: metrics.ledgerDelayed, read: ledger.delayed },
  { metric: metrics.ledgerLost, read: ledger.lost }
]

/** Nothing where there is no cold storage. */
const ofColdStorage = (
  { destination, isSpared, kept, oldestMs, refusals, stats }: ColdStorage["Service"]
): ReadonlyArray<Pulled> =>
  destination === null ? [] : [
    { metric: metrics.written, read: () => stats().written + stats().unconfirmed },
    { metric: metrics.failed, read: () => stats().deadLetters - refusals() },
    { metric: metrics.refused, read: refusals },
    { metric: metrics.unconfirmed, read: () => stats().unconfirmed },
    { metric: metrics.keptItems, read: () => kept().kept },
    { metric: metrics.resent, read: () => kept().resent },
    { metric: metrics.unkept, read: () => kept().unkept },
    { metric: metrics.pendingItems, read: () => stats().pending },
    { metric: metrics.pendingBytes, read: () => stats().pendingBytes },
    { metric: metrics.pendingAge, read: () => oldestMs() / 1_000 },
    { metric: metrics.coldStorageBreaker, read: () => oneIf(isSpared()) }
  ]

const ofSafety = (
  { counts, isDevopsSpared }: Alerts["Service"],
  failSafe: FailSafe["Service"],
  isPosting: boolean
): ReadonlyArray<Pulled> => [
  ...each(metrics.alertsRaised, "type", alertTypes, (type) => counts.raised(type)),
  ...each(metrics.alertsSuppressed, "type", alertTypes, (type) => counts.suppressed(type)),
  ...(isPosting ? [{ metric: metrics.devopsBreaker, read: () => oneIf(isDevopsSpared()) }] : []),
  { metric: metrics.panicked, read: () => oneIf(failSafe.isPanicked()) }
]

/** Nothing where there are no hounds, and less of a pool that the host wrote. */
const ofHounds = ({ counts, hasHounds, outcomes, stats }: HoundPool["Service"]): ReadonlyArray<Pulled> =>
  !hasHounds ? [] : [
    ...each(metrics.hounds, "state", ["dormant", "active"], (state) => stats()[state]),
    ...each(metrics.jobs, "outcome", jobOutcomes, (outcome) => outcomes()[outcome]),
    { metric: metrics.skipped, read: () => outcomes().skipped },
    ...(counts === undefined ? [] : ofHoundCounts(counts))
  ]

const ofHoundCounts = (counts: HoundCounts): ReadonlyArray<Pulled> => [
  { metric: metrics.duration, read: counts.durations },
  { metric: metrics.launches, read: () => counts.launches },
  ...each(metrics.endings, "cause", exitCauses, counts.endings),
  { metric: metrics.retries, read: () => counts.retries }
]

const jobOutcomes = ["complete", "error", "timeout", "left", "abandoned", "unavailable"] as const

/** One series for each word that the attribute can be. */
const each = <W extends string>(
  metric: PullMetric,
  attribute: string,
  words: ReadonlyArray<W>,
  read: (word: W) => number
): ReadonlyArray<Pulled> =>
  words.map((word) => ({ metric: { ...metric, attributes: { [attribute]: word } }, read: () => read(word) }))

const oneIf = (is: boolean): number => is ? 1 : 0
