/**
 * The metrics of a Tracehound: names, units and meanings (docs/metrics.md), and what Prometheus
 * calls them.
 *
 * Names and units are OpenTelemetry's: dotted, the unit beside the name and in UCUM, seconds and
 * bytes. Labels are fixed words, so that their number does not depend on what an attacker sends.
 */
import { actorMetrics } from "../actor/ActorMetrics.ts"
import type { PullHistogram, PullMetric } from "../telemetry/PullMetric.ts"

/** A metric without its attributes. */
type Named = Omit<PullMetric, "attributes"> | Omit<PullHistogram, "attributes">

/** The metrics of the rooms; those of actors are in actor/ActorMetrics.ts. */
export const metrics = {
  intercepts: {
    name: "tracehound.intercepts",
    kind: "counter",
    unit: "{scent}",
    description: "Scents by the status of their answer"
  },
  items: {
    name: "tracehound.quarantine.items",
    kind: "gauge",
    unit: "{item}",
    description: "Pieces of evidence held now"
  },
  bytes: { name: "tracehound.quarantine.bytes", kind: "gauge", unit: "By", description: "Bytes of evidence held now" },
  exits: {
    name: "tracehound.quarantine.exits",
    kind: "counter",
    unit: "{item}",
    description: "Pieces of evidence that left custody, by the way that they took"
  },
  duplicates: {
    name: "tracehound.quarantine.duplicates",
    kind: "counter",
    unit: "{scent}",
    description: "Scents that were duplicates of held evidence"
  },
  sourcesKnown: {
    name: "tracehound.sources.known",
    kind: "gauge",
    unit: "{source}",
    description: "Sources that the rate limit remembers now"
  },
  sourcesBlocked: {
    name: "tracehound.sources.blocked",
    kind: "gauge",
    unit: "{source}",
    description: "Sources that the rate limit blocks now"
  },
  durable: {
    name: "tracehound.quarantine.durable",
    kind: "gauge",
    unit: "{item}",
    description: "Pieces of evidence held now that are on disk"
  },
  notDurable: {
    name: "tracehound.quarantine.not_durable",
    kind: "counter",
    unit: "{item}",
    description: "Pieces of evidence that came faster than the disk took them"
  },
  ledgerDurable: {
    name: "tracehound.ledger.durable",
    kind: "counter",
    unit: "{record}",
    description: "Records of custody that are on disk"
  },
  ledgerDelayed: {
    name: "tracehound.ledger.delayed",
    kind: "counter",
    unit: "{record}",
    description: "Records that waited for room in the ledger's store"
  },
  ledgerLost: {
    name: "tracehound.ledger.lost",
    kind: "counter",
    unit: "{record}",
    description: "Records that will never be on disk"
  },
  written: {
    name: "tracehound.coldstorage.written",
    kind: "counter",
    unit: "{envelope}",
    description: "Envelopes that cold storage says it wrote"
  },
  failed: {
    name: "tracehound.coldstorage.failed",
    kind: "counter",
    unit: "{envelope}",
    description: "Envelopes that cold storage took and lost"
  },
  refused: {
    name: "tracehound.coldstorage.refused",
    kind: "counter",
    unit: "{envelope}",
    description: "Evidence that cold storage did not take"
  },
  unconfirmed: {
    name: "tracehound.coldstorage.unconfirmed",
    kind: "counter",
    unit: "{envelope}",
    description: "Envelopes whose endpoint is not trusted, or overwrites what it has"
  },
  keptItems: {
    name: "tracehound.coldstorage.kept.items",
    kind: "gauge",
    unit: "{envelope}",
    description: "Envelopes that were lost and are kept to be sent again"
  },
  resent: {
    name: "tracehound.coldstorage.resent",
    kind: "counter",
    unit: "{envelope}",
    description: "Envelopes that were kept and then taken"
  },
  unkept: {
    name: "tracehound.coldstorage.unkept",
    kind: "counter",
    unit: "{envelope}",
    description: "Envelopes that were lost and could not be kept"
  },
  pendingItems: {
    name: "tracehound.coldstorage.pending.items",
    kind: "gauge",
    unit: "{envelope}",
    description: "Envelopes that wait to be written"
  },
  pendingBytes: {
    name: "tracehound.coldstorage.pending.bytes",
    kind: "gauge",
    unit: "By",
    description: "Bytes of evidence in what waits to be written"
  },
  pendingAge: {
    name: "tracehound.coldstorage.pending.age",
    kind: "gauge",
    unit: "s",
    combine: "max",
    description: "Age of the oldest envelope that waits to be written"
  },
  coldStorageBreaker: {
    name: "tracehound.coldstorage.breaker.open",
    kind: "gauge",
    unit: "{breaker}",
    description: "1 while cold storage is spared, as its latest writes all failed"
  },
  alertsRaised: {
    name: "tracehound.alerts.raised",
    kind: "counter",
    unit: "{alert}",
    description: "Alerts that passed the limiter, by type"
  },
  alertsSuppressed: {
    name: "tracehound.alerts.suppressed",
    kind: "counter",
    unit: "{alert}",
    description: "Alerts that the limiter kept back, by type"
  },
  devopsBreaker: {
    name: "tracehound.devops.breaker.open",
    kind: "gauge",
    unit: "{breaker}",
    description: "1 while no alert is posted, as the latest posts all failed"
  },
  auditRecords: {
    name: "tracehound.audit.records",
    kind: "counter",
    unit: "{record}",
    description: "Records appended to the audit chain"
  },
  panicked: {
    name: "tracehound.panicked",
    kind: "gauge",
    unit: "{panic}",
    description: "1 after a panic: no scent is looked at any more"
  },
  hounds: { name: "tracehound.hounds", kind: "gauge", unit: "{hound}", description: "Hounds by state" },
  jobs: {
    name: "tracehound.hound.jobs",
    kind: "counter",
    unit: "{job}",
    description: "Examinations that have ended, by how"
  },
  duration: {
    name: "tracehound.hound.duration",
    kind: "histogram",
    unit: "s",
    description: "From handing evidence over to the hound's verdict"
  },
  launches: {
    name: "tracehound.hound.launches",
    kind: "counter",
    unit: "{hound}",
    description: "Hounds that were started"
  },
  endings: {
    name: "tracehound.hound.endings",
    kind: "counter",
    unit: "{hound}",
    description: "Hounds that ended, by cause"
  },
  retries: {
    name: "tracehound.hound.retries",
    kind: "counter",
    unit: "{job}",
    description: "Examinations that another hound took over because the first was lost"
  },
  skipped: {
    name: "tracehound.hound.skipped",
    kind: "counter",
    unit: "{job}",
    description: "Evidence not examined as no hound was free, and held all the same"
  }
} as const satisfies Readonly<Record<string, Named>>

/** Every metric that a Tracehound can have. */
export const catalogue: ReadonlyArray<Named> = [...Object.values(metrics), ...Object.values(actorMetrics)]

/** Units that Prometheus writes into the name. Those in braces say what is counted: it has none. */
const suffixes: ReadonlyMap<string, string> = new Map([["s", "seconds"], ["By", "bytes"], ["1", "ratio"]])

const prometheusNameOf = ({ kind, name, unit }: Named): string => {
  const suffix = suffixes.get(unit)
  const words = name.split(".")
  if (suffix !== undefined && words.at(-1) !== suffix) words.push(suffix)
  if (kind === "counter") words.push("total")
  return words.join("_")
}

const prometheusNames: ReadonlyMap<string, string> = new Map(
  catalogue.map((metric) => [metric.name, prometheusNameOf(metric)])
)

/**
 * The name of a metric as Prometheus wants it: the unit written out, and `_total` behind counters.
 * Of a metric that is not Tracehound's, the name as it is. For `metricNameMapper` of Effect's
 * PrometheusMetrics.
 */
export const prometheusName = (name: string): string => prometheusNames.get(name) ?? name
