/**
 * The start of a pool: the sandbox is tried out, hounds are launched, and it is decided whether
 * there are any (CONFORMANCE H1, H2).
 *
 * **Details**
 *
 * - Boots may fail three times, as that may be bad luck; an exit that no second try makes better
 *   ends the start at once.
 * - Without an analyzer of the user's own a start that fails is an alert and no error: what comes
 *   with Tracehound cannot be misconfigured, so the machine lacks something.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { TracehoundConfig } from "../../config/TracehoundConfig.ts"
import { awake } from "../../host/node/Awake.ts"
import type { Alerts } from "../../safety/alert/Alerts.ts"
import type { ProcessExit } from "../process/Spawner.ts"
import type { SandboxReport } from "../sandbox/Sandbox.ts"
import { HoundBootError } from "./HoundPool.ts"
import type { HoundTable } from "./HoundTable.ts"
import type { Launcher } from "./Launcher.ts"
import * as Notices from "./Notices.ts"
import type { PoolActor } from "./PoolActor.ts"
import type { PoolCore } from "./PoolCore.ts"

/** Boots that may fail before the start has failed. */
const maxBootFailures = 3

/**
 * Exits from a boot that no second try makes better: the entry's own exit codes, and a process that
 * could not be had.
 */
const isHopeless = ({ cause, code }: ProcessExit): boolean =>
  cause === "spawn" || (code !== null && code >= 64 && code <= 68)

/** Hounds that the start waits for. */
interface Booting {
  failures: number
  readonly isReady: Deferred.Deferred<boolean>
}

export class PoolStart {
  readonly #settings: TracehoundConfig["hound"]
  readonly #alerts: Alerts["Service"]
  readonly #openLauncher: Effect.Effect<Launcher, HoundBootError>
  readonly #onlyOne = Semaphore.makeUnsafe(1)
  #report: SandboxReport | null = null
  #booting: Booting | null = null
  #isStarted = false

  constructor(
    settings: TracehoundConfig["hound"],
    alerts: Alerts["Service"],
    openLauncher: Effect.Effect<Launcher, HoundBootError>
  ) {
    this.#settings = settings
    this.#alerts = alerts
    this.#openLauncher = openLauncher
  }

  /** The sandbox of this machine; null until it was tried out. */
  get report(): SandboxReport | null {
    return this.#report
  }

  /** Starts this actor's hounds, unless that was done; a start that failed can be tried again. */
  start(actor: PoolActor): Effect.Effect<void, HoundBootError> {
    const open = Effect.flatMap(this.#openLauncher, (launcher) => this.#try(actor, launcher))
    const once = Effect.suspend(() => this.#isStarted || !this.#settings.enabled ? Effect.void : open)
    // Pipes and processes keep nothing awake, and a caller that waits for hounds must not see its
    // process end before they are there, or before what was tried out is gone again.
    return awake(this.#onlyOne.withPermits(1)(once))
  }

  ready({ active, dormant }: HoundTable): void {
    const { minimumDormant } = this.#settings
    if (this.#booting !== null && dormant + active >= Math.max(1, minimumDormant))
      Deferred.doneUnsafe(this.#booting.isReady, Effect.succeed(true))
  }

  /** A hound did not become ready; null: it was not in time. */
  bootFailed(core: PoolCore, exit: ProcessExit | null): void {
    this.#alerts.alertUnsafe(Notices.bootFailed)
    const booting = this.#booting
    if (booting === null) return
    booting.failures += 1
    if (booting.failures < maxBootFailures && (exit === null || !isHopeless(exit))) return
    // At once: otherwise this hound is replaced.
    core.giveUp()
    Deferred.doneUnsafe(booting.isReady, Effect.succeed(false))
  }

  #try(actor: PoolActor, launcher: Launcher): Effect.Effect<void, HoundBootError> {
    return Effect.gen({ self: this }, function*() {
      this.#report = launcher.report
      const lowered = Notices.lowered(launcher.report)
      if (lowered !== null) this.#alerts.alertUnsafe(lowered)
      this.#isStarted = launcher.openSpawner !== null && (yield* this.#boot(actor, launcher))
      if (this.#isStarted) return
      yield* actor.shut
      actor.core.giveUp()
      if (this.#settings.analyzer !== undefined) return yield* explained(launcher)
      this.#isStarted = true
      this.#alerts.alertUnsafe(Notices.unavailable)
    })
  }

  /** Whether the minimum of hounds has become ready. */
  #boot(actor: PoolActor, launcher: Launcher): Effect.Effect<boolean> {
    return Effect.gen({ self: this }, function*() {
      const isReady = yield* Deferred.make<boolean>()
      this.#booting = { failures: 0, isReady }
      actor.open(launcher)
      // A start that was interrupted may have left hounds that are ready.
      this.ready(actor.core.table)
      const answer = yield* Effect.ensuring(
        Deferred.await(isReady),
        Effect.sync(() => {
          this.#booting = null
        })
      )
      // The answer came on the core's own turn, in the middle of what it does about a hound.
      yield* Effect.yieldNow
      return answer
    })
  }
}

/** Why there are no hounds, as far as that can be found. */
const explained = Effect.fnUntraced(function*({ diagnose, openSpawner }: Launcher) {
  const said = openSpawner === null ? "" : yield* diagnose
  return yield* new HoundBootError({
    reason: openSpawner === null
      ? "this machine has no hounds, and hound.analyzer asks for them: `tracehound doctor` says what is missing"
      : said === ""
      ? "no hound was ready within hound.readyTimeout: `tracehound doctor --sandbox` tries what this machine gives"
      : said
  })
})
