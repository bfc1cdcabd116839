/**
 * What can happen to a Tracehound, one event each, and what an observer is to see of it, to the
 * last attribute: the same through every way of observing. Metrics of actors are left out: how many
 * messages something takes is nobody's business but the actors'.
 */
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { createHash } from "node:crypto"
import { type Scent, type Severity, Tracehound, type TracehoundConfigInput } from "tracehound"
import { InProcessHounds, MemoryColdStorage, TracehoundTest, type TracehoundTestServices } from "tracehound/testing"
import type { Attributes } from "./seen.ts"

/** A span of Tracehound's: a root, linked to the caller's span where `isLinked`. */
interface ExpectedSpan {
  readonly name: string
  readonly kind: string
  readonly status: "OK" | "ERROR"
  readonly isLinked: boolean
  readonly attributes: Attributes
}

/** A log line, in the span of the caller. */
interface ExpectedRecord {
  readonly level: string
  readonly body: string
  readonly span: "caller"
  readonly attributes: Attributes
}

export interface Event {
  readonly name: string
  /** `devops` is where alerts are posted to, if they are to be posted. */
  readonly config?: (devops: string) => TracehoundConfigInput
  /** What comes before it, and is not observed. */
  readonly before?: Effect.Effect<unknown, Error, TracehoundTestServices>
  /** It happens, within the span of a caller. */
  readonly run: Effect.Effect<unknown, Error, TracehoundTestServices>
  /** What the caller's span has then. */
  readonly caller: Attributes
  readonly spans: ReadonlyArray<ExpectedSpan>
  readonly records: ReadonlyArray<ExpectedRecord>
  /** By how much each series changed: `name{label=word}`. */
  readonly metrics: Readonly<Record<string, number>>
}

const scent = (payload: string, severity?: Severity): Scent => ({
  id: `request ${payload}`,
  source: "192.0.2.7",
  timestamp: 0,
  payload,
  ...(severity === undefined ? {} : { threat: { category: "injection", severity } })
})

const intercept = (payload: string, severity?: Severity) =>
  Effect.flatMap(Tracehound, (tracehound) => tracehound.intercept(scent(payload, severity)))

/** Takes evidence into custody and moves it to cold storage. */
const evacuate = Effect.gen(function*() {
  const tracehound = yield* Tracehound
  const result = yield* tracehound.intercept(scent("a", "low"))
  if (result.status === "quarantined") yield* tracehound.evacuate(result.handle.signature)
})

/** Runs background work, moves time past every retry, and runs the rest. */
const later = Effect.andThen(
  TracehoundTest.settled,
  Effect.andThen(TestClock.adjust("1 minute"), TracehoundTest.settled)
)

const signature = (payload: string): string => `injection:${createHash("sha256").update(payload).digest("hex")}`

/** What the span of a caller is told. */
const told = (status: string, payload?: string): Attributes => ({
  "tracehound.status": status,
  ...(payload === undefined ? {} : { "tracehound.signature": signature(payload) })
})

const evidence = (payload: string, severity: Severity): Attributes => ({
  "tracehound.signature": signature(payload),
  "tracehound.category": "injection",
  "tracehound.severity": severity,
  "tracehound.size": 1
})

const examined = (payload: string, severity: Severity, errorType?: string): ExpectedSpan => ({
  name: "tracehound.hound.examine",
  kind: "INTERNAL",
  status: errorType === undefined ? "OK" : "ERROR",
  isLinked: true,
  attributes: {
    ...evidence(payload, severity),
    "tracehound.outcome": errorType === undefined ? "complete" : "error",
    "tracehound.hound": "…",
    ...(errorType === undefined ? {} : { "error.type": errorType })
  }
})

const written = (payload: string, errorType?: string): ExpectedSpan => ({
  name: "tracehound.coldstorage.write",
  kind: "CLIENT",
  status: errorType === undefined ? "OK" : "ERROR",
  isLinked: true,
  attributes: {
    "tracehound.signature": signature(payload),
    "tracehound.size": 1,
    "tracehound.tries": 1,
    "tracehound.outcome": errorType === undefined ? "written" : "lost",
    ...(errorType === undefined ? {} : { "error.type": errorType })
  }
})

const evacuated = (payload: string, errorType?: string): ExpectedSpan => ({
  name: "tracehound.evacuation",
  kind: "INTERNAL",
  status: errorType === undefined ? "OK" : "ERROR",
  isLinked: true,
  attributes: {
    ...evidence(payload, "low"),
    "tracehound.compressed_size": 21,
    ...(errorType === undefined ? {} : { "error.type": errorType })
  }
})

/** An alert as the log has it, about evidence unless `payload` is left out. */
const alerted = (
  level: string,
  type: string,
  message: string,
  { payload, ...more }: { readonly payload?: string } & Attributes
): ExpectedRecord => ({
  level,
  body: `${type}: ${message}`,
  span: "caller",
  attributes: { type, timestamp: 0, ...(payload === undefined ? {} : about(payload)), ...more }
})

/** The id of a request is its client's word: escaped. */
const about = (payload: string): Attributes => ({
  signature: signature(payload),
  evidenceId: `request\\u{20}${payload}`
})

const logged = (type: string, payload: string, severity: Severity, reason: string): ExpectedRecord => ({
  level: "Debug",
  body: type,
  span: "caller",
  attributes: { type, reason, severity, ...about(payload) }
})

const isFull = "evidence of high severity was evicted: the quarantine is full"

/** A full quarantine: the next piece of evidence evicts `a`, which waits for nobody. */
const full = { quarantine: { maxCount: 1 } }

const evictedMetrics = {
  "tracehound.audit.records{}": 1,
  "tracehound.coldstorage.written{}": 1,
  "tracehound.hound.duration{}": 1,
  "tracehound.hound.jobs{outcome=complete}": 1,
  "tracehound.intercepts{status=escalated}": 1,
  "tracehound.quarantine.exits{reason=evicted,severity=high}": 1
}

const answers: ReadonlyArray<Event> = [
  {
    name: "a clean scent",
    run: intercept("a"),
    caller: told("clean"),
    spans: [],
    records: [],
    metrics: { "tracehound.intercepts{status=clean}": 1, "tracehound.sources.known{}": 1 }
  },
  {
    name: "a threat that is quarantined",
    run: intercept("a", "medium"),
    caller: told("quarantined", "a"),
    spans: [],
    records: [],
    metrics: {
      "tracehound.intercepts{status=quarantined}": 1,
      "tracehound.quarantine.bytes{severity=medium}": 1,
      "tracehound.quarantine.items{severity=medium}": 1,
      "tracehound.sources.known{}": 1
    }
  },
  {
    name: "a threat that is held already",
    before: intercept("a", "medium"),
    run: intercept("a", "medium"),
    caller: told("ignored", "a"),
    spans: [],
    records: [],
    metrics: { "tracehound.intercepts{status=ignored}": 1, "tracehound.quarantine.duplicates{}": 1 }
  },
  {
    name: "a source that is limited",
    config: () => ({ rateLimit: { maxRequests: 1 } }),
    before: intercept("a"),
    run: intercept("a"),
    caller: told("rate_limited"),
    spans: [],
    records: [],
    metrics: { "tracehound.intercepts{status=rate_limited}": 1, "tracehound.sources.blocked{}": 1 }
  }
]

const escalations: ReadonlyArray<Event> = [
  {
    name: "an escalation with which the hound is content",
    run: intercept("a", "critical"),
    caller: told("escalated", "a"),
    spans: [examined("a", "critical")],
    records: [],
    metrics: {
      "tracehound.hound.duration{}": 1,
      "tracehound.hound.jobs{outcome=complete}": 1,
      "tracehound.intercepts{status=escalated}": 1,
      "tracehound.quarantine.bytes{severity=critical}": 1,
      "tracehound.quarantine.items{severity=critical}": 1,
      "tracehound.sources.known{}": 1
    }
  },
  {
    name: "an escalation over which the hound dies",
    before: Effect.flatMap(InProcessHounds, ({ always }) => always("crash")),
    run: intercept("a", "critical"),
    caller: told("escalated", "a"),
    spans: [examined("a", "critical", "crashed")],
    records: [alerted("Warn", "failsafe.escalated", "a hound failed", { payload: "a", reason: "hound_error" })],
    metrics: {
      "tracehound.alerts.raised{type=failsafe.escalated}": 1,
      "tracehound.hound.duration{}": 1,
      "tracehound.hound.endings{cause=crashed}": 1,
      "tracehound.hound.jobs{outcome=error}": 1,
      "tracehound.hound.launches{}": 1,
      "tracehound.intercepts{status=escalated}": 1,
      "tracehound.quarantine.bytes{severity=critical}": 1,
      "tracehound.quarantine.items{severity=critical}": 1,
      "tracehound.sources.known{}": 1
    }
  }
]

const exits: ReadonlyArray<Event> = [
  {
    name: "an eviction",
    config: () => full,
    before: intercept("a", "high"),
    run: intercept("b", "high"),
    caller: told("escalated", "b"),
    spans: [examined("b", "high"), written("a")],
    records: [
      alerted("Warn", "high_severity_eviction", isFull, { payload: "a", reason: "capacity" }),
      logged("quarantine.eviction", "a", "high", "capacity")
    ],
    metrics: { ...evictedMetrics, "tracehound.alerts.raised{type=high_severity_eviction}": 1 }
  },
  {
    name: "an evacuation that is written",
    run: evacuate,
    caller: told("quarantined", "a"),
    spans: [evacuated("a"), written("a")],
    records: [logged("quarantine.evacuation", "a", "low", "request")],
    metrics: {
      "tracehound.audit.records{}": 1,
      "tracehound.coldstorage.written{}": 1,
      "tracehound.intercepts{status=quarantined}": 1,
      "tracehound.quarantine.exits{reason=evacuated,severity=low}": 1,
      "tracehound.sources.known{}": 1
    }
  },
  {
    name: "an evacuation that is not written",
    config: () => ({ audit: { coldStorage: { endpoint: "file:memory", retries: 0 } } }),
    before: Effect.flatMap(MemoryColdStorage, ({ failAlways }) => failAlways),
    run: Effect.andThen(evacuate, later),
    caller: told("quarantined", "a"),
    spans: [evacuated("a", "ColdStorageError"), written("a", "ColdStorageError")],
    records: [
      logged("quarantine.evacuation", "a", "low", "request"),
      alerted("Error", "coldstorage.failure", "evidence was not written: the endpoint failed", {
        payload: "a",
        reason: "ColdStorageError",
        frames: "…"
      }),
      {
        level: "Debug",
        body: "coldstorage.failure: its cause",
        span: "caller",
        attributes: { type: "coldstorage.failure", reason: "ColdStorageError", cause: "…" }
      }
    ],
    metrics: {
      "tracehound.alerts.raised{type=coldstorage.failure}": 1,
      "tracehound.audit.records{}": 1,
      "tracehound.coldstorage.failed{}": 1,
      "tracehound.coldstorage.kept.items{}": 1,
      "tracehound.intercepts{status=quarantined}": 1,
      "tracehound.quarantine.exits{reason=evacuated,severity=low}": 1,
      "tracehound.sources.known{}": 1
    }
  }
]

const alerts: ReadonlyArray<Event> = [
  {
    name: "an alert that is posted",
    config: (devopsEndpoint) => ({ ...full, alerts: { devopsEndpoint } }),
    before: intercept("a", "high"),
    run: intercept("b", "high"),
    caller: told("escalated", "b"),
    spans: [
      examined("b", "high"),
      written("a"),
      {
        name: "tracehound.devops.deliver",
        kind: "CLIENT",
        status: "OK",
        isLinked: true,
        attributes: {
          "tracehound.alert.type": "high_severity_eviction",
          "tracehound.alert.severity": "warning",
          "tracehound.signature": signature("a")
        }
      }
    ],
    records: [
      alerted("Warn", "high_severity_eviction", isFull, { payload: "a", reason: "capacity" }),
      logged("quarantine.eviction", "a", "high", "capacity")
    ],
    metrics: { ...evictedMetrics, "tracehound.alerts.raised{type=high_severity_eviction}": 1 }
  },
  {
    name: "an alert that is suppressed",
    config: () => ({ ...full, alerts: { maxAlertsPerWindow: 1, escalationThreshold: 100 } }),
    before: Effect.andThen(intercept("a", "high"), intercept("b", "high")),
    run: intercept("c", "high"),
    caller: told("escalated", "c"),
    spans: [examined("c", "high"), written("b")],
    records: [logged("quarantine.eviction", "b", "high", "capacity")],
    metrics: { ...evictedMetrics, "tracehound.alerts.suppressed{type=high_severity_eviction}": 1 }
  },
  {
    name: "a panic",
    before: intercept("a", "high"),
    run: Effect.andThen(Effect.flatMap(Tracehound, ({ sync }) => Effect.sync(sync.panic)), later),
    caller: {},
    spans: [
      {
        name: "tracehound.purge",
        kind: "INTERNAL",
        status: "OK",
        isLinked: true,
        attributes: { ...evidence("a", "high"), "tracehound.reason": "panic", "tracehound.outcome": "stored" }
      },
      written("a")
    ],
    records: [
      alerted(
        "Error",
        "failsafe.panic",
        "Tracehound shuts down: evidence goes to cold storage, and requests are no longer looked at",
        { reason: "request" }
      ),
      alerted("Warn", "evidence.purged", "evidence was purged: Tracehound panicked", { payload: "a", reason: "panic" })
    ],
    metrics: {
      "tracehound.alerts.raised{type=evidence.purged}": 1,
      "tracehound.alerts.raised{type=failsafe.panic}": 1,
      "tracehound.audit.records{}": 1,
      "tracehound.coldstorage.written{}": 1,
      "tracehound.panicked{}": 1,
      "tracehound.quarantine.bytes{severity=high}": -1,
      "tracehound.quarantine.exits{reason=purged,severity=high}": 1,
      "tracehound.quarantine.items{severity=high}": -1
    }
  }
]

export const events: ReadonlyArray<Event> = [...answers, ...escalations, ...exits, ...alerts]
