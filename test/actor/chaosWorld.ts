/**
 * The actors of the random schedules, whose messages command what their handlers do, and the book:
 * a record of every message, incarnation and answer, which shows what was lost or done twice.
 */
import { Effect, Exit, Request, Scope } from "effect"
import * as Actor from "../../src/actor/index.ts"
import type { Random } from "../support/random.ts"
import { mailboxes } from "./probe.ts"

export const deeds = [
  "ok",
  "exit",
  "yields",
  "fails",
  "dies",
  "throws",
  "interrupts",
  "garbage",
  "slow",
  "long",
  "stops",
  "forwards",
  "asks",
  "links",
  "monitors",
  "monitors",
  "watches",
  "closes",
  "stopsOther",
  "forks",
  "scopes",
  "asksItself",
  "waits",
  "linkedFork",
  "linkedFork",
  "pipes",
  "pipes",
  "timers",
  "timers",
  "timers",
  "quiet",
  "stubborn",
  "stubborn",
  "stubborn",
  "stashes",
  "stashes",
  "unstashes",
  "becomes"
] as const
/** `spreads`: tells and asks a pool, where there is one. */
export type Deed = (typeof deeds)[number] | "spreads"

/** One message: commands its handler what to do, and to which actor. */
export class Act extends Request.TaggedClass("Act")<
  { readonly id: number; readonly deed: Deed; readonly other: number; readonly weight: number; readonly hops: number },
  number,
  string
> {}

/** The book's record of one message. */
export interface Entry {
  readonly id: number
  /** Of a message to a pool, the worker that it chooses. */
  to: Being
  /** Of a message to all workers of a pool, that of the first one. */
  lane: Actor.Lane
  readonly isAsk: boolean
  /** It is the message of a monitor, which no bound holds for. */
  readonly isSignal: boolean
  /** It was offered to the mailbox. */
  offered: boolean
  refused: boolean
  begun: number
  finished: number
  buried: Array<Actor.DeadLetterReason>
  answer: Exit.Exit<number, string | Actor.AskError> | undefined
  /** How often its handler has put it aside. */
  stashes: number
}

/** The most messages that are put aside. */
export const mostStashed = 3
type Failure = string | Actor.Stashed | Actor.Become<Act, Scope.Scope, number>

/** The message of a timer: where it comes from, and whether it may still be handled. */
interface Timed {
  readonly message: Act
  readonly being: Being
  /** The incarnation that has set it. */
  readonly life: number
  isCancelled: boolean
  /** The record of the message that was begun last. */
  entry: Entry | undefined
}

/** The keys of an actor's timers, and its receive timeout, which has none. */
const keys = ["t0", "t1", "t2"] as const
const quiet = "quiet"
/** The most messages of timers that may wait: one for each. */
export const mostTimed = keys.length + 1

/** The book's record of one actor, with the expected contents of its mailbox. */
export interface Being {
  readonly name: string
  readonly spec: Actor.MailboxSpec
  readonly scope: Scope.Closeable
  ref: Actor.ActorRef<Act> | undefined
  /** Messages offered and neither begun nor dead letters, in order. */
  waiting: Array<Entry>
  /** The last message that was begun. */
  last: Entry | undefined
  working: number
  /** Fibers that handlers have forked, as their children and in their Scope. */
  children: number
  scoped: number
  alive: number
  built: number
  released: number
  lastIncarnation: number
  hasEnded: boolean
  /** Messages that handlers have put aside, and those that were put back, in order. */
  stashed: Array<Entry>
  back: Array<Entry>
  /** The timers that are set, by key. */
  readonly timers: Map<string, Timed>
}

/** An actor that is not there yet. */
export const makeBeing = (name: string, spec: Actor.MailboxSpec, scope: Scope.Closeable): Being => ({
  name,
  spec,
  scope,
  ref: undefined,
  waiting: [],
  last: undefined,
  working: 0,
  children: 0,
  scoped: 0,
  alive: 0,
  built: 0,
  released: 0,
  lastIncarnation: 0,
  hasEnded: false,
  timers: new Map(),
  stashed: [],
  back: []
})

export class Violation extends Error {}

/** The record of one run. */
export class World {
  readonly trace: Array<string> = []
  readonly entries: Array<Entry> = []
  readonly beings: Array<Being> = []
  /** All messages of timers that were ever set, by their id. */
  readonly #timed = new Map<number, Timed>()
  /** Errors that were found where throwing is not possible. */
  readonly wrongs: Array<string> = []
  /** How often things happened that are rare. */
  readonly seen: Record<string, number> = {}
  /** What the next message is to command. */
  #command: { readonly deed: Deed; readonly other: Being } | undefined
  readonly random: Random
  readonly now: () => number
  isQuiet = false
  /** Handlers that were abandoned, and have not ended. */
  abandoned = 0
  /** What a handler does to pools. */
  spread: (hops: number) => Effect.Effect<void> = () => Effect.void
  /** How often a message is to spread. */
  spreading = 0

  constructor(random: Random, now: () => number) {
    this.random = random
    this.now = now
  }

  log(text: string): void {
    this.trace.push(`${this.now()} ${text}`)
    if (this.isQuiet) this.wrongs.push(`after the end: ${text}`)
  }
  count(what: string): void {
    this.seen[what] = (this.seen[what] ?? 0) + 1
  }
  check(holds: boolean, text: () => string): void {
    if (!holds) this.wrongs.push(text())
  }

  /** A message of a random kind for one actor. */
  draft(to: Being, isAsk: boolean, hops: number, isSignal = false): { readonly message: Act; readonly entry: Entry } {
    const { below, chance, pick } = this.random
    const command = this.#command
    this.#command = undefined
    const isSpreading = this.spreading > 0 && command === undefined && chance(this.spreading)
    const deed = isSpreading
      ? "spreads"
      : command?.deed ?? (chance(0.45) ? pick<Deed>(["ok", "exit", "yields", "slow"]) : pick(deeds))
    const lane = isSignal ? "medium" : pick(Actor.laneOrder)
    const entry = this.#record(to, isAsk, lane, isSignal)
    const other = command === undefined ? below(this.beings.length) : this.beings.indexOf(command.other)
    const { id } = entry
    this.log(`#${id} ${isAsk ? "ask" : "tell"} ${to.name} ${lane} ${deed} ${other}`)
    return { message: new Act({ id, deed, other, weight: below(4), hops }), entry }
  }
  #record(to: Being, isAsk: boolean, lane: Actor.Lane, isSignal: boolean): Entry {
    const entry: Entry = {
      id: this.entries.length,
      to,
      lane,
      isAsk,
      isSignal,
      offered: isSignal,
      refused: false,
      begun: 0,
      finished: 0,
      buried: [],
      answer: undefined,
      stashes: 0
    }
    this.entries.push(entry)
    return entry
  }
  tell(to: Being, hops = 0): void {
    const { entry, message } = this.draft(to, false, hops)
    const foretold = to.ref?.refusalUnsafe(message.weight, entry.lane) ?? null
    const took = to.ref?.tellUnsafe(message, entry.lane)
    this.check(took === (foretold === null), () => `#${entry.id}: refusalUnsafe said ${foretold}, tellUnsafe ${took}`)
  }
  /** Tells one to do a certain thing. */
  command(to: Being, deed: Deed, other: Being): void {
    this.#command = { deed, other }
    this.tell(to)
  }
  ask(to: Being, hops = 0, timeout?: number): Effect.Effect<number, string | Actor.AskError> {
    return Effect.suspend(() => {
      const draft = this.draft(to, true, hops)
      return to.ref === undefined ? Effect.die("not yet") : this.answered(draft, to.ref, timeout)
    })
  }
  /** Asks, and notes the answer. */
  answered(
    { entry, message }: { readonly entry: Entry; readonly message: Act },
    whom: Pick<Actor.ActorRef<Act>, "ask">,
    timeout: number | undefined
  ): Effect.Effect<number, string | Actor.AskError> {
    const options = { lane: entry.lane, ...(timeout === undefined ? {} : { timeout }) }
    return Effect.onExit(whom.ask(message, options), (exit) =>
      Effect.sync(() => {
        this.check(entry.answer === undefined, () => `#${entry.id} was answered twice`)
        entry.answer = exit
        this.#countError(exit)
        this.log(`#${entry.id} ${Exit.isSuccess(exit) ? "answered" : "no answer"}`)
      }))
  }
  /** A pool has chosen who gets a message. */
  redirect({ id }: Act, to: Being): void {
    const entry = this.entries[id]
    if (entry !== undefined) entry.to = to
    this.log(`#${id} for ${to.name}`)
  }

  #countError(exit: Exit.Exit<number, string | Actor.AskError>): void {
    const failed = Exit.isFailure(exit) ? exit.cause.reasons.find((reason) => reason._tag === "Fail") : undefined
    if (failed?._tag !== "Fail") return
    if (failed.error instanceof Actor.WaitsForItself) this.count("waits for itself")
    if (failed.error instanceof Actor.ActorRestarting) this.count("comes back")
  }

  /**
   * A definition that records everything that happens in its actors: one, or the workers of a pool.
   */
  define(
    beings: readonly [Being, ...ReadonlyArray<Being>],
    options: {
      readonly restart: Actor.RestartKind
      readonly drain: number
      readonly abandonAfter: number
      readonly suspended: boolean
    }
  ) {
    const [first] = beings
    const of = ({ id }: Act): Being => this.#timed.get(id)?.being ?? this.entries[id]?.to ?? first
    return Actor.define<Act>()(first.name, {
      ...options,
      mailbox: first.spec,
      stash: mostStashed,
      // `weigh` is the first call for an offered message, so it shows the exact order of the
      // offers.
      weigh: (message) => this.#weigh(of(message), message),
      onDeadLetter: (message, reason) => this.#buried(of(message), message, reason),
      behaviour: (self) =>
        Effect.gen({ self: this }, function*() {
          const being = beings.find(({ name }) => self.ref.path.endsWith(`/${name}`)) ?? first
          yield* Effect.acquireRelease(
            Effect.sync(() => this.#acquired(being)),
            () => Effect.sync(() => this.#released(being))
          )
          yield* this.#building(being)
          return { Act: (message) => this.#handle(being, self, message) }
        })
    })
  }
  #building(being: Being): Effect.Effect<void, string, Scope.Scope> {
    const { below } = this.random
    const roll = below(20)
    if (roll < 12) return Effect.void
    if (roll < 14) return Effect.yieldNow
    if (roll < 16) return Effect.sleep(1 + below(20))
    if (roll === 16) return Effect.fail("not today")
    if (roll === 17) return Effect.addFinalizer(() => Effect.sleep(below(10)))
    if (roll === 18 && being.built > 1) return Effect.never
    return roll === 19 && being.built > 1 ? Effect.die("stillborn") : Effect.void
  }
  #acquired(being: Being): void {
    being.built += 1
    being.alive += 1
    this.log(`${being.name} +${being.built}`)
    this.#unstash(being)
    this.check(being.alive === 1, () => `${being.name} has ${being.alive} incarnations`)
    this.check(being.working === 0, () => `${being.name} was built while a handler was at work`)
  }
  #released(being: Being): void {
    being.released += 1
    being.alive -= 1
    this.log(`${being.name} -${being.released}`)
    this.check(being.working === 0, () => `${being.name} was released while a handler was at work`)
    this.check(being.children + being.scoped === 0, () => `${being.name} was released before what it forked`)
  }

  #weigh(being: Being, { id, weight }: Act): number {
    const entry = this.entries[id]
    if (entry !== undefined && !entry.offered) {
      entry.offered = true
      being.waiting.push(entry)
    }
    return weight
  }
  #buried(being: Being, { id }: Act, reason: Actor.DeadLetterReason): void {
    const entry = this.#timed.get(id)?.entry ?? this.entries[id]
    this.log(`#${id} ${reason}`)
    if (entry === undefined) return
    entry.buried.push(reason)
    if (reason === "abandoned") {
      being.working -= 1
      this.abandoned += 1
    }
    if (entry.stashes > 0) this.count("stashed, then dead")
    else if (reason === "full" || reason === "closed") entry.refused = true
    if (reason === "dropped" && being.spec.kind === "dropping") entry.refused = true
    for (const list of ["waiting", "stashed", "back"] as const)
      being[list] = being[list].filter((other) => other !== entry)
    this.check(entry.buried.length === 1, () => `#${id} was buried twice: ${entry.buried.join(", ")}`)
    if (this.random.chance(0.1)) throw new Error("the owner's mistake")
  }

  /** The record of the message of a timer, which begins now: that of an interval comes again. */
  #beginTimed(being: Being, timed: Timed): Entry {
    const { isCancelled, life, message } = timed
    this.count("timers")
    this.check(!isCancelled, () => `#${message.id} was handled though its timer was cancelled`)
    this.check(life === being.built, () => `#${message.id} is of a timer of incarnation ${life}`)
    return timed.entry = this.#record(being, false, "medium", true)
  }
  #begin(being: Being, message: Act): Entry | undefined {
    const timed = this.#timed.get(message.id)
    const entry = timed === undefined ? this.entries[message.id] : this.#beginTimed(being, timed)
    if (entry === undefined) return undefined
    const { id } = entry
    entry.begun += 1
    this.log(`#${id} begun`)
    this.check(entry.begun === 1, () => `#${id} was handled twice`)
    this.check(entry.buried.length === 0, () => `#${id} was handled after it was buried`)
    this.check(being.working === 0, () => `${being.name} handles two messages at once`)
    this.check(being.alive === 1, () => `${being.name} handles #${id} without an incarnation`)
    this.check(being.children === 0, () => `#${id} begins while a child of an earlier message is alive`)
    being.last = entry
    if (being.back.length > 0) {
      this.check(being.back[0] === entry, () => `#${id} went before #${being.back[0]?.id}, which was put back`)
      being.back = being.back.filter((other) => other !== entry)
      return entry
    }
    if (timed !== undefined) return entry
    const { spec } = being
    if (entry.isSignal || being.waiting[0]?.isSignal === true) {
      const [first] = being.waiting
      this.check(first === entry, () => `#${id} went before #${first?.id}: a monitor's message keeps its place`)
    }
    const waiting = being.waiting.filter((other) => other === entry || !other.isSignal)
    const lane = spec.kind !== "lanes" ? waiting : waiting.filter((other) => other.lane === entry.lane)
    this.check(entry.isSignal || lane[0] === entry, () => `#${id} went before #${lane[0]?.id} in ${being.name}`)
    if (!entry.isSignal && spec.kind === "lanes" && spec.overtakes === Number.POSITIVE_INFINITY) {
      const rank = (lane: Actor.Lane) => Actor.laneOrder.indexOf(lane)
      const above = waiting.find((other) => rank(other.lane) < rank(entry.lane))
      this.check(above === undefined, () => `#${id} went before #${above?.id}, which is of a higher lane`)
    }
    being.waiting = being.waiting.filter((other) => other !== entry)
    return entry
  }
  #unstash(being: Being): void {
    being.back = [...being.stashed, ...being.back]
    being.stashed = []
  }
  #handle(being: Being, self: Actor.Self<Act>, message: Act): Effect.Effect<number, Failure, Scope.Scope> {
    const { deed } = message
    const entry = this.#begin(being, message)
    const id = entry?.id ?? message.id
    if (deed === "throws") throw new Error(`#${id}`)
    if (deed === "garbage") return "garbage" as unknown as Effect.Effect<number>
    if (deed === "exit") {
      if (entry !== undefined) entry.finished += 1
      return Exit.succeed(id)
    }
    let isAtWork = false
    // Inside the effect that onExit guards: an interruption may come before the first step.
    const work = Effect.suspend(() => {
      isAtWork = true
      being.working += 1
      return Effect.as(this.#work(being, self, message, id), id)
    })
    return Effect.onExit(work, (exit) =>
      Effect.sync(() => {
        if (entry?.buried[0] === "abandoned") this.abandoned -= 1
        else if (isAtWork) being.working -= 1
        if (entry === undefined) return
        if (Exit.isSuccess(exit) || deed === "fails" || deed === "becomes") entry.finished += 1
        else if (deed === "stashes") this.#stash(being, entry)
      }))
  }
  #stash(being: Being, entry: Entry): void {
    entry.begun -= 1
    entry.stashes += 1
    being.stashed.push(entry)
  }
  /** Work on a fiber that a handler has forked. */
  #aside(being: Being, which: "children" | "scoped", ms: number): Effect.Effect<void> {
    return Effect.acquireUseRelease(
      Effect.sync(() => {
        being[which] += 1
        this.count(which)
      }),
      () => Effect.sleep(ms),
      () =>
        Effect.sync(() => {
          being[which] -= 1
        })
    )
  }
  /** Work of a fiber that is linked to the actor, or whose outcome it waits for. */
  #linked(being: Being, id: number): Effect.Effect<void, string> {
    const { pick } = this.random
    const end = pick([
      Effect.void,
      Effect.void,
      Effect.fail("fork"),
      Effect.die("fork"),
      Effect.interrupt,
      Effect.never
    ])
    return Effect.andThen(this.#aside(being, "scoped", id % 30), end)
  }
  /** What an abandoned handler does, none of which may have an effect. */
  #late(being: Being, self: Actor.Self<Act>): Effect.Effect<unknown> {
    this.count("late")
    const { entry, message } = this.draft(being, false, 3, true)
    entry.offered = false
    this.#timed.set(message.id, { message, being, life: being.built, isCancelled: true, entry: undefined })
    return Effect.all([
      self.stop,
      self.fork(Effect.die("late")),
      self.pipe(Effect.void, () => message),
      self.timers.every("t0", 1, message),
      self.receiveTimeout(1, message)
    ])
  }
  /** Watches an address: what is told must follow one another, and end once. */
  #watches(being: Being, self: Actor.Self<Act>, other: Actor.ActorRef<Act>): Effect.Effect<void> {
    let last: Entry | undefined
    // One that is being started is told of.
    const { incarnation: number, phase } = other.inspect()
    let incarnation = phase === "starting" ? number - 1 : number
    let isOver = false
    return self.watch(other, (event) => {
      this.log(`${being.name} sees that ${event.actor} is ${event._tag}`)
      this.count(event._tag === "Restarted" ? "restarts seen" : "ends seen")
      this.check(!isOver, () => `${being.name} sees ${event.actor} after its end`)
      if (event._tag === "Restarted") {
        const before = incarnation
        this.check(event.incarnation > before, () => `${being.name} sees ${event.actor}#${event.incarnation} late`)
        incarnation = event.incarnation
        // The latest restart stands for those that wait.
        if (last !== undefined && being.waiting.includes(last)) {
          last.offered = false
          being.waiting = being.waiting.filter((entry) => entry !== last)
        }
      } else {
        isOver = true
        this.check(other.inspect().phase === "ended", () => `${event.actor} is said to have ended`)
      }
      const { entry, message } = this.draft(being, false, 3, true)
      being.waiting.push(entry)
      last = entry
      return message
    })
  }
  /** Sets, replaces or cancels a timer. */
  #time(being: Being, { timers }: Actor.Self<Act>): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { below, pick } = this.random
      const key = pick(keys)
      const ms = below(40)
      const roll = below(5)
      if (roll === 0) return this.#unset(being, key, timers.cancel(key))
      const set = (message: Act) => roll < 3 ? timers.once(key, ms, message) : timers.every(key, 1 + ms, message)
      return this.#set(being, key, set)
    })
  }
  #set(being: Being, key: string, set: (message: Act) => Effect.Effect<void>): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#cancelled(being, key)
      const id = this.entries.length
      const { entry } = this.draft(being, false, 3, true)
      entry.offered = false
      const { pick } = this.random
      const deed = pick<Deed>(["ok", "exit", "yields", "slow", "dies", "timers", "pipes", "stops", "forwards"])
      const message = new Act({ id, deed, other: 0, weight: 0, hops: 3 })
      const timed: Timed = { message, being, life: being.built, isCancelled: false, entry: undefined }
      being.timers.set(key, timed)
      this.#timed.set(id, timed)
      return set(message)
    })
  }
  #unset(being: Being, key: string, unset: Effect.Effect<void>): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.#cancelled(being, key)
      return unset
    })
  }
  #cancelled(being: Being, key: string): void {
    const timed = being.timers.get(key)
    if (timed === undefined) return
    this.count("timers set anew")
    timed.isCancelled = true
    being.timers.delete(key)
  }
  #work(being: Being, self: Actor.Self<Act>, message: Act, id: number): Effect.Effect<unknown, Failure, Scope.Scope> {
    const { deed, hops, other } = message
    const partner = this.beings[other] ?? being
    switch (deed) {
      case "yields":
        return Effect.yieldNow
      case "fails":
        return Effect.fail(`no ${id}`)
      case "dies":
        return Effect.andThen(Effect.yieldNow, Effect.die(new Error(`#${id}`)))
      case "interrupts":
        return Effect.interrupt
      case "slow":
        return Effect.sleep(1 + (id % 30))
      case "long":
        return Effect.sleep(1000)
      case "stops":
        return self.stop
      case "forwards":
        return Effect.sync(() => {
          if (hops < 3 && partner.ref !== undefined) this.tell(partner, hops + 1)
        })
      case "asks":
        return hops < 3 && partner.ref !== undefined ? Effect.ignore(this.ask(partner, hops + 1, 25)) : Effect.void
      case "links":
        return partner.ref === undefined ? Effect.void : self.link(partner.ref)
      case "monitors":
        return partner.ref === undefined ? Effect.void : self.monitor(partner.ref, (down) => {
          this.log(`${being.name} hears that ${down.actor} is ${down.reason}`)
          // Every second time the mailbox is full at this very moment.
          for (let n = id % 2 === 0 ? 6 : 0; n > 0; n--) this.tell(being, 3)
          if (being.ref?.refusalUnsafe() === "full") this.count("heard while full")
          const { entry, message } = this.draft(being, false, 3, true)
          being.waiting.push(entry)
          return message
        })
      case "watches":
        return partner.ref === undefined ? Effect.void : this.#watches(being, self, partner.ref)
      case "forks":
        return Effect.andThen(
          Effect.forkChild(this.#aside(being, "children", 500), { startImmediately: id % 2 === 0 }),
          id % 3 === 0 ? Effect.sleep(id % 20) : Effect.yieldNow
        )
      case "scopes":
        return Effect.forkScoped(this.#aside(being, "scoped", 10 + id), { startImmediately: id % 2 === 0 })
      case "asksItself":
        return Effect.ignore(this.ask(being, hops + 1, id % 2 === 0 ? 25 : undefined))
      case "waits":
        // Without a timeout, and so never in a ring.
        return partner.ref !== undefined && this.beings.indexOf(partner) > this.beings.indexOf(being)
          ? Effect.ignore(this.ask(partner, hops + 1))
          : Effect.void
      case "linkedFork":
        return Effect.andThen(self.fork(this.#linked(being, id)), id % 4 === 0 ? Effect.sleep(id % 25) : Effect.void)
      case "pipes":
        return self.pipe(this.#linked(being, id), () => {
          this.count("outcomes")
          const { entry, message } = this.draft(being, false, 3, true)
          being.waiting.push(entry)
          return message
        })
      case "timers":
        return Effect.andThen(
          Effect.replicateEffect(this.#time(being, self), 3),
          id % 3 === 0 ? Effect.sleep(id % 40) : Effect.void
        )
      case "quiet":
        return id % 4 === 0
          ? this.#unset(being, quiet, self.cancelReceiveTimeout)
          : this.#set(being, quiet, (message) => self.receiveTimeout(1 + id % 30, message))
      case "stashes":
        return (this.entries[id]?.stashes ?? 0) < 2 ? self.stash : Effect.void
      case "unstashes":
        return Effect.suspend(() => {
          this.count("unstashed")
          this.#unstash(being)
          return self.unstash
        })
      case "becomes":
        return Actor.become<Act, Scope.Scope, number>({ Act: (next) => this.#handle(being, self, next) }, id)
      case "stubborn":
        return Effect.andThen(
          Effect.uninterruptible(Effect.sleep(20 + id % 150)),
          Effect.suspend(() => this.entries[id]?.buried[0] === "abandoned" ? this.#late(being, self) : self.stop)
        )
      case "closes":
        return id % 3 === 0 ? Scope.close(being.scope, Exit.void) : Effect.void
      case "spreads":
        return hops < 3 ? this.spread(hops + 1) : Effect.void
      case "stopsOther":
        return id % 3 === 0 && partner.ref !== undefined ? partner.ref.stop : Effect.void
      default:
        return Effect.void
    }
  }
}

/** A random mailbox, small enough to be full often. */
export const anySpec = ({ below, chance, pick }: Random): Actor.MailboxSpec => {
  const bounds = { capacity: 1 + below(4), ...(chance(0.4) ? { maxWeight: 3 + below(6) } : {}) }
  const kind = pick<Actor.MailboxSpec["kind"]>(["fifo", "lanes", "lanes", "sliding", "dropping"])
  return kind === "lanes" && chance(0.5)
    ? Actor.lanes({ ...bounds, overtakes: 1 + below(3) })
    : mailboxes[kind](bounds)
}
