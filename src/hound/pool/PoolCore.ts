/**
 * The keeper of a pack: what is done about hounds, event by event (RFC, "Hound Pool" and "Purge +
 * Replace Model"; CONFORMANCE H1, H4, H6).
 *
 * Synchronous from end to end, with no timer and no process of its own: whoever has it hands it
 * what happened, and comes back at `due`. So the same events give the same hounds, and the event
 * loop waits for nothing.
 *
 * Promises
 *
 * - that `minimumDormant` hounds are ready or on their way, and never more than `maxActive` at
 *   work;
 * - that every look is settled exactly once, whatever becomes of its hound;
 * - that a hound which fails is killed first, then replaced, and only then spoken of: who hears of
 *   it finds the replacement begun;
 * - that launches are paced (`LaunchBudget.ts`), so that no evidence buys processes.
 *
 * **Details**
 *
 * - A hound that broke its word, was late, held too much memory or crashed by itself failed over
 *   its evidence. One that was killed from outside, lost its pipe, went with its fork server or had
 *   not even begun is no fault of the evidence: the look is `lost`.
 * - A hound that is too old, or there when a rotation begins, is stale: it goes on until its
 *   replacement is ready.
 */
import { Buffer } from "node:buffer"
import type { Socket } from "node:net"
import { threatCategories } from "../../domain/Scent.ts"
import { severities } from "../../domain/Severity.ts"
import { causeOf, type ExitCause, isOwnDoing } from "./ExitCause.ts"
import type { PoolHost, PoolSettings } from "./PoolHost.ts"
import { type Life, newLife } from "./Life.ts"
import { type Examination, type OutcomeKind, withoutHound } from "./Examination.ts"
import { type Member, HoundTable } from "./HoundTable.ts"
import type { ConnectionDecision } from "../process/HoundConnection.ts"
import type { ProcessExit } from "../process/Spawner.ts"
import { LaunchBudget } from "./LaunchBudget.ts"

type Mine = Member<Life>

/**
 * Memory is looked at for so long after the last job: not every job is a message to the spawner.
 */
const watchRestMs = 1_000

const never = Number.POSITIVE_INFINITY

/** A pack and what is done about it. */
export class PoolCore {
  readonly pack = new HoundTable<Life>()
  readonly #host: PoolHost
  readonly #settings: PoolSettings
  readonly #launchBudget: LaunchBudget
  /** Looks without a hound, first in, first out. */
  readonly #waiting: Array<Examination> = []
  #nextId = 1
  #nextJob = 1
  #isClosed = false
  #due = never

  constructor(settings: PoolSettings, host: PoolHost) {
    this.#host = host
    this.#settings = settings
    this.#launchBudget = new LaunchBudget(
      settings.minimumDormant + settings.maxActive,
      settings.replenishDelay,
      host.now()
    )
  }

  /** When `tick` is to be called next, in monotonic ms. It may come earlier than needed. */
  get due(): number {
    return this.#due
  }

  /** Launches what there should be. */
  open(): void {
    this.#replenish()
  }

  /**
   * Activates a hound for a look that will come with its number, or null where none is free or
   * others wait.
   */
  reserve(): Mine | null {
    if (this.#isClosed || this.#waiting.length > 0 || this.pack.active >= this.#settings.maxActive) return null
    const member = this.pack.activate(this.#host.wallNow())
    if (member !== null) this.#expect(member, this.#settings.maxProcessingTime)
    return member
  }

  /** Somebody wants evidence looked at. */
  look(look: Examination): void {
    if (this.#isClosed) return look.settle(withoutHound("lost"))
    const reserved = look.reserved === null ? undefined : this.pack.get(look.reserved)
    if (reserved?.state !== "active" || reserved.life.look !== null || reserved.life.job !== 0) this.#waiting.push(look)
    else if (reserved.life.isUnwanted) {
      look.settle({ ...withoutHound("abandoned"), hound: reserved.name })
      this.#rest(reserved)
    } else this.#begin(reserved, look)
    this.#serve()
    // The spare that takes its place among those that wait.
    this.#replenish()
  }

  /** Nobody waits for this look any more: a hound that is at it goes on alone. */
  abandon(look: Examination): void {
    const at = this.#waiting.indexOf(look)
    if (at >= 0) this.#waiting.splice(at, 1)
    else {
      const member = this.pack.all().find(({ life }) => life.look === look)
      if (member === undefined) return
      member.life.look = null
    }
    look.settle(withoutHound("abandoned"))
  }

  /** A hound runs. */
  up(id: number, pipe: Socket): void {
    const member = this.pack.get(id)
    if (member === undefined || member.state === "disposing" || this.#isClosed) {
      pipe.destroy()
      return
    }
    member.life.line = this.#host.openLine(id, pipe)
  }

  /** A hound said something, or its pipe is gone. */
  heard(id: number, decision: ConnectionDecision): void {
    const member = this.pack.get(id)
    if (member === undefined || member.state === "disposing") return
    if (decision.type === "violation") {
      this.#host.onViolation(decision.reason)
      this.#fail(member, "violation", "error")
    } else if (decision.type === "gone") this.#gone(member)
    else if (decision.type === "ready") this.#ready(member)
    else if (decision.type === "status") {
      if (decision.state === "processing") member.life.hasBegun = true
      else this.#ended(member, decision.state)
    }
  }

  /** A process has ended. */
  down(id: number, ending: ProcessExit): void {
    const member = this.pack.get(id)
    if (member === undefined) return
    const { life } = member
    const wasBooting = member.state === "booting"
    life.line?.close()
    this.pack.remove(id)
    if (life.cause === null) {
      const cause = wasBooting ? "boot" : causeOf(ending)
      if (cause !== "lost" && cause !== "killed") this.#launchBudget.trouble(this.#host.now())
      this.#host.onEnding(cause)
      if (wasBooting) this.#host.onBootFailure(ending)
      this.#replenish()
      const isAtFault = cause === "memory" || cause === "crashed"
      this.#settle(life, member.name, isAtFault && life.hasBegun ? "error" : "lost")
    } else {
      // Its pipe was gone: only its end says whether the evidence did that.
      this.#settle(life, member.name, isOwnDoing(ending) && life.hasBegun ? "error" : "lost")
      this.#replenish()
    }
    this.#serve()
  }

  /** Time has passed. */
  tick(): void {
    const now = this.#host.now()
    for (const member of this.pack.all()) {
      const { life, state } = member
      if (state === "booting" && life.due <= now) {
        this.#host.onBootFailure(null)
        this.#fail(member, "boot", "lost")
      } else if (state === "active" && life.due <= now) this.#overdue(member)
      else if (state === "dormant") {
        if (life.retireAt <= now) this.pack.age(member)
        if (life.isWatched && life.restingSince + watchRestMs <= now) this.#watch(member, false)
      }
    }
    this.#replenish()
    this.#retireStale()
    this.#plan()
  }

  /** The dormant hounds are to be replaced. */
  rotate(): void {
    for (const member of this.pack.all()) if (member.state === "dormant") this.pack.age(member)
    this.#replenish()
    this.#retireStale()
  }

  /** Whether a rotation has replaced all it was to. */
  get isRotated(): boolean {
    return this.pack.stale === 0
  }

  /**
   * Gives up what a hound is looking at: it is told nobody, and the hound goes on. False where it
   * is not active.
   */
  deactivate(name: string): boolean {
    const member = this.#named(name)
    if (member?.state !== "active") return false
    if (member.life.job === 0) member.life.isUnwanted = true
    this.#settle(member.life, name, "abandoned")
    return true
  }

  /**
   * Kills a hound; another one takes its work. False where there is no such hound, or it is on its
   * way out.
   */
  terminate(name: string): boolean {
    const member = this.#named(name)
    if (member === undefined || member.state === "booting" || member.state === "disposing") return false
    this.#end(member, "terminated")
    this.#replenish()
    this.#settle(member.life, name, "lost")
    this.#serve()
    return true
  }

  /**
   * Settles all looks as `kind`, and does nothing any more. The spawner is whoever's who gave it.
   */
  close(kind: OutcomeKind): void {
    this.#isClosed = true
    for (const { life, name } of this.pack.all()) {
      life.line?.close()
      this.#settle(life, name, kind)
    }
    for (const look of this.#waiting.splice(0)) look.settle(withoutHound(kind))
    this.#due = never
  }

  #named(name: string): Mine | undefined {
    return this.pack.all().find((member) => member.name === name)
  }

  #ready(member: Mine): void {
    this.#rest(member)
    this.#retireStale()
    this.#host.onReady()
    this.#serve()
  }

  #begin(member: Mine, look: Examination): void {
    const { life } = member
    const { category, copy, hash, severity } = look.job
    const bytes = copy()
    if (bytes === null || life.line === null) {
      look.settle({ ...withoutHound(bytes === null ? "left" : "lost"), hound: member.name })
      this.#rest(member)
      return
    }
    if (!life.isWatched) this.#watch(member, true)
    life.look = look
    life.job = this.#nextJob
    this.#nextJob = this.#nextJob === 0xffff_ffff ? 1 : this.#nextJob + 1
    life.hasBegun = false
    life.sentAt = this.#host.now()
    this.#expect(member, this.#settings.maxProcessingTime)
    life.line.send({
      job: life.job,
      length: bytes.length,
      category: threatCategories.indexOf(category),
      severity: severities.indexOf(severity),
      digest: Buffer.from(hash, "hex")
    }, bytes)
  }

  #ended(member: Mine, state: "complete" | "error"): void {
    const { life } = member
    life.jobs += 1
    const { sentAt } = life
    const look = life.look
    life.look = null
    const now = this.#host.now()
    if (state === "error") {
      this.#launchBudget.trouble(now)
      this.#end(member, "error")
    } else if (life.jobs >= this.#settings.maxJobs || member.isStale || life.retireAt <= now)
      this.#end(member, "retired")
    else this.#rest(member)
    this.#replenish()
    look?.settle({ kind: state, isVerdict: true, hound: member.name, took: now - sentAt })
    this.#serve()
  }

  #overdue(member: Mine): void {
    // Activated, and nobody came.
    if (member.life.job === 0) this.#rest(member)
    else this.#fail(member, "timeout", member.life.hasBegun ? "timeout" : "lost")
    this.#serve()
  }

  /** The pipe is closed: a hound without a pipe is of no use, and its end will say why. */
  #gone(member: Mine): void {
    if (member.state === "booting") return
    this.#end(member, "killed")
    this.#replenish()
  }

  #fail(member: Mine, cause: ExitCause, kind: OutcomeKind): void {
    this.#launchBudget.trouble(this.#host.now())
    this.#end(member, cause)
    this.#replenish()
    this.#settle(member.life, member.name, kind)
    this.#serve()
  }

  #settle(life: Life, name: string, kind: OutcomeKind): void {
    const { look, sentAt } = life
    life.look = null
    look?.settle({ kind, isVerdict: false, hound: name, took: life.job === 0 ? 0 : this.#host.now() - sentAt })
  }

  /** Kills it. What it was looking at is the caller's to settle. */
  #end(member: Mine, cause: ExitCause): void {
    const { life } = member
    life.cause = cause
    life.due = never
    this.pack.dispose(member)
    life.line?.close()
    this.#host.spawner.kill(member.id)
    this.#host.onEnding(cause)
  }

  #rest(member: Mine): void {
    const { life } = member
    life.job = 0
    life.isUnwanted = false
    life.due = never
    life.restingSince = this.#host.now()
    this.pack.rest(member)
    this.#wakeBy(member.isStale ? never : life.retireAt)
    if (life.isWatched) this.#wakeBy(life.restingSince + watchRestMs)
  }

  #watch(member: Mine, isOn: boolean): void {
    member.life.isWatched = isOn
    this.#host.spawner.watch(member.id, isOn)
  }

  /** Hands what waits to hounds that are free. */
  #serve(): void {
    while (this.#waiting.length > 0 && this.pack.active < this.#settings.maxActive) {
      const member = this.pack.activate(this.#host.wallNow())
      if (member === null) break
      const look = this.#waiting.shift()
      if (look !== undefined) this.#begin(member, look)
    }
    if (this.#waiting.length > 0) this.#replenish()
  }

  /** A stale hound goes when there are enough others. */
  #retireStale(): void {
    if (this.pack.stale === 0) return
    for (const member of this.pack.all()) {
      if (this.pack.dormant <= this.#settings.minimumDormant) return
      if (member.state === "dormant" && member.isStale) this.#end(member, "retired")
    }
  }

  /** Hounds that are ready, or will be, and are not to be replaced. */
  #fresh(): number {
    return this.pack.dormant - this.pack.stale + this.pack.booting
  }

  #replenish(): void {
    if (this.#isClosed) return
    const { maxActive, minimumDormant } = this.#settings
    const now = this.#host.now()
    const free = Math.max(0, maxActive - this.pack.active)
    const wanted = minimumDormant + Math.min(this.#waiting.length, free)
    for (let fresh = this.#fresh(); fresh < wanted; fresh++) {
      if (!this.#launchBudget.take(now)) {
        this.#wakeBy(this.#launchBudget.nextAt(now))
        return
      }
      this.#launch(now)
    }
  }

  #launch(now: number): void {
    const { maxLifeTimeCycle, readyTimeout } = this.#settings
    const id = this.#nextId++
    const member = this.pack.launch(
      id,
      this.#host.newName(),
      this.#host.wallNow(),
      newLife(now, now + maxLifeTimeCycle)
    )
    this.#expect(member, readyTimeout)
    this.#host.onLaunch()
    this.#host.spawner.launch(id, {
      up: (_pid, pipe) => this.#host.onUp(id, pipe),
      down: (ending) => this.#host.onDown(id, ending)
    })
  }

  #expect(member: Mine, ms: number): void {
    member.life.due = this.#host.now() + ms
    this.#wakeBy(member.life.due)
  }

  #wakeBy(at: number): void {
    if (at < this.#due) this.#due = at
  }

  /** Looks at everything that waits for a time. O(n), at a tick only. */
  #plan(): void {
    this.#due = never
    for (const { isStale, life, state } of this.pack.all()) {
      this.#wakeBy(life.due)
      if (state !== "dormant") continue
      if (!isStale) this.#wakeBy(life.retireAt)
      if (life.isWatched) this.#wakeBy(life.restingSince + watchRestMs)
    }
    this.#replenish()
  }
}
