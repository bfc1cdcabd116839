/**
 * The pool of hounds that are processes (RFC, "Hound Pool"; CONFORMANCE H1, H4 to H7).
 *
 * A job goes from `activateUnsafe` into the waiting line (`WaitingLine.ts`), and from there to a
 * hound, which the pool core (`PoolCore.ts`) decides on the turn of the actor `hounds`
 * (`PoolActor.ts`).
 *
 * **Details**
 *
 * - An activation finds a free hound at once, on its caller's turn; the evidence is copied and
 *   written on the actor's turn.
 * - An examination whose hound was lost goes to another hound, three in all: then it has failed,
 *   and the evidence is still held (`PooledExamination.ts`).
 *
 * **Gotchas**
 *
 * - The clock and its timers are those of where the layer is built.
 * - Before `start` there are no hounds, and jobs wait.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ActorSystem } from "../../actor/ActorSystem.ts"
import { Settings } from "../../config/Settings.ts"
import { SecureIds } from "../../custody/evidence/SecureIds.ts"
import type { Hound } from "../../domain/Hound.ts"
import { uncut } from "../../host/node/Awake.ts"
import { Alerts } from "../../safety/alert/Alerts.ts"
import { Caller } from "../../telemetry/Caller.ts"
import * as RootSpans from "../../telemetry/RootSpans.ts"
import { type Activations, makeActivations } from "./Activations.ts"
import { withoutHound } from "./Examination.ts"
import { ExaminationReport } from "./ExaminationReport.ts"
import type { ExitCause } from "./ExitCause.ts"
import { type HoundBootError, type HoundFailure, type HoundJob, HoundPool, type HoundStats } from "./HoundPool.ts"
import { houndOf } from "./HoundTable.ts"
import { type HoundCounts, HoundTally } from "./HoundTally.ts"
import type { Launcher } from "./Launcher.ts"
import * as Notices from "./Notices.ts"
import { makePoolActor, type PoolActor, type PoolHooks } from "./PoolActor.ts"
import type { PoolCore } from "./PoolCore.ts"
import { PooledExamination } from "./PooledExamination.ts"
import { PoolStart } from "./PoolStart.ts"
import { WaitingLine } from "./WaitingLine.ts"

/** Causes of exits that count as `terminated`: the pool used force. */
const forced: ReadonlySet<ExitCause> = new Set(["error", "memory", "terminated", "timeout", "violation"])

interface Parts {
  readonly actor: PoolActor
  readonly activations: Activations<PooledExamination>
  readonly line: WaitingLine<PooledExamination>
  readonly report: ExaminationReport
  readonly start: PoolStart
  readonly tally: HoundTally
  /** How many hounds were ended by force so far. */
  readonly terminated: () => number
}

/** The service over its parts. Its functions need no `this`. */
class ProcessPool {
  readonly hasHounds: boolean
  readonly rotate: Effect.Effect<void>
  readonly start: Effect.Effect<void, HoundBootError>
  readonly counts: HoundCounts
  readonly #parts: Parts
  readonly #core: PoolCore

  constructor(hasHounds: boolean, parts: Parts) {
    this.hasHounds = hasHounds
    this.rotate = parts.actor.rotate
    this.start = parts.start.start(parts.actor)
    this.counts = parts.tally
    this.#parts = parts
    this.#core = parts.actor.core
  }

  readonly stats = (): HoundStats => {
    const { isOpen, table } = this.#core
    const { report } = this.#parts.start
    const sandbox = !isOpen || report === null ? "none" : report.level
    return { dormant: table.dormant, active: table.active, terminated: this.#parts.terminated(), sandbox }
  }

  readonly outcomes = () => this.#parts.report.outcomes

  readonly hounds = (): ReadonlyArray<Hound> => this.#core.table.all().map(houndOf).filter((hound) => hound !== null)

  readonly sandbox = () => this.#parts.start.report

  readonly activateUnsafe = (job: HoundJob): Hound | null => {
    const { activations, actor, line, report } = this.#parts
    if (this.#core.isGivenUp) return null
    // No hound is activated for a job that the line will refuse.
    const member = activations.refusesUnsafe() ? null : actor.act((core) => core.reserve())
    activations.tellUnsafe(new PooledExamination(job, member?.id ?? null, line, report))
    return member === null ? null : houndOf(member)
  }

  readonly isFreeUnsafe = (): boolean => this.#core.isFree && !this.#parts.activations.refusesUnsafe()

  readonly skipUnsafe = (): void => this.#parts.report.skipped()

  readonly deactivateUnsafe = (hound: string): boolean => this.#parts.actor.act((core) => core.deactivate(hound))

  readonly terminateUnsafe = (hound: string): boolean => this.#parts.actor.act((core) => core.terminate(hound))

  readonly onFailure = (listener: (failure: HoundFailure) => void): void => this.#parts.report.onFailure(listener)

  readonly isBusy = (): boolean => this.#core.table.active > 0
}

/** A pool over a launcher, which is opened when the pool starts. Lives as long as the scope. */
const make = Effect.fnUntraced(function*<R>(openLauncher: Effect.Effect<Launcher, HoundBootError, R>) {
  const { hound: settings } = yield* Settings
  const { root } = yield* ActorSystem
  const alerts = yield* Alerts
  const ids = yield* SecureIds
  const context = yield* Effect.context<R>()
  const tally = new HoundTally()
  const caller = yield* Caller
  const report = new ExaminationReport(caller, RootSpans.make(context), tally)
  const start = new PoolStart(settings, alerts, Effect.provideContext(openLauncher, context))
  const line = new WaitingLine<PooledExamination>()
  let terminated = 0
  const hooks: PoolHooks = {
    newName: ids.next,
    onLaunch: tally.countLaunch,
    onReady: ({ table }) => start.ready(table),
    onExit: (cause) => {
      if (forced.has(cause)) terminated += 1
      tally.countEnding(cause)
    },
    onViolation: (violation, job) => {
      const reason = violation.replaceAll(" ", "_")
      const details = () => {
        const id = job?.scentId?.()
        return {
          reason,
          ...(job === null ? {} : { signature: job.signature }),
          ...(id === undefined ? {} : { id })
        }
      }
      caller.within(job?.span, () => alerts.alertUnsafe(Notices.violation, details))
    },
    onBootFailure: (core, exit) => start.bootFailed(core, exit),
    onLastWords: (words) => Effect.annotateLogs(Effect.logDebug("a hound's last words"), { words })
  }
  // Closed from the last to the first: the line ends before the hounds that work it off.
  const actor = yield* makePoolActor(root, settings, line, hooks)
  line.onHead(() => actor.serve())
  yield* Effect.addFinalizer(() => Effect.sync(() => abandon(line.end())))
  const activations = yield* makeActivations(root, line, settings.maxPending)
  // Jobs that wait for hounds that never came, or that fail, would hold the line up.
  yield* Effect.addFinalizer(() => Effect.sync(() => actor.act((core) => core.isOpen ? core.retire() : core.giveUp())))
  if (!settings.enabled) actor.core.giveUp()
  return new ProcessPool(settings.enabled, {
    actor,
    activations,
    line,
    report,
    start,
    tally,
    terminated: () => terminated
  })
})

const abandon = (examinations: ReadonlyArray<PooledExamination>): void => {
  for (const examination of examinations) examination.conclude(withoutHound("abandoned"))
}

/** A pool over a launcher, which is opened when the pool starts. */
export const layerOf = <R>(openLauncher: Effect.Effect<Launcher, HoundBootError, R>) =>
  Layer.effect(HoundPool, make(openLauncher))

export const layer = layerOf(Effect.flatMap(uncut(() => import("./Launcher.ts")), ({ open }) => open))
