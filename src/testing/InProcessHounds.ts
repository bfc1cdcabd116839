/**
 * Hounds without processes: they examine evidence on a fiber, and a test says how that ends.
 *
 * Keeps the pool's promises (`hound/pool/HoundPool.ts`): numbers that are true at all times, no
 * more at once than `hound.maxActive`, jobs that wait first in first out, an end within
 * `hound.maxProcessingTime`. It gives no isolation whatever.
 *
 * **Gotchas**
 *
 * - A hound's behaviour is settled when it begins, not when it was activated.
 * - Under TestClock a hound that hangs is given up when the test moves time.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import { ActorSystem } from "../actor/ActorSystem.ts"
import { Settings } from "../config/Settings.ts"
import type { TracehoundConfig } from "../config/TracehoundConfig.ts"
import { SecureIds } from "../custody/evidence/SecureIds.ts"
import type { Hound } from "../domain/Hound.ts"
import { secureIdBytes, secureIdText } from "../domain/SecureIdText.ts"
import { type Activations, makeActivations } from "../hound/pool/Activations.ts"
import { endSpan, openSpan } from "../hound/pool/ExaminationSpan.ts"
import type { ExitCause } from "../hound/pool/ExitCause.ts"
import { type HoundFailure, type HoundJob, type HoundOutcomes, HoundPool, noOutcomes } from "../hound/pool/HoundPool.ts"
import { HoundTally } from "../hound/pool/HoundTally.ts"
import { WaitingLine } from "../hound/pool/WaitingLine.ts"
import { Caller } from "../telemetry/Caller.ts"
import type { OpenSpan } from "../telemetry/RootSpans.ts"
import * as RootSpans from "../telemetry/RootSpans.ts"

const behaviours = ["complete", "error", "hang", "crash"] as const

/** How a hound ends: well, with the verdict `error`, not at all, or by dying over its evidence. */
export type HoundBehaviour = typeof behaviours[number]

/** Throws a RangeError at what is none: a test that misspells one would test something else. */
const requireKnown = (...given: ReadonlyArray<HoundBehaviour>): void => {
  for (const behaviour of given) {
    if (!behaviours.includes(behaviour))
      throw new RangeError(`no hound ends by ${JSON.stringify(behaviour)}: there are ${behaviours.join(", ")}`)
  }
}

/** Evidence that a hound examined, or was to examine when it had left already. */
export interface Examined {
  readonly signature: string
  /** Bytes that the hound was given; null where the evidence had left. */
  readonly size: number | null
}

/** A test's control over hounds. */
export class InProcessHounds extends Context.Service<InProcessHounds, {
  /** What was examined, in the order in which it began. */
  readonly examined: Effect.Effect<ReadonlyArray<Examined>>
  /**
   * The next hounds that begin end like this, one each; after that, as `always` says. A word that
   * is no behaviour is a defect, here and in `always`.
   */
  readonly next: (...behaviours: ReadonlyArray<HoundBehaviour>) => Effect.Effect<void>
  /** How hounds end for which `next` said nothing: `complete`, unless this was called. */
  readonly always: (behaviour: HoundBehaviour) => Effect.Effect<void>
  /** How often the dormant ones were replaced: rotations begun, the one under way among them. */
  readonly rotations: Effect.Effect<number>
  /** Rotations that begin from now on take so many ms; 0, as at first, is none. */
  readonly slowRotationsBy: (ms: number) => Effect.Effect<void>
}>()("tracehound/testing/InProcessHounds") {}

/** A test's instructions to hounds, and the record of what they did. */
class Script {
  readonly examined: Array<Examined> = []
  readonly #next: Array<HoundBehaviour> = []
  #always: HoundBehaviour = "complete"
  #rotations = 0
  #rotationMs = 0

  readonly control = InProcessHounds.of({
    examined: Effect.sync(() => [...this.examined]),
    next: (...more) =>
      Effect.sync(() => {
        requireKnown(...more)
        this.#next.push(...more)
      }),
    always: (behaviour) =>
      Effect.sync(() => {
        requireKnown(behaviour)
        this.#always = behaviour
      }),
    rotations: Effect.sync(() => this.#rotations),
    slowRotationsBy: (ms) =>
      Effect.sync(() => {
        this.#rotationMs = ms
      })
  })

  /** How the hound ends that begins now. */
  behaviour(): HoundBehaviour {
    return this.#next.shift() ?? this.#always
  }

  /** A rotation has begun; comes back when it has taken its time. */
  rotation(): Effect.Effect<void> {
    this.#rotations += 1
    return this.#rotationMs > 0 ? Effect.sleep(this.#rotationMs) : Effect.void
  }
}

/** A job in the waiting line. */
interface ActivatedJob {
  readonly job: HoundJob
  /** The hound that was activated for it; null: any hound will do. */
  readonly reserved: Hound | null
}

interface Attempt {
  readonly job: HoundJob
  readonly hound: Hound
  readonly killed: Deferred.Deferred<void>
  /** Of the examination: an attempt after this one goes on with it. */
  readonly span: OpenSpan | null
  /** It was deactivated: its end is reported to nobody. */
  isUnwanted: boolean
}

/** The dormant hounds, the oldest first; new ones are made as they are needed. */
class DormantHounds {
  #dormant: Array<Hound> = []
  readonly #clock: Clock.Clock
  readonly #ids: SecureIds["Service"]
  readonly #tally: HoundTally
  readonly #id = new Uint8Array(secureIdBytes)

  constructor(clock: Clock.Clock, ids: SecureIds["Service"], tally: HoundTally, count: number) {
    this.#clock = clock
    this.#ids = ids
    this.#tally = tally
    this.#fill(count)
  }

  get all(): ReadonlyArray<Hound> {
    return this.#dormant
  }

  /** Makes the one active that has been dormant longest. */
  activate(): Hound {
    const hound = this.#dormant.shift() ?? this.#born()
    return { ...hound, state: "active", activatedAt: this.#clock.currentTimeMillisUnsafe() }
  }

  /** Ms since an active one was activated. */
  tookMs({ activatedAt }: Hound): number {
    return this.#clock.currentTimeMillisUnsafe() - (activatedAt ?? 0)
  }

  /** Makes an active one dormant. */
  rest(hound: Hound): void {
    this.#dormant.push({ ...hound, state: "dormant", activatedAt: null })
  }

  /** One was killed: another takes its place. */
  replace(): void {
    this.#fill(1)
  }

  replaceAll(): void {
    const count = this.#dormant.length
    this.#dormant = []
    this.#fill(count)
  }

  #fill(count: number): void {
    for (let rest = count; rest > 0; rest--) this.#dormant.push(this.#born())
  }

  #born(): Hound {
    const now = this.#clock.currentTimeMillisUnsafe()
    this.#tally.countLaunch()
    this.#ids.nextInto(this.#id, now)
    return { id: secureIdText(this.#id), state: "dormant", createdAt: now, activatedAt: null }
  }
}

/** The pool: its functions need no `this`. */
class InProcessPool {
  readonly hasHounds: boolean
  readonly start = Effect.void
  readonly #script: Script
  readonly #maxActive: number
  readonly #maxProcessingTime: number
  readonly #dormant: DormantHounds
  readonly #line: WaitingLine<ActivatedJob>
  readonly #activations: Activations<ActivatedJob>
  readonly #caller: Caller
  readonly #spans: RootSpans.RootSpans
  readonly #run: (examination: Effect.Effect<void>) => Fiber.Fiber<void>
  readonly #listeners: Array<(failure: HoundFailure) => void> = []
  readonly #outcomes: { -readonly [kind in keyof HoundOutcomes]: number } = { ...noOutcomes }
  /** What is being examined, by the hound's id. */
  readonly #attempts = new Map<string, Attempt>()
  /** The hounds that were activated and have not begun. */
  readonly #reserved = new Set<Hound>()
  #terminated = 0
  #isServing = false

  constructor(
    script: Script,
    { enabled, maxActive, maxProcessingTime }: TracehoundConfig["hound"],
    dormant: DormantHounds,
    tally: HoundTally,
    line: WaitingLine<ActivatedJob>,
    activations: Activations<ActivatedJob>,
    { caller, spans }: { readonly caller: Caller; readonly spans: RootSpans.RootSpans },
    run: (examination: Effect.Effect<void>) => Fiber.Fiber<void>
  ) {
    this.hasHounds = enabled
    this.#script = script
    this.#maxActive = maxActive
    this.#maxProcessingTime = maxProcessingTime
    this.#dormant = dormant
    this.counts = tally
    this.#line = line
    this.#activations = activations
    this.#caller = caller
    this.#spans = spans
    this.#run = run
    line.onHead(() => this.#serve())
  }

  readonly stats = () => ({
    dormant: this.#dormant.all.length,
    active: this.#active,
    terminated: this.#terminated,
    sandbox: "none" as const
  })

  readonly outcomes = () => ({ ...this.#outcomes })

  readonly counts: HoundTally

  readonly hounds = (): ReadonlyArray<Hound> => [
    ...this.#dormant.all,
    ...this.#reserved,
    ...[...this.#attempts.values()].map(({ hound }) => hound)
  ]

  readonly sandbox = () => null

  readonly isFreeUnsafe = (): boolean =>
    this.#line.waiting === 0 && this.#active < this.#maxActive && !this.#activations.refusesUnsafe()

  readonly skipUnsafe = (): void => {
    this.#outcomes.skipped += 1
  }

  readonly activateUnsafe = (job: HoundJob): Hound | null => {
    const reserved = this.isFreeUnsafe() ? this.#dormant.activate() : null
    if (reserved !== null) this.#reserved.add(reserved)
    this.#activations.tellUnsafe({ job, reserved })
    return reserved
  }

  readonly deactivateUnsafe = (hound: string): boolean =>
    this.#steer(hound, (attempt) => {
      if (!attempt.isUnwanted) this.#end(attempt, "abandoned")
      attempt.isUnwanted = true
    })

  readonly terminateUnsafe = (hound: string): boolean =>
    this.#steer(hound, ({ killed }) => Deferred.doneUnsafe(killed, Effect.void))

  readonly onFailure = (listener: (failure: HoundFailure) => void): void => {
    this.#listeners.push(listener)
  }

  readonly rotate = Effect.suspend(() => {
    this.#dormant.replaceAll()
    return this.#script.rotation()
  })

  readonly isBusy = (): boolean => this.#active > 0

  get #active(): number {
    return this.#attempts.size + this.#reserved.size
  }

  /** False where a hound has not begun yet: there is nothing to give up or to hand over. */
  #steer(hound: string, change: (attempt: Attempt) => void): boolean {
    const attempt = this.#attempts.get(hound)
    if (attempt === undefined) return false
    change(attempt)
    return true
  }

  #serve(): void {
    // An examination that has ended by the time `#start` returns is seen by the loop below.
    if (this.#isServing) return
    this.#isServing = true
    for (let next = this.#line.first; next !== null; next = this.#line.first) {
      if (next.reserved === null && this.#active >= this.#maxActive) break
      this.#line.take()
      this.#start(next)
    }
    this.#isServing = false
  }

  #start({ job, reserved }: ActivatedJob): void {
    if (reserved !== null) this.#reserved.delete(reserved)
    const hound = reserved ?? this.#dormant.activate()
    this.#run(Effect.ensuring(
      Effect.suspend(() => this.#examine(job, hound, openSpan(this.#spans, job))),
      Effect.sync(() => {
        this.#line.done()
        this.#serve()
      })
    ))
  }

  #examine(job: HoundJob, hound: Hound, span: OpenSpan | null): Effect.Effect<void> {
    const attempt: Attempt = { job, hound, span, isUnwanted: false, killed: Deferred.makeUnsafe<void>() }
    this.#attempts.set(hound.id, attempt)
    const bytes = job.copy()
    this.#script.examined.push({ signature: job.signature, size: bytes?.length ?? null })
    if (bytes === null) {
      this.#end(attempt, "left")
      this.#rest(attempt)
      return Effect.void
    }
    const behaviour = this.#script.behaviour()
    if (behaviour === "hang") return this.#hang(attempt)
    if (behaviour !== "complete") this.#fail("error", behaviour === "error" ? "error" : "crashed", attempt)
    else {
      this.#rest(attempt)
      if (!attempt.isUnwanted) this.#end(attempt, "complete")
    }
    return Effect.void
  }

  /** Ends at the deadline, or when the hound is killed: then another one has the evidence. */
  #hang(attempt: Attempt): Effect.Effect<void> {
    const isKilled = Effect.raceFirst(
      Effect.as(Deferred.await(attempt.killed), true),
      Effect.as(Effect.sleep(this.#maxProcessingTime), false)
    )
    return Effect.flatMap(isKilled, (isKilled) => {
      if (isKilled) this.#replace(attempt, "terminated")
      else this.#fail("timeout", "timeout", attempt)
      return isKilled && !attempt.isUnwanted
        ? this.#examine(attempt.job, this.#dormant.activate(), attempt.span)
        : Effect.void
    })
  }

  #fail(kind: HoundFailure["kind"], cause: "crashed" | "error" | "timeout", attempt: Attempt): void {
    this.#replace(attempt, cause)
    if (attempt.isUnwanted) return
    this.#end(attempt, kind, cause)
    const { hound: { id: hound }, job: { signature, span: origin }, span } = attempt
    this.#caller.within(origin ?? span?.span, () => {
      for (const listener of this.#listeners) listener({ kind, isVerdict: cause === "error", hound, signature })
    })
  }

  #end({ hound, span }: Attempt, kind: keyof HoundOutcomes, cause: ExitCause | null = null): void {
    this.#outcomes[kind] += 1
    if (kind === "complete" || kind === "error") this.counts.recordVerdict(this.#dormant.tookMs(hound))
    endSpan(span, kind, { cause, hound: hound.id })
  }

  /** A hound has ended, by force, and there is another one. */
  #replace({ hound }: Attempt, cause: ExitCause): void {
    this.#attempts.delete(hound.id)
    this.#terminated += 1
    this.counts.countEnding(cause)
    this.#dormant.replace()
  }

  #rest({ hound }: Attempt): void {
    this.#attempts.delete(hound.id)
    this.#dormant.rest(hound)
  }
}

const makePool = Effect.fnUntraced(function*(script: Script) {
  const { hound } = yield* Settings
  const { root } = yield* ActorSystem
  const { enabled, maxActive, maxPending, minimumDormant } = hound
  const tally = new HoundTally()
  const dormant = new DormantHounds(
    yield* Clock.Clock,
    yield* SecureIds,
    tally,
    enabled ? Math.max(minimumDormant, maxActive) : 0
  )
  const line = new WaitingLine<ActivatedJob>()
  // Closed after the line, which waits for what has begun.
  const run = yield* FiberSet.makeRuntime<never, void, never>()
  const activations = yield* makeActivations(root, line, maxPending)
  const traced = { caller: yield* Caller, spans: yield* RootSpans.fromContext }
  return new InProcessPool(script, hound, dormant, tally, line, activations, traced, run)
})

/** Both services: the control at once, the pool where its rooms are. */
export interface Hounds {
  readonly control: InProcessHounds["Service"]
  readonly layer: Layer.Layer<HoundPool, never, ActorSystem | SecureIds | Settings>
}

/** Hounds that have examined nothing. One layer, to be built once. */
export const make = (): Hounds => {
  const script = new Script()
  return { control: script.control, layer: Layer.effect(HoundPool, makePool(script)) }
}
