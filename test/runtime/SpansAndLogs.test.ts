/**
 * All that a host sees of each event: exactly these spans, links, attributes, statuses, alerts and
 * log lines, and no others, where its calls are traced and where they are not.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Tracer } from "effect"
import { TestClock } from "effect/testing"
import type { Scent } from "../../src/domain/Scent.ts"
import type { Severity } from "../../src/domain/Severity.ts"
import { AlertSinks } from "../../src/safety/alert/AlertSink.ts"
import * as Caller from "../../src/telemetry/Caller.ts"
// Loaded here, as it is otherwise when the first alert leaves.
import * as DevopsEndpoint from "../../src/safety/devops/DevopsEndpoint.ts"
import { documentAt } from "../documents/documents.ts"
import { hostTurns, turn } from "../safety/failsafe/world.ts"
import { type Observed, type ObservedOptions, type ObservedWorld, openObserved } from "./observed.ts"

/** A threat of the source 192.0.2.1 whose id is `id of PAYLOAD`, with a blank to be escaped. */
const threat = (payload: string, severity: Severity = "low"): Scent => ({
  id: `id of ${payload.slice(0, 4)}`,
  source: "192.0.2.1",
  timestamp: 1,
  payload,
  threat: { category: "injection", severity }
})

const signatureOf = (world: ObservedWorld, scent: Scent): string => {
  const result = world.sync.intercept(scent)
  return result.status === "ignored" ? result.signature : assert.fail(`it was ${result.status}`)
}

interface Row {
  readonly title: string
  readonly options?: Omit<ObservedOptions, "isTraced">
  readonly act: (world: ObservedWorld) => Effect.Effect<unknown>
  /**
   * `{n}` is the n-th call's span, and nothing where calls are not traced; `{n|span}` is then the
   * span.
   */
  readonly callers?: ReadonlyArray<string>
  readonly spans?: ReadonlyArray<string>
  readonly lines?: ReadonlyArray<string>
}

const intercept = (world: ObservedWorld, scent: Scent) => world.call(world.tracehound.intercept(scent))

/** The texts of a row, for calls that are traced or not. */
const filled = (texts: ReadonlyArray<string> = [], isTraced: boolean): ReadonlyArray<string> =>
  texts.map((text) =>
    text.replaceAll(/(?<before> <- | @ )\{(?<call>\d)(?:\|(?<own>[^}]+))?\}/g, (_all, ...found) => {
      const { before, call, own } = found.at(-1) as Record<string, string | undefined>
      return isTraced ? `${before}request ${call}` : own === undefined ? "" : `${before}${own}`
    })
  )

const evacuated = (world: ObservedWorld) =>
  Effect.gen(function*() {
    yield* intercept(world, threat("a"))
    yield* world.call(world.tracehound.evacuate(signatureOf(world, threat("a"))))
  })

/** Evidence of high severity is evicted by the second call, which is an alert. */
const alerted = (world: ObservedWorld) =>
  Effect.gen(function*() {
    assert.isDefined(DevopsEndpoint.make)
    const before = answers.count
    yield* intercept(world, threat("a", "high"))
    yield* intercept(world, threat("b", "high"))
    yield* turn
    yield* Effect.promise(() => hostTurns(() => answers.count > before, 100_000))
    yield* Effect.promise(() => hostTurns(() => false, 20))
  })

const devops = {
  hound: { enabled: false },
  quarantine: { maxCount: 1 },
  alerts: { maxAlertsPerWindow: 100, devopsEndpoint: "https://devops.example/s3cret", devops: { retries: 0 } }
}

/** An endpoint that answers so, and how many answers it gave. */
const answers = { count: 0 }
const answering = (status: number): typeof globalThis.fetch => async () => {
  answers.count += 1
  return new Response(null, { status })
}

const rows: ReadonlyArray<Row> = [
  {
    title: "a clean scent",
    act: (world) => intercept(world, { id: "1", source: "192.0.2.1", timestamp: 1, payload: "a" }),
    callers: [
      "request 1 tracehound.status=clean"
    ]
  },
  {
    title: "evidence that is quarantined, and its duplicate",
    act: (world) => Effect.andThen(intercept(world, threat("a")), intercept(world, threat("a"))),
    callers: [
      "request 1 tracehound.signature=<a> tracehound.status=quarantined",
      "request 2 tracehound.signature=<a> tracehound.status=ignored"
    ]
  },
  {
    title: "scents that are limited, too large or wrong",
    options: { config: { maxPayloadSize: 4, rateLimit: { maxRequests: 2 } } },
    act: (world) =>
      Effect.all([
        intercept(world, threat("too large")),
        intercept(world, { ...threat("a"), id: 7 as never }),
        intercept(world, threat("a")),
        intercept(world, threat("a"))
      ]),
    callers: [
      "request 1 tracehound.status=payload_too_large",
      "request 2 tracehound.status=error",
      "request 3 tracehound.signature=<a> tracehound.status=quarantined",
      "request 4 tracehound.status=rate_limited"
    ]
  },
  {
    title: "evidence that is evicted",
    options: { config: { hound: { enabled: false }, quarantine: { maxCount: 1 } } },
    act: (world) => Effect.andThen(intercept(world, threat("a")), intercept(world, threat("b"))),
    callers: [
      "request 1 tracehound.signature=<a> tracehound.status=quarantined",
      "request 2 tracehound.signature=<b> tracehound.status=quarantined"
    ],
    spans: [
      "tracehound.coldstorage.write client <- {2}: ok tracehound.outcome=written tracehound.signature=<a> tracehound.size=1 tracehound.tries=1"
    ],
    lines: [
      "Debug quarantine.eviction @ {2} evidenceId=id\\u{20}of\\u{20}a reason=capacity severity=low signature=<a>"
    ]
  },
  {
    title: "evidence of high severity that is evicted and not written",
    options: {
      config: {
        hound: { enabled: false },
        quarantine: { maxCount: 1 },
        audit: { coldStorage: { endpoint: "file:memory", retries: 1 } }
      }
    },
    act: (world) =>
      Effect.gen(function*() {
        yield* world.memory.failAlways
        yield* intercept(world, threat("a", "high"))
        yield* intercept(world, threat("b", "high"))
        yield* turn
        yield* TestClock.adjust("1 minute")
      }),
    callers: [
      "request 1 tracehound.signature=<a> tracehound.status=quarantined",
      "request 2 tracehound.signature=<b> tracehound.status=quarantined"
    ],
    spans: [
      "tracehound.coldstorage.write client <- {2}: ERROR ColdStorageError error.type=ColdStorageError tracehound.outcome=lost tracehound.signature=<a> tracehound.size=1 tracehound.tries=2 (tracehound.coldstorage.try 1 ColdStorageError) (tracehound.coldstorage.try 2 ColdStorageError)"
    ],
    lines: [
      "Warn high_severity_eviction @ {2} evidenceId=id\\u{20}of\\u{20}a reason=capacity signature=<a>",
      "Debug quarantine.eviction @ {2} evidenceId=id\\u{20}of\\u{20}a reason=capacity severity=high signature=<a>",
      "Error coldstorage.failure @ {2|tracehound.coldstorage.write} evidenceId=id\\u{20}of\\u{20}a frames=… reason=ColdStorageError signature=<a>",
      "Debug coldstorage.failure: its cause @ {2|tracehound.coldstorage.write} cause=cold storage file:memory: … was not written: told to fail reason=ColdStorageError"
    ]
  },
  {
    title: "an arrival that is turned away, and cold storage that refuses it",
    options: {
      config: {
        hound: { enabled: false },
        quarantine: { maxCount: 1 },
        audit: { coldStorage: { endpoint: "file:memory", maxPendingBytes: 1024 } },
        maxPayloadSize: 4096
      }
    },
    act: (world) =>
      Effect.andThen(intercept(world, threat("a", "high")), intercept(world, threat("b".repeat(2000), "low"))),
    callers: [
      "request 1 tracehound.signature=<a> tracehound.status=quarantined",
      "request 2 tracehound.signature=<large> tracehound.status=quarantined"
    ],
    lines: [
      "Error coldstorage.refused @ {2} evidenceId=id\\u{20}of\\u{20}bbbb reason=full signature=<large>",
      "Debug quarantine.eviction @ {2} evidenceId=id\\u{20}of\\u{20}bbbb reason=capacity severity=low signature=<large>"
    ]
  },
  {
    title: "evidence that escalates and is examined well",
    act: (world) => intercept(world, threat("a", "critical")),
    callers: [
      "request 1 tracehound.signature=<a> tracehound.status=escalated"
    ],
    spans: [
      "tracehound.hound.examine internal <- {1}: ok tracehound.category=injection tracehound.hound=… tracehound.outcome=complete tracehound.severity=critical tracehound.signature=<a> tracehound.size=1"
    ]
  },
  {
    title: "evidence that escalates and gets the verdict error",
    act: (world) => Effect.andThen(world.hounds.next("error"), intercept(world, threat("a", "critical"))),
    callers: [
      "request 1 tracehound.signature=<a> tracehound.status=escalated"
    ],
    spans: [
      "tracehound.hound.examine internal <- {1}: ERROR error error.type=error tracehound.category=injection tracehound.hound=… tracehound.outcome=error tracehound.severity=critical tracehound.signature=<a> tracehound.size=1"
    ],
    lines: [
      "Warn failsafe.escalated @ {1|tracehound.hound.examine} evidenceId=id\\u{20}of\\u{20}a reason=hound_error signature=<a>"
    ]
  },
  {
    title: "evidence over which a hound crashes",
    options: { config: { failSafe: { onHoundError: "quarantine" } } },
    act: (world) => Effect.andThen(world.hounds.next("crash"), intercept(world, threat("a", "critical"))),
    callers: [
      "request 1 tracehound.signature=<a> tracehound.status=escalated"
    ],
    spans: [
      "tracehound.hound.examine internal <- {1}: ERROR crashed error.type=crashed tracehound.category=injection tracehound.hound=… tracehound.outcome=error tracehound.severity=critical tracehound.signature=<a> tracehound.size=1"
    ]
  },
  {
    title: "evidence that is not examined in time, and purged",
    act: (world) =>
      Effect.gen(function*() {
        yield* world.hounds.next("hang")
        yield* intercept(world, threat("a", "critical"))
        yield* turn
        yield* TestClock.adjust("5 seconds")
      }),
    callers: [
      "request 1 tracehound.signature=<a> tracehound.status=escalated"
    ],
    spans: [
      "tracehound.hound.examine internal <- {1}: ERROR timeout error.type=timeout tracehound.category=injection tracehound.hound=… tracehound.outcome=timeout tracehound.severity=critical tracehound.signature=<a> tracehound.size=1",
      "tracehound.purge internal <- {1|tracehound.hound.examine}: ok tracehound.category=injection tracehound.outcome=stored tracehound.reason=timeout tracehound.severity=critical tracehound.signature=<a> tracehound.size=1",
      "tracehound.coldstorage.write client <- {1|tracehound.hound.examine}: ok tracehound.outcome=written tracehound.signature=<a> tracehound.size=1 tracehound.tries=1"
    ],
    lines: [
      "Warn evidence.purged @ {1|tracehound.hound.examine} evidenceId=id\\u{20}of\\u{20}a reason=timeout signature=<a>"
    ]
  },
  {
    title: "evidence that is evacuated",
    act: (world) => evacuated(world),
    callers: [
      "request 1 tracehound.signature=<a> tracehound.status=quarantined",
      "request 2"
    ],
    spans: [
      "tracehound.evacuation internal <- {2}: ok tracehound.category=injection tracehound.compressed_size=… tracehound.severity=low tracehound.signature=<a> tracehound.size=1",
      "tracehound.coldstorage.write client <- {2|tracehound.evacuation}: ok tracehound.outcome=written tracehound.signature=<a> tracehound.size=1 tracehound.tries=1"
    ],
    lines: [
      "Debug quarantine.evacuation @ {2|tracehound.evacuation} evidenceId=id\\u{20}of\\u{20}a reason=request severity=low signature=<a>"
    ]
  },
  {
    title: "evidence that is evacuated by its handle",
    act: (world) =>
      Effect.gen(function*() {
        const result = yield* intercept(world, threat("a"))
        yield* world.call(Effect.sync(() => "handle" in result ? result.handle.evacuate() : null))
      }),
    callers: [
      "request 1 tracehound.signature=<a> tracehound.status=quarantined",
      "request 2"
    ],
    spans: [
      "tracehound.evacuation internal <- {2}: ok tracehound.category=injection tracehound.compressed_size=… tracehound.severity=low tracehound.signature=<a> tracehound.size=1",
      "tracehound.coldstorage.write client <- {2|tracehound.evacuation}: ok tracehound.outcome=written tracehound.signature=<a> tracehound.size=1 tracehound.tries=1"
    ],
    lines: [
      "Debug quarantine.evacuation @ {2|tracehound.evacuation} evidenceId=id\\u{20}of\\u{20}a reason=request severity=low signature=<a>"
    ]
  },
  {
    title: "evidence that is evacuated and not written",
    options: { config: { audit: { coldStorage: { endpoint: "file:memory", retries: 2 } } } },
    act: (world) =>
      Effect.gen(function*() {
        yield* world.memory.failAlways
        yield* evacuated(world)
        yield* turn
        yield* TestClock.adjust("1 minute")
      }),
    callers: [
      "request 1 tracehound.signature=<a> tracehound.status=quarantined",
      "request 2"
    ],
    spans: [
      "tracehound.evacuation internal <- {2}: ERROR ColdStorageError error.type=ColdStorageError tracehound.category=injection tracehound.compressed_size=… tracehound.severity=low tracehound.signature=<a> tracehound.size=1",
      "tracehound.coldstorage.write client <- {2|tracehound.evacuation}: ERROR ColdStorageError error.type=ColdStorageError tracehound.outcome=lost tracehound.signature=<a> tracehound.size=1 tracehound.tries=3 (tracehound.coldstorage.try 1 ColdStorageError) (tracehound.coldstorage.try 2 ColdStorageError) (tracehound.coldstorage.try 3 ColdStorageError)"
    ],
    lines: [
      "Debug quarantine.evacuation @ {2|tracehound.evacuation} evidenceId=id\\u{20}of\\u{20}a reason=request severity=low signature=<a>",
      "Error coldstorage.failure @ {2|tracehound.evacuation} evidenceId=id\\u{20}of\\u{20}a frames=… reason=ColdStorageError signature=<a>",
      "Debug coldstorage.failure: its cause @ {2|tracehound.evacuation} cause=cold storage file:memory: … was not written: told to fail reason=ColdStorageError"
    ]
  },
  {
    title: "evidence that is evacuated to a disk that is full",
    options: { config: { audit: { coldStorage: { endpoint: "file:memory", retries: 0 } } } },
    act: (world) =>
      Effect.suspend(() => {
        world.broken.full = true
        return evacuated(world)
      }),
    callers: [
      "request 1 tracehound.signature=<a> tracehound.status=quarantined",
      "request 2"
    ],
    spans: [
      "tracehound.evacuation internal <- {2}: ERROR ENOSPC error.type=ENOSPC tracehound.category=injection tracehound.compressed_size=… tracehound.severity=low tracehound.signature=<a> tracehound.size=1",
      "tracehound.coldstorage.write client <- {2|tracehound.evacuation}: ERROR ENOSPC error.type=ENOSPC tracehound.outcome=lost tracehound.signature=<a> tracehound.size=1 tracehound.tries=1 (tracehound.coldstorage.try 1 ENOSPC)"
    ],
    lines: [
      "Debug quarantine.evacuation @ {2|tracehound.evacuation} evidenceId=id\\u{20}of\\u{20}a reason=request severity=low signature=<a>",
      "Error coldstorage.failure @ {2|tracehound.evacuation} code=ENOSPC evidenceId=id\\u{20}of\\u{20}a reason=ColdStorageError signature=<a>",
      "Debug coldstorage.failure: its cause @ {2|tracehound.evacuation} cause=no space left on device reason=ColdStorageError"
    ]
  },
  {
    title: "evidence that is evacuated while the endpoint hangs",
    options: { config: { audit: { coldStorage: { endpoint: "file:memory", retries: 0 } } } },
    act: (world) =>
      Effect.gen(function*() {
        yield* world.memory.hang()
        yield* evacuated(world)
        yield* turn
        yield* TestClock.adjust("1 minute")
      }),
    callers: [
      "request 1 tracehound.signature=<a> tracehound.status=quarantined",
      "request 2"
    ],
    spans: [
      "tracehound.evacuation internal <- {2}: ERROR timeout error.type=timeout tracehound.category=injection tracehound.compressed_size=… tracehound.severity=low tracehound.signature=<a> tracehound.size=1",
      "tracehound.coldstorage.write client <- {2|tracehound.evacuation}: ERROR timeout error.type=timeout tracehound.outcome=lost tracehound.signature=<a> tracehound.size=1 tracehound.tries=1 (tracehound.coldstorage.try 1 timeout)"
    ],
    lines: [
      "Debug quarantine.evacuation @ {2|tracehound.evacuation} evidenceId=id\\u{20}of\\u{20}a reason=request severity=low signature=<a>",
      "Error coldstorage.failure @ {2|tracehound.evacuation} evidenceId=id\\u{20}of\\u{20}a reason=timeout signature=<a>"
    ]
  },
  {
    title: "an evacuation that cold storage refuses",
    options: { config: { audit: { coldStorage: { endpoint: "file:memory", maxPendingBytes: 1024 } } } },
    act: (world) =>
      Effect.gen(function*() {
        const large = threat("x".repeat(2000))
        yield* intercept(world, large)
        yield* world.call(world.tracehound.evacuate(signatureOf(world, large)))
      }),
    callers: [
      "request 1 tracehound.signature=<large> tracehound.status=quarantined",
      "request 2"
    ],
    spans: [
      "tracehound.evacuation internal <- {2}: ERROR refused error.type=refused tracehound.category=injection tracehound.severity=low tracehound.signature=<large> tracehound.size=2000"
    ],
    lines: [
      "Error coldstorage.refused @ {2|tracehound.evacuation} evidenceId=id\\u{20}of\\u{20}xxxx reason=full signature=<large>"
    ]
  },
  {
    title: "an evacuation that cannot be encoded",
    act: (world) =>
      Effect.suspend(() => {
        world.broken.compressing = true
        return evacuated(world)
      }),
    callers: [
      "request 1 tracehound.signature=<a> tracehound.status=quarantined",
      "request 2"
    ],
    spans: [
      "tracehound.evacuation internal <- {2}: ERROR encode_error error.type=encode_error tracehound.category=injection tracehound.severity=low tracehound.signature=<a> tracehound.size=1",
      "tracehound.purge internal <- {2|tracehound.evacuation}: ok tracehound.category=injection tracehound.outcome=stored tracehound.reason=error tracehound.severity=low tracehound.signature=<a> tracehound.size=1",
      "tracehound.coldstorage.write client <- {2|tracehound.evacuation}: ok tracehound.outcome=written tracehound.signature=<a> tracehound.size=1 tracehound.tries=1"
    ],
    lines: [
      "Warn evidence.purged @ {2|tracehound.evacuation} evidenceId=id\\u{20}of\\u{20}a reason=error signature=<a>"
    ]
  },
  {
    title: "evidence that was tampered with",
    act: (world) =>
      Effect.gen(function*() {
        yield* intercept(world, threat("a"))
        const signature = signatureOf(world, threat("a"))
        new Uint8Array(world.sync.quarantine.get(signature)?.bytes ?? assert.fail("it is not held")).fill(0)
        yield* world.call(world.tracehound.neutralize(signature))
      }),
    callers: [
      "request 1 tracehound.signature=<a> tracehound.status=quarantined",
      "request 2"
    ],
    lines: [
      "Error evidence.tampered @ {2} evidenceId=id\\u{20}of\\u{20}a signature=<a>"
    ]
  },
  {
    title: "an actor that crashes",
    act: (world) =>
      Effect.suspend(() => {
        world.broken.sealing = true
        return evacuated(world)
      }),
    callers: [
      "request 1 tracehound.signature=<a> tracehound.status=quarantined",
      "request 2"
    ],
    spans: [
      "tracehound.evacuation internal <- {2}: ERROR crashed error.type=crashed tracehound.category=injection tracehound.compressed_size=… tracehound.severity=low tracehound.signature=<a> tracehound.size=1"
    ],
    lines: [
      "Error tracehound/compressor crashed @ {2|tracehound.evacuation} actor=tracehound/compressor incarnation=1 reason=Error",
      "Error coldstorage.failure @ {2|tracehound.evacuation} evidenceId=id\\u{20}of\\u{20}a reason=crashed signature=<a>",
      "Debug quarantine.evacuation @ {2|tracehound.evacuation} evidenceId=id\\u{20}of\\u{20}a reason=request severity=low signature=<a>"
    ]
  },
  {
    title: "a scent that cannot be handled",
    act: (world) =>
      intercept(
        world,
        Object.defineProperty(threat("a"), "payload", {
          get: () => {
            throw new RangeError("not\nthis one")
          }
        })
      ),
    callers: [
      "request 1 tracehound.status=error"
    ],
    lines: [
      "Error intercept.failure @ {1} frames=… reason=RangeError",
      "Debug intercept.failure: its cause @ {1} cause=not\\u{a}this one reason=RangeError"
    ]
  },
  {
    title: "an alert that is posted",
    options: { config: devops, fetch: answering(204) },
    act: alerted,
    callers: [
      "request 1 tracehound.signature=<a> tracehound.status=quarantined",
      "request 2 tracehound.signature=<b> tracehound.status=quarantined"
    ],
    spans: [
      "tracehound.coldstorage.write client <- {2}: ok tracehound.outcome=written tracehound.signature=<a> tracehound.size=1 tracehound.tries=1",
      "tracehound.devops.deliver client <- {2}: ok tracehound.alert.severity=warning tracehound.alert.type=high_severity_eviction tracehound.signature=<a>"
    ],
    lines: [
      "Warn high_severity_eviction @ {2} evidenceId=id\\u{20}of\\u{20}a reason=capacity signature=<a>",
      "Debug quarantine.eviction @ {2} evidenceId=id\\u{20}of\\u{20}a reason=capacity severity=high signature=<a>"
    ]
  },
  {
    title: "an alert that the endpoint refuses",
    options: { config: devops, fetch: answering(400) },
    act: alerted,
    callers: [
      "request 1 tracehound.signature=<a> tracehound.status=quarantined",
      "request 2 tracehound.signature=<b> tracehound.status=quarantined"
    ],
    spans: [
      "tracehound.coldstorage.write client <- {2}: ok tracehound.outcome=written tracehound.signature=<a> tracehound.size=1 tracehound.tries=1",
      "tracehound.devops.deliver client <- {2}: ERROR refused error.type=refused tracehound.alert.severity=warning tracehound.alert.type=high_severity_eviction tracehound.signature=<a>"
    ],
    lines: [
      "Warn high_severity_eviction @ {2} evidenceId=id\\u{20}of\\u{20}a reason=capacity signature=<a>",
      "Debug quarantine.eviction @ {2} evidenceId=id\\u{20}of\\u{20}a reason=capacity severity=high signature=<a>",
      "Warn devops.failure @ {2|tracehound.devops.deliver} reason=refused"
    ]
  },
  {
    title: "alerts that are suppressed",
    options: {
      config: { ...devops, alerts: { ...devops.alerts, maxAlertsPerWindow: 1, escalationThreshold: 2 } },
      fetch: answering(204)
    },
    act: (world) =>
      Effect.andThen(
        alerted(world),
        Effect.forEach(["c", "d", "e"], (payload) => intercept(world, threat(payload, "high")))
      ),
    callers: [
      "request 1 tracehound.signature=<a> tracehound.status=quarantined",
      "request 2 tracehound.signature=<b> tracehound.status=quarantined",
      "request 3 tracehound.signature=<c> tracehound.status=quarantined",
      "request 4 tracehound.signature=<d> tracehound.status=quarantined",
      "request 5 tracehound.signature=<e> tracehound.status=quarantined"
    ],
    spans: [
      "tracehound.coldstorage.write client <- {2}: ok tracehound.outcome=written tracehound.signature=<a> tracehound.size=1 tracehound.tries=1",
      "tracehound.devops.deliver client <- {2}: ok tracehound.alert.severity=warning tracehound.alert.type=high_severity_eviction tracehound.signature=<a>",
      "tracehound.coldstorage.write client <- {3}: ok tracehound.outcome=written tracehound.signature=<b> tracehound.size=1 tracehound.tries=1",
      "tracehound.coldstorage.write client <- {4}: ok tracehound.outcome=written tracehound.signature=<c> tracehound.size=1 tracehound.tries=1",
      "tracehound.coldstorage.write client <- {5}: ok tracehound.outcome=written tracehound.signature=<d> tracehound.size=1 tracehound.tries=1",
      "tracehound.devops.deliver client <- {4}: ok tracehound.alert.severity=critical tracehound.alert.type=alert.flood"
    ],
    lines: [
      "Warn high_severity_eviction @ {2} evidenceId=id\\u{20}of\\u{20}a reason=capacity signature=<a>",
      "Debug quarantine.eviction @ {2} evidenceId=id\\u{20}of\\u{20}a reason=capacity severity=high signature=<a>",
      "Error alert.flood @ {4} alertCount=3",
      "Debug quarantine.eviction @ {3} evidenceId=id\\u{20}of\\u{20}b reason=capacity severity=high signature=<b>",
      "Debug quarantine.eviction @ {4} evidenceId=id\\u{20}of\\u{20}c reason=capacity severity=high signature=<c>",
      "Debug quarantine.eviction @ {5} evidenceId=id\\u{20}of\\u{20}d reason=capacity severity=high signature=<d>"
    ]
  },
  {
    title: "a panic",
    act: (world) =>
      Effect.gen(function*() {
        yield* intercept(world, threat("a"))
        yield* intercept(world, threat("b"))
        yield* world.call(Effect.sync(world.sync.panic))
      }),
    callers: [
      "request 1 tracehound.signature=<a> tracehound.status=quarantined",
      "request 2 tracehound.signature=<b> tracehound.status=quarantined",
      "request 3"
    ],
    spans: [
      "tracehound.purge internal <- {3}: ok tracehound.category=injection tracehound.outcome=stored tracehound.reason=panic tracehound.severity=low tracehound.signature=<a> tracehound.size=1",
      "tracehound.purge internal <- {3}: ok tracehound.category=injection tracehound.outcome=stored tracehound.reason=panic tracehound.severity=low tracehound.signature=<b> tracehound.size=1",
      "tracehound.coldstorage.write client <- {3|tracehound.purge}: ok tracehound.outcome=written tracehound.signature=<a> tracehound.size=1 tracehound.tries=1",
      "tracehound.coldstorage.write client <- {3|tracehound.purge}: ok tracehound.outcome=written tracehound.signature=<b> tracehound.size=1 tracehound.tries=1"
    ],
    lines: [
      "Error failsafe.panic @ {3} reason=request",
      "Warn evidence.purged @ {3|tracehound.purge} evidenceId=id\\u{20}of\\u{20}a reason=panic signature=<a>",
      "Warn evidence.purged @ {3|tracehound.purge} evidenceId=id\\u{20}of\\u{20}b reason=panic signature=<b>"
    ]
  }
]

/** Where a row has an alert, the alert says what its line says. */
const agree = ({ alerts, lines }: Observed): void => {
  const told = lines.filter((line) => /^(?:Error|Warn|Info) \S+(?: |$)/.test(line) && !line.includes(" actor="))
  assert.strictEqual(alerts.length, told.length, "each alert has its line")
}

const play = (row: Row, isTraced: boolean) =>
  Effect.gen(function*() {
    const world = yield* openObserved({ isTraced, ...row.options })
    yield* row.act(world)
    yield* turn
    const observed = yield* world.observed
    agree(observed)
    assert.deepStrictEqual(observed.callers, isTraced ? row.callers ?? [] : [])
    assert.deepStrictEqual(observed.spans, filled(row.spans, isTraced))
    assert.deepStrictEqual(observed.lines, filled(row.lines, isTraced))
  })

describe("a host sees", () => {
  for (const row of rows) {
    it.effect(`RFC W6 of ${row.title}: exactly this, where calls are traced`, () => play(row, true))
    it.effect(`RFC W6 of ${row.title}: the same without callers' spans`, () => play(row, false))
  }
})

describe("work in the background", () => {
  it.effect("RFC W6 a callback and what it does belong to the call that it came from", () =>
    Effect.gen(function*() {
      const seen: Array<string | undefined> = []
      const world: ObservedWorld = yield* openObserved({
        isTraced: true,
        callbacks: {
          // It has the alert's own trace, and calls as the host does.
          onEscalate: ({ signature = "", trace }) => {
            seen.push(trace?.spanId)
            world.sync.evacuate(signature)
          }
        }
      })
      yield* world.hounds.next("error")
      yield* intercept(world, threat("a", "critical"))
      yield* turn
      yield* Effect.promise(() => hostTurns())
      yield* turn
      const { spans } = yield* world.observed
      assert.deepStrictEqual(spans.map((span) => span.split(":")[0]), [
        "tracehound.hound.examine internal <- request 1",
        "tracehound.evacuation internal <- request 1",
        "tracehound.coldstorage.write client <- request 1"
      ])
      assert.match(seen.join(), /^[0-9a-f]{16}$/)
    }))
})

describe("a host that can be asked for its span", () => {
  const hostSpan = (digit: string) => Tracer.externalSpan({ spanId: digit.repeat(16), traceId: digit.repeat(32) })

  for (const atCall of [hostSpan("a"), undefined]) {
    it.effect(`RFC W6 is asked on a call's turn alone: work in the background is ${atCall === undefined ? "nobody's" : "the call's"}`, () => {
      let active: Tracer.AnySpan | undefined = atCall
      return Effect.gen(function*() {
        const world: ObservedWorld = yield* openObserved({
          isTraced: false,
          config: { failSafe: { panic: { threshold: { min: 1, max: 2 } } } },
          callbacks: {
            onEscalate: ({ signature = "" }) => void world.sync.evacuate(signature),
            onPanicThreshold: () => "panic"
          }
        })
        yield* world.hounds.next("hang", "crash")
        for (const payload of ["a", "b"]) world.sync.intercept(threat(payload, "critical"))
        world.sync.intercept(threat("c"))
        // The background has a context of its own, which is some other request's.
        active = hostSpan("b")
        yield* turn
        yield* TestClock.adjust("5 seconds")
        for (let n = 0; n < 3; n++) yield* Effect.andThen(turn, Effect.promise(() => hostTurns()))
        const { alerts, spans } = yield* world.observed
        const told = alerts.map(({ trace, type }) => [type, trace?.spanId[0] === "b"])
        assert.includeDeepMembers(told, [["evidence.purged", false], ["failsafe.escalated", false], [
          "failsafe.panic",
          false
        ]])
        assert.isTrue(told.every(([, isOther]) => isOther === false), told.join())
        assert.isFalse(spans.some((span) => span.includes("bbbbbbbb")), spans.join("\n"))
        assert.strictEqual(
          spans.filter((span) => span.includes("<- aaaa")).length,
          atCall === undefined ? 0 : spans.length
        )
      }).pipe(Effect.provideService(Caller.Caller, Caller.make(() => active)))
    })
  }
})

describe("a callback that came from no span", () => {
  it.effect("RFC W6 does what it does in nobody's name, whatever span the host has then", () => {
    let active: Tracer.AnySpan | undefined
    return Effect.gen(function*() {
      let isAsked = false
      const world: ObservedWorld = yield* openObserved({
        isTraced: false,
        config: { hound: { enabled: false }, quarantine: { maxCount: 1 } },
        callbacks: {
          onQuarantineFull: () => {
            const result = world.sync.intercept(threat("b"))
            isAsked = result.status === "ignored" && world.sync.evacuate(result.signature) !== null
          }
        }
      })
      for (const payload of ["a", "b"]) world.sync.intercept(threat(payload))
      active = Tracer.externalSpan({ spanId: "b".repeat(16), traceId: "b".repeat(32) })
      yield* turn
      const { spans } = yield* world.observed
      assert.isTrue(isAsked)
      assert.deepStrictEqual(spans.map((span) => span.split(":")[0]), [
        "tracehound.evacuation internal",
        "tracehound.coldstorage.write client",
        "tracehound.coldstorage.write client <- tracehound.evacuation"
      ])
    }).pipe(Effect.provideService(Caller.Caller, Caller.make(() => active)))
  })
})

describe("a sink of the host's", () => {
  it.effect("RFC W6 sends within the span that the alert came from", () => {
    const seen: Array<string> = []
    const sink = {
      send: () => Effect.map(Effect.orDie(Effect.currentSpan), ({ name }) => seen.push(name))
    }
    return Effect.gen(function*() {
      const world = yield* openObserved({ isTraced: true, config: { quarantine: { maxCount: 1 } } })
      yield* intercept(world, threat("a", "high"))
      yield* intercept(world, threat("b", "high"))
      yield* turn
      assert.deepStrictEqual(seen, ["request 2"])
    }).pipe(Effect.provideService(AlertSinks, [sink]))
  })
})

describe("under a flood", () => {
  const floods = [["threats", (n: number) => threat(`${n}`)], ["duplicates", () => threat("a")]] as const
  it.effect.each(floods)(
    "RFC W6 of %s there are no more spans than work, each with bounded words",
    ([, scentOf]) =>
      Effect.gen(function*() {
        const world = yield* openObserved({
          isTraced: false,
          config: { hound: { enabled: false }, quarantine: { maxCount: 10 }, alerts: { maxAlertsPerWindow: 3 } }
        })
        for (let n = 0; n < 1_000; n++) world.sync.intercept({ ...scentOf(n), id: `\u0000${n}`, source: `${n}` })
        yield* turn
        yield* world.tracehound.settled
        const { spans } = yield* world.observed
        assert.strictEqual(spans.length, world.sync.coldStorage.stats().written)
        const words = new Set(spans.map((span) => span.replace(/tracehound\.signature=\S+/, "")))
        assert.isAtMost(words.size, 3, "names and values are fixed words and sizes")
      })
  )
})

describe("docs/spans-and-logs.md", () => {
  const { text } = documentAt("docs/spans-and-logs.md")
  /** The rows of its tables, as cells. */
  const table = text.split("\n").filter((line) => line.startsWith("| `")).map((line) => line.split(" | "))
  const namesIn = (cell: string | undefined): ReadonlyArray<string> =>
    [...(cell ?? "").matchAll(/`(?<name>[^`]+)`/g)].map(({ groups }) => groups?.["name"] ?? "")
  const keysOf = (seen: string): ReadonlyArray<string> =>
    [...seen.matchAll(/ (?<key>[a-zA-Z][\w.]*)=/g)].map(({ groups }) => groups?.["key"] ?? "")
  const all = (pick: (row: Row) => ReadonlyArray<string> | undefined) => rows.flatMap((row) => pick(row) ?? [])

  it("RFC W6 has each span with its kind and its attributes, and no other", () => {
    const seen = new Map<string, Set<string>>()
    for (const span of all((row) => row.spans)) {
      const [name = "", kind = ""] = span.split(/[ :]/)
      const known = seen.get(`${name} ${kind}`) ?? new Set()
      for (const key of keysOf(span)) known.add(key)
      seen.set(`${name} ${kind}`, known)
    }
    // No row makes cold storage refuse a purge.
    seen.get("tracehound.purge internal")?.add("error.type")
    const documented = table.filter((cells) => cells.length === 5)
      .map(([name, kind = "", , attributes]) => [`${namesIn(name)[0]} ${kind}`, namesIn(attributes).toSorted()])
    assert.deepStrictEqual(
      new Map(documented as never),
      new Map([...seen].map(([name, keys]) => [name, [...keys].toSorted()]))
    )
  })

  it("RFC W6 says what each attribute and each annotation means, and no other", () => {
    const explained = new Set(table.filter((cells) => cells.length === 2).flatMap(([names]) => namesIn(names)))
    const shown = table.filter((cells) => cells.length >= 4).flatMap((cells) => namesIn(cells[3]))
    const callers = all((row) => row.callers).flatMap(keysOf)
    assert.sameMembers([...explained], [...new Set([...shown, ...callers])])
  })

  it("RFC W6 has each line with its annotations", () => {
    const lines = table.filter((cells) => cells.length === 4)
    const alert = lines.find(([name]) => name?.includes("<message>"))
    for (const line of all((row) => row.lines)) {
      const [, name = ""] = /^\w+ (.+?)(?= @ | \w+=|$)/.exec(line) ?? []
      const wanted = name.replace(/^\S+(?=: its cause| crashed)/, (word) => word.includes("/") ? "<actor>" : "<type>")
      const row = lines.find(([known]) => namesIn(known).includes(wanted)) ?? alert
      for (const key of keysOf(line)) assert.include(namesIn(row?.[3]), key, line)
    }
  })

  it("RFC W6 and the page on alerts say what each alert has besides", () => {
    const types = documentAt("docs/alerts-and-fail-safe.md").text.split("\n").map((line) => line.split(" | "))
    const common = ["traceId", "spanId"]
    for (const line of all((row) => row.lines).filter((line) => /^(?:Error|Warn) [\w.]+ /.test(line))) {
      const [, type = ""] = line.split(" ")
      const row = types.find(([name]) => name === `| \`${type}\``) ?? assert.fail(type)
      assert.deepStrictEqual(keysOf(line).filter((key) => ![...namesIn(row[3]), ...common].includes(key)), [], line)
    }
  })
})
