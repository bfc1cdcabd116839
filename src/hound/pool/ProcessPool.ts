/**
 * The pool of hounds that are processes (RFC, "Hound Pool"; CONFORMANCE H1, H4 to H7): the queue of
 * activations in front, and behind it the actor that has the hounds.
 *
 * **Details**
 *
 * - An activation finds a free hound at once, on its caller's turn; the copy of the evidence and
 *   the writing are the actor's.
 * - A look that was lost is begun anew by another hound, `maxLooks` times in all: then it has
 *   failed, and the evidence is still held.
 *
 * **Gotchas**
 *
 * - The clock and its timers are those of where the layer is built.
 * - Before `start` there are no hounds, and work waits.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Semaphore from "effect/Semaphore"
import * as Tracer from "effect/Tracer"
import { ActorSystem } from "../../actor/ActorSystem.ts"
import { Alerts } from "../../safety/alert/Alerts.ts"
import type { Hound } from "../../domain/Hound.ts"
import { Settings } from "../../config/Settings.ts"
import { SecureIds } from "../../custody/evidence/SecureIds.ts"
import { makeActivations } from "./Activations.ts"
import type { Launcher } from "./Launcher.ts"
import * as HoundMetrics from "./HoundMetrics.ts"
import { HoundBootError, type HoundFailure, type HoundJob, HoundPool, noOutcomes } from "./HoundPool.ts"
import type { ExitCause } from "./ExitCause.ts"
import type { Examination, Outcome } from "./Examination.ts"
import * as Notices from "./Notices.ts"
import { houndOf } from "./HoundTable.ts"
import { makePoolActor } from "./PoolActor.ts"
import type { ProcessExit } from "../process/Spawner.ts"
import type { SandboxReport } from "../sandbox/Sandbox.ts"

/** Hounds that look at one piece of evidence at the most, where each is lost. */
const maxLooks = 3

/**
 * Boots that may fail at the start before the start has failed, where it may have been bad luck.
 */
const maxBoots = 3

/** Endings that are somebody's force. */
const forced: ReadonlySet<ExitCause> = new Set(["error", "memory", "terminated", "timeout", "violation"])

/**
 * Endings of a boot that no second try makes better: the entry's own exit codes, and a process that
 * could not be had.
 */
const isHopeless = ({ cause, code }: ProcessExit): boolean =>
  cause === "spawn" || (code !== null && code >= 64 && code <= 68)

/** A start that waits for its hounds. */
interface Booting {
  failures: number
  readonly isReady: Deferred.Deferred<boolean>
}

/** A pool over a den, which is opened when it starts. */
export const layerOf = <R>(openLauncher: Effect.Effect<Launcher, HoundBootError, R>) =>
  Layer.effect(
    HoundPool,
    Effect.gen(function*() {
      const { hound: settings } = yield* Settings
      const { root } = yield* ActorSystem
      const alerts = yield* Alerts
      const context = yield* Effect.context<R>()
      const ids = yield* SecureIds
      const metrics = HoundMetrics.make(context)
      /**
       * Where there is no tracer but Effect's own nobody sees a span, and it would be a tenth of a
       * look.
       */
      const isTraced = context.mapUnsafe.has(Tracer.Tracer.key)
      const listeners: Array<(failure: HoundFailure) => void> = []
      let report: SandboxReport | null = null
      let booting: Booting | null = null
      let terminated = 0
      const outcomes = { ...noOutcomes }
      /** There are no hounds, and there will be none. */
      let isGivenUp = !settings.enabled

      const actor = yield* makePoolActor(root, settings, {
        newName: ids.next,
        onLaunch: metrics.launchUnsafe,
        onReady: () => {
          const wanted = Math.max(1, settings.minimumDormant)
          if (booting !== null && dormantAndActive() >= wanted)
            Deferred.doneUnsafe(booting.isReady, Effect.succeed(true))
        },
        onEnding: (cause) => {
          if (forced.has(cause))
            terminated += 1
          metrics.endingUnsafe(cause)
        },
        onViolation: () => alerts.alertUnsafe(Notices.violation),
        onBootFailure: (ending) => {
          alerts.alertUnsafe(Notices.bootFailed)
          if (booting === null) return
          booting.failures += 1
          if (booting.failures >= maxBoots || (ending !== null && isHopeless(ending)))
            Deferred.doneUnsafe(booting.isReady, Effect.succeed(false))
        },
        onChange: ({ pack }) => metrics.houndsUnsafe(pack.dormant, pack.active),
        onLastWords: (words) => Effect.annotateLogs(Effect.logDebug("a hound's last words"), { words })
      })
      const dormantAndActive = (): number => {
        const pack = actor.core()?.pack
        return pack === undefined ? 0 : pack.dormant + pack.active
      }
      const giveUp = (): void => {
        isGivenUp = true
        actor.giveUp("unavailable")
      }

      /** The hounds of what was activated and has not begun. */
      const reserved = new Map<HoundJob, number>()
      const lookOnce = (job: HoundJob, hound: number | null): Effect.Effect<Outcome> =>
        Effect.callback<Outcome>((resume) => {
          const look: Examination = { job, reserved: hound, settle: (outcome) => resume(Effect.succeed(outcome)) }
          actor.examine(look)
          return Effect.sync(() => actor.abandon(look))
        })
      const looks = Effect.fnUntraced(function*(job: HoundJob) {
        const mine = reserved.get(job) ?? null
        reserved.delete(job)
        let outcome = yield* lookOnce(job, mine)
        for (let look = 2; outcome.kind === "lost" && look <= maxLooks; look++) {
          metrics.retryUnsafe()
          outcome = yield* lookOnce(job, null)
        }
        const { hound, isVerdict, took } = outcome
        const kind = outcome.kind === "lost" ? "error" : outcome.kind
        if (isTraced || job.span !== undefined) yield* Effect.annotateCurrentSpan({ outcome: kind, hound })
        metrics.jobUnsafe(kind, took)
        outcomes[kind] += 1
        if (kind !== "error" && kind !== "timeout") return
        for (const listener of listeners) listener({ kind, isVerdict, hound, signature: job.signature })
      })
      const activations = yield* makeActivations(root, {
        // As many again as there may be hounds at work: one that is through finds the next one
        // waiting, and idles for no turn.
        places: 2 * settings.maxActive,
        maxPending: settings.maxPending,
        examine: (job) => isTraced || job.span !== undefined ? inSpan(looks(job), job) : looks(job)
      })
      // Before the queue drains: what waits for hounds that never come would hold it up.
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          if (actor.core() === null) giveUp()
        })
      )

      const boot = Effect.fnUntraced(function*(launcher: Launcher) {
        const isReady = yield* Deferred.make<boolean>()
        booting = { failures: 0, isReady }
        isGivenUp = false
        actor.open(launcher)
        const answer = yield* Deferred.await(isReady)
        booting = null
        return answer
      })
      const isStarting = yield* Semaphore.make(1)
      let isStarted = false
      const start = Effect.gen(function*() {
        if (isStarted || !settings.enabled) return
        const launcher = yield* Effect.provideContext(openLauncher, context)
        report = launcher.report
        const lowered = Notices.lowered(report)
        if (lowered !== null) alerts.alertUnsafe(lowered)
        isStarted = launcher.openSpawner !== null && (yield* boot(launcher))
        if (isStarted) return
        yield* actor.shut
        giveUp()
        // What comes with Tracehound cannot be misconfigured: the machine lacks something, and that
        // is no reason not to start.
        if (settings.analyzer === undefined) {
          isStarted = true
          return alerts.alertUnsafe(Notices.unavailable)
        }
        const said = launcher.openSpawner === null ? "" : yield* launcher.diagnose
        return yield* new HoundBootError({
          reason: launcher.openSpawner === null
            ? "this machine has no hounds, and hound.analyzer asks for them: `tracehound doctor` says what is missing"
            : said === ""
            ? "no hound was ready within hound.readyTimeout: `tracehound doctor --sandbox` tries what this machine gives"
            : said
        })
      })

      return {
        hasHounds: settings.enabled,
        stats: () => {
          const pack = actor.core()?.pack
          return {
            dormant: pack?.dormant ?? 0,
            active: pack?.active ?? 0,
            terminated,
            sandbox: pack === undefined || report === null ? "none" as const : report.level
          }
        },
        outcomes: () => ({ ...outcomes }),
        hounds: () => (actor.core()?.pack.all() ?? []).map(houndOf).filter((hound) => hound !== null),
        sandbox: () => report,
        activateUnsafe: (job): Hound | null => {
          if (isGivenUp) return null
          const isNext = activations.waitingUnsafe() === reserved.size
          if (!activations.tellUnsafe(job) || !isNext) return null
          const member = actor.act((core) => core.reserve(), null)
          if (member === null) return null
          reserved.set(job, member.id)
          return houndOf(member)
        },
        deactivateUnsafe: (hound) => actor.act((core) => core.deactivate(hound), false),
        terminateUnsafe: (hound) => actor.act((core) => core.terminate(hound), false),
        onFailure: (listener) => {
          listeners.push(listener)
        },
        rotate: actor.rotate,
        isBusy: () => (actor.core()?.pack.active ?? 0) > 0,
        start: awake(isStarting.withPermits(1)(start))
      }
    })
  )

/** A span of its own, linked to that in which the threat came: it may have ended long ago. */
const inSpan = (look: Effect.Effect<void>, { category, severity, size, span }: HoundJob): Effect.Effect<void> =>
  Effect.withSpan(look, "tracehound.hound.examine", {
    root: true,
    kind: "consumer",
    links: span === undefined ? [] : [{ span, attributes: {} }],
    attributes: { category, severity, size },
    captureStackTrace: false
  })

/** The pool as configured. */
export const layer = layerOf(Effect.flatMap(Effect.promise(() => import("./Launcher.ts")), ({ open }) => open))

/**
 * Waits with a timer of the caller's own clock: pipes and processes keep nothing awake, and whoever
 * waits for hounds must not see its process end before they are there.
 */
const awake = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.raceFirst(effect, Effect.forever(Effect.sleep("1 hour")))
