/**
 * The core of a pool: all decisions about hounds, event by event (RFC, "Hound Pool" and "Purge +
 * Replace Model"; CONFORMANCE H1, H4, H6).
 *
 * Synchronous from end to end, with no timer and no process of its own: the host hands it each
 * event, and calls `tick` at `due`. So the same events give the same hounds, and the event loop
 * waits for nothing.
 *
 * A core is there before its hounds are. Until `open` it has none, and examinations stay in the
 * waiting line; `shut` brings it back to that state. `giveUp` says that there will be no hounds:
 * whatever is in the line, or comes, is settled as `unavailable`. `retire` says that the end is
 * near: hounds go on, but hounds that fail are not replaced, and when none is left what is in the
 * line is settled as `abandoned`.
 *
 * Promises
 *
 * - that `minimumDormant` hounds are ready or on their way, and never more than `maxActive` at
 *   work;
 * - that every attempt is settled exactly once, whatever becomes of its hound;
 * - that a hound which finishes, or becomes ready, gets the first job of the line on the same turn;
 * - that a hound which fails is killed first, then replaced, and only then reported: whoever hears
 *   of it finds the replacement begun;
 * - that launches are paced (`LaunchBudget.ts`), so that no evidence buys processes.
 *
 * **Details**
 *
 * - A hound that broke its channel's rules, was late, held too much memory or crashed by itself
 *   failed over its evidence. One that was killed from outside, lost its pipe, went with its fork
 *   server or had not even begun is no fault of the evidence: the attempt is `lost`.
 * - A hound that is too old, or there when a rotation begins, is stale: it goes on until its
 *   replacement is ready.
 */
import { Buffer } from "node:buffer"
import type { Socket } from "node:net"
import { threatCategories } from "../../domain/Scent.ts"
import { severities } from "../../domain/Severity.ts"
import type { ConnectionDecision } from "../process/HoundConnection.ts"
import type { ProcessExit } from "../process/Spawner.ts"
import { type Examination, type OutcomeKind, withoutHound } from "./Examination.ts"
import { causeOf, type ExitCause, isOwnDoing } from "./ExitCause.ts"
import { HoundTable, type Member } from "./HoundTable.ts"
import { LaunchBudget } from "./LaunchBudget.ts"
import type { HoundSource, Line, PoolHost, PoolSettings } from "./PoolHost.ts"

/**
 * A hound's memory is watched for so long after its last job: not every job is a message to the
 * spawner.
 */
const watchRestMs = 1_000

const never = Number.POSITIVE_INFINITY

/** The hounds of a pool and all decisions about them. */
export class PoolCore {
  readonly table = new HoundTable()
  readonly #settings: PoolSettings
  readonly #line: Line
  readonly #host: PoolHost
  /** Null: not open. */
  #source: HoundSource | null = null
  #isGivenUp = false
  #isRetiring = false
  #launchBudget: LaunchBudget
  /** Ids go on from one opening to the next: what an old spawner still says is about nobody. */
  #nextId = 1
  /** Of the job that is being sent. */
  readonly #digest = Buffer.alloc(32)
  #nextJob = 1
  #due = never

  constructor(settings: PoolSettings, line: Line, host: PoolHost) {
    this.#settings = settings
    this.#line = line
    this.#host = host
    this.#launchBudget = this.#newBudget()
  }

  /** When `tick` is to be called next, in monotonic ms. It may come earlier than needed. */
  get due(): number {
    return this.#due
  }

  get isOpen(): boolean {
    return this.#source !== null
  }

  /** Whether there will be no hounds; `open` takes that back. */
  get isGivenUp(): boolean {
    return this.#isGivenUp
  }

  /** Whether a rotation has replaced all that it was to replace. */
  get isRotated(): boolean {
    return this.table.stale === 0
  }

  /** Launches the minimum; the source's spawner is the core's until `shut`. */
  open(source: HoundSource): void {
    this.#source = source
    this.#isGivenUp = false
    this.#launchBudget = this.#newBudget()
    this.serve()
  }

  /**
   * Forgets all hounds, and is not open; what they had is settled as `lost`. Comes back when the
   * spawner has ended them.
   */
  shut(): Promise<void> {
    const source = this.#source
    this.#source = null
    this.#due = never
    for (const member of this.table.clear()) {
      member.connection?.close()
      this.#settle(member, "lost")
    }
    return source?.spawner.close() ?? Promise.resolve()
  }

  /** There will be no hounds. Those that there are get no more work, and are not replaced. */
  giveUp(): void {
    this.#isGivenUp = true
    this.#serve()
  }

  /** Whether there is a hound for an examination that comes now, and none waits before it. */
  get isFree(): boolean {
    return this.#source !== null && !this.#isGivenUp && this.#line.waiting === 0 && this.#hasFree
  }

  /** The pool is being closed: it waits for no launches that are paced because hounds fail. */
  retire(): void {
    this.#isRetiring = true
    this.#serve()
  }

  /**
   * Activates a hound for an examination that is about to enter the line, or null where none is
   * free or others wait.
   */
  reserve(): Member | null {
    const member = this.isFree ? this.#activate() : null
    if (member !== null) this.#expect(member, this.#settings.maxProcessingTime)
    return member
  }

  /** There is an examination at the head of the line. */
  serve(): void {
    this.#serve()
    // The spare for the one that is at work now.
    this.#replenish()
  }

  up(id: number, pipe: Socket): void {
    const member = this.table.get(id)
    if (member === undefined || member.state === "disposing" || this.#source === null) {
      pipe.destroy()
      return
    }
    member.connection = this.#source.connect(id, pipe)
  }

  /** A hound said something, or its pipe is gone. */
  heard(id: number, decision: ConnectionDecision): void {
    const member = this.table.get(id)
    if (member === undefined || member.state === "disposing") return
    if (decision.type === "violation") {
      this.#host.onViolation(decision.reason, member.examination?.job ?? null)
      this.#fail(member, "violation", "error")
    } else if (decision.type === "gone") this.#gone(member)
    else if (decision.type === "ready") this.#ready(member)
    else if (decision.type === "status") {
      if (decision.state === "processing") member.hasBegun = true
      else this.#ended(member, decision.state)
    }
  }

  /** A hound's process has ended. */
  down(id: number, exit: ProcessExit): void {
    const member = this.table.get(id)
    if (member === undefined) return
    const wasBooting = member.state === "booting"
    member.connection?.close()
    this.table.remove(id)
    if (member.cause === null) {
      const cause = wasBooting ? "boot" : causeOf(exit)
      if (cause !== "lost" && cause !== "killed") this.#launchBudget.trouble(this.#host.now())
      this.#host.onExit(cause)
      if (wasBooting) this.#host.onBootFailure(exit)
      this.#replenish()
      const isAtFault = cause === "memory" || cause === "crashed"
      this.#settle(member, isAtFault && member.hasBegun ? "error" : "lost", cause)
    } else {
      // Its pipe was gone: only its exit says whether the evidence did that.
      this.#settle(member, isOwnDoing(exit) && member.hasBegun ? "error" : "lost")
      this.#replenish()
    }
    this.#serve()
  }

  /** Time has passed. O(n). */
  tick(): void {
    const now = this.#host.now()
    for (const member of this.table.all()) {
      if (member.state === "booting" && member.due <= now) {
        this.#host.onBootFailure(null)
        this.#fail(member, "boot", "lost")
      } else if (member.state === "active" && member.due <= now) this.#overdue(member)
      else if (member.state === "dormant") {
        if (member.retireAt <= now) this.table.age(member)
        if (member.isWatched && member.restingSince + watchRestMs <= now) this.#watch(member, false)
      }
    }
    this.#retireStale()
    this.#plan()
    this.#replenish()
  }

  /** Has the dormant hounds replaced. */
  rotate(): void {
    for (const member of this.table.all()) if (member.state === "dormant") this.table.age(member)
    this.#replenish()
    this.#retireStale()
  }

  /**
   * Gives up what a hound is examining: the verdict goes nowhere, and the hound lives on. By name;
   * false where it is not active.
   */
  deactivate(name: string): boolean {
    const member = this.#named(name)
    if (member?.state !== "active") return false
    if (member.job === 0) member.isUnwanted = true
    this.#settle(member, "abandoned")
    return true
  }

  /**
   * Kills a hound; another one takes its work. By name; false where there is none, or its end has
   * begun.
   */
  terminate(name: string): boolean {
    const member = this.#named(name)
    if (member === undefined || member.state === "booting" || member.state === "disposing") return false
    this.#end(member, "terminated")
    this.#replenish()
    this.#settle(member, "lost")
    this.#serve()
    return true
  }

  #newBudget(): LaunchBudget {
    const { maxActive, minimumDormant, replenishDelay } = this.#settings
    return new LaunchBudget(minimumDormant + maxActive, replenishDelay, this.#host.now())
  }

  #named(name: string): Member | undefined {
    return this.table.all().find((member) => member.name === name)
  }

  /** Hands what is in the line to hounds that are free. */
  #serve(): void {
    if (this.#isGivenUp) return this.#refuse("unavailable")
    if (this.#source === null) return
    for (let next = this.#line.first; next !== null; next = this.#line.first) {
      const member = this.#houndFor(next)
      if (member === null) break
      this.#line.take()
      this.#begin(member, next)
    }
    if (this.#line.waiting > 0) this.#replenish()
    const { active, booting, dormant } = this.table
    if (this.#isStinted && active + booting + dormant === 0) this.#refuse("abandoned")
  }

  #refuse(kind: "abandoned" | "unavailable"): void {
    for (let next = this.#line.take(); next !== null; next = this.#line.take()) next.settle(withoutHound(kind))
  }

  /** Whether there are no more launches: the end is near, and hounds have failed of late. */
  get #isStinted(): boolean {
    return this.#isRetiring && this.#launchBudget.level > 0
  }

  #houndFor({ reserved }: Examination): Member | null {
    const kept = reserved === null ? undefined : this.table.get(reserved)
    if (kept !== undefined && isReserved(kept)) return kept
    const free = this.#activate()
    if (free !== null || reserved === null) return free
    // The hound reserved for it is gone. It takes one that is reserved for an examination behind
    // it: that one cannot come first, and its hound would idle.
    return this.table.all().find((member) => isReserved(member) && !member.isUnwanted) ?? null
  }

  get #hasFree(): boolean {
    return this.table.active < this.#settings.maxActive && this.table.dormant > 0
  }

  #activate(): Member | null {
    return this.#hasFree ? this.table.activate(this.#host.wallNow()) : null
  }

  #begin(member: Member, examination: Examination): void {
    // From here on a crash of the pool actor loses an attempt, not the examination.
    member.examination = examination
    if (member.isUnwanted) return this.#withhold(member, "abandoned")
    examination.begin()
    const { category, copy, hash, severity } = examination.job
    const { connection } = member
    const bytes = copy(connection === null ? undefined : (length) => connection.room(length))
    if (bytes === null) return this.#withhold(member, "left")
    if (connection === null) return this.#withhold(member, "lost")
    if (!member.isWatched) this.#watch(member, true)
    member.job = this.#nextJob
    this.#nextJob = this.#nextJob === 0xffff_ffff ? 1 : this.#nextJob + 1
    member.hasBegun = false
    member.sentAt = this.#host.now()
    this.#expect(member, this.#settings.maxProcessingTime)
    this.#digest.write(hash, "hex")
    connection.send({
      job: member.job,
      length: bytes.length,
      category: threatCategories.indexOf(category),
      severity: severities.indexOf(severity),
      digest: this.#digest
    }, bytes)
  }

  /** The hound gets no evidence, and is free again. */
  #withhold(member: Member, kind: OutcomeKind): void {
    this.#settle(member, kind)
    this.#rest(member)
  }

  #ready(member: Member): void {
    this.#rest(member)
    this.#retireStale()
    this.#host.onReady()
    this.#serve()
  }

  #ended(member: Member, state: "complete" | "error"): void {
    member.jobs += 1
    const { examination, sentAt } = member
    member.examination = null
    const now = this.#host.now()
    if (state === "error") {
      this.#launchBudget.trouble(now)
      this.#end(member, "error")
    } else if (member.jobs >= this.#settings.maxJobs || member.isStale || member.retireAt <= now)
      this.#end(member, "retired")
    else this.#rest(member)
    this.#replenish()
    examination?.settle({ kind: state, isVerdict: true, cause: member.cause, hound: member.name, took: now - sentAt })
    this.#serve()
  }

  #overdue(member: Member): void {
    // It was reserved, and its examination did not come.
    if (member.job === 0) this.#rest(member)
    else this.#fail(member, "timeout", member.hasBegun ? "timeout" : "lost")
    this.#serve()
  }

  /** The pipe is closed: a hound without a pipe is of no use, and its exit will say why. */
  #gone(member: Member): void {
    if (member.state === "booting") return
    this.#end(member, "killed")
    this.#replenish()
  }

  #fail(member: Member, cause: ExitCause, kind: OutcomeKind): void {
    this.#launchBudget.trouble(this.#host.now())
    this.#end(member, cause)
    this.#replenish()
    this.#settle(member, kind)
    this.#serve()
  }

  #settle(member: Member, kind: OutcomeKind, cause = member.cause): void {
    const { examination, sentAt } = member
    member.examination = null
    const took = member.job === 0 ? 0 : this.#host.now() - sentAt
    examination?.settle({ kind, isVerdict: false, cause, hound: member.name, took })
  }

  /** Kills it. The caller settles what it was examining. */
  #end(member: Member, cause: ExitCause): void {
    member.cause = cause
    member.due = never
    this.table.dispose(member)
    member.connection?.close()
    this.#source?.spawner.kill(member.id)
    this.#host.onExit(cause)
  }

  #rest(member: Member): void {
    member.job = 0
    member.isUnwanted = false
    member.due = never
    member.restingSince = this.#host.now()
    this.table.rest(member)
    this.#wakeBy(member.isStale ? never : member.retireAt)
    if (member.isWatched) this.#wakeBy(member.restingSince + watchRestMs)
  }

  #watch(member: Member, isOn: boolean): void {
    member.isWatched = isOn
    this.#source?.spawner.watch(member.id, isOn)
  }

  /** A stale hound goes when there are enough others. */
  #retireStale(): void {
    if (this.table.stale === 0) return
    for (const member of this.table.all()) {
      if (this.table.dormant <= this.#settings.minimumDormant) return
      if (member.state === "dormant" && member.isStale) this.#end(member, "retired")
    }
  }

  /** Hounds that are ready, or will be, and are not to be replaced. */
  #fresh(): number {
    return this.table.dormant - this.table.stale + this.table.booting
  }

  #replenish(): void {
    if (this.#source === null || this.#isGivenUp || this.#isStinted) return
    const { maxActive, minimumDormant } = this.#settings
    const now = this.#host.now()
    const free = Math.max(0, maxActive - this.table.active)
    const wanted = minimumDormant + Math.min(this.#line.waiting, free)
    for (let fresh = this.#fresh(); fresh < wanted; fresh++) {
      if (!this.#launchBudget.take(now)) {
        this.#wakeBy(this.#launchBudget.nextAt(now))
        return
      }
      this.#launch(this.#source, now)
    }
  }

  #launch({ spawner }: HoundSource, now: number): void {
    const { maxLifeTimeCycle, readyTimeout } = this.#settings
    const id = this.#nextId++
    const member = this.table.launch({
      id,
      name: this.#host.newName(),
      createdAt: this.#host.wallNow(),
      retireAt: now + maxLifeTimeCycle
    }, now)
    this.#expect(member, readyTimeout)
    this.#host.onLaunch()
    spawner.launch(id, {
      up: (_pid, pipe) => this.#host.onUp(id, pipe),
      down: (exit) => this.#host.onDown(id, exit)
    })
  }

  #expect(member: Member, ms: number): void {
    member.due = this.#host.now() + ms
    this.#wakeBy(member.due)
  }

  #wakeBy(at: number): void {
    if (at < this.#due) this.#due = at
  }

  /** Works `due` out anew from every hound. O(n). */
  #plan(): void {
    this.#due = never
    for (const member of this.table.all()) {
      this.#wakeBy(member.due)
      if (member.state !== "dormant") continue
      if (!member.isStale) this.#wakeBy(member.retireAt)
      if (member.isWatched) this.#wakeBy(member.restingSince + watchRestMs)
    }
  }
}

/** It was activated, and its examination has not come. */
const isReserved = ({ examination, job, state }: Member): boolean =>
  state === "active" && job === 0 && examination === null
