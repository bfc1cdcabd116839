/**
 * Pools in the random schedules. Their workers are actors like all others, with a record of their
 * own in the book; what comes by way of the pool is entered for the worker that the pool chooses,
 * at the moment of its choice, which is held against what the route promises.
 */
import { Effect, Exit, Scope } from "effect"
import type * as Actor from "../../src/actor/index.ts"
import type { Random } from "../support/random.ts"
import { type Act, anySpec, type Being, makeBeing, type World } from "./chaosWorld.ts"

const routes = ["round_robin", "least_busy", "by_key"] as const

/** Keys of messages. */
const keys = 5

/** The book's record of one pool. */
export interface Crowd {
  readonly name: string
  readonly route: (typeof routes)[number]
  readonly workers: ReadonlyArray<Being>
  readonly scope: Scope.Closeable
  face: Actor.Pool<Act> | undefined
  /** The worker of each key that was seen. */
  readonly ofKey: Map<number, Being>
  /** Messages that were given to the pool, and not by it to a worker. */
  readonly given: Set<number>
  isBroadcasting: boolean
}

const keyOf = ({ id }: Act): number => id % keys

/** Checks what the pool has chosen, and enters the message for that worker. */
const noteChoice = (world: World, { name, ofKey, route, workers }: Crowd, being: Being, message: Act): void => {
  world.count(`chosen ${route}`)
  world.redirect(message, being)
  if (route === "by_key") {
    const known = ofKey.get(keyOf(message)) ?? being
    ofKey.set(keyOf(message), known)
    return world.check(known === being, () => `#${message.id} went to ${being.name}, its key to ${known.name}`)
  }
  const there = workers.filter(({ ref }) => ref?.inspect().phase === "running")
  if (there.length === 0) return world.count("nobody there")
  const { mailbox: { pending } = { pending: 0 }, phase } = being.ref?.inspect() ?? {}
  world.check(phase === "running" || phase === "ending", () => `${name} has chosen ${being.name}, which is ${phase}`)
  if (route !== "least_busy") return
  const least = Math.min(...there.map(({ ref }) => ref?.pendingUnsafe() ?? 0))
  world.check(pending <= least, () => `${name} has chosen ${being.name} with ${pending}, not one with ${least}`)
}

/** From now on each worker notes what the pool gives it. */
const follow = (world: World, crowd: Crowd, face: Actor.Pool<Act>): void => {
  crowd.face = face
  for (const [number, being] of crowd.workers.entries()) {
    const ref = face.workers[number]
    if (ref === undefined) continue
    const ask = ref.ask.bind(ref)
    const tellUnsafe = ref.tellUnsafe.bind(ref)
    const note = (message: Act): void => {
      if (crowd.given.delete(message.id)) noteChoice(world, crowd, being, message)
    }
    being.ref = Object.assign(ref, {
      ask: (message: Act, options?: Actor.AskOptions) => {
        note(message)
        return ask(message, options)
      },
      tellUnsafe: (message: Act, lane?: Actor.Lane) => {
        note(message)
        // Each worker gets a message of its own: the book knows each message once.
        if (!crowd.isBroadcasting) return tellUnsafe(message, lane)
        const own = world.draft(being, false, 3)
        if (lane !== undefined) own.entry.lane = lane
        return tellUnsafe(own.message, lane)
      }
    } as Partial<Actor.ActorRef<Act>>)
  }
}

/** A pool of up to four under a supervisor. */
export const gather = (world: World, dice: Random, boss: Actor.Supervisor, scope: Scope.Closeable) => {
  const { below, chance, pick } = dice
  const name = `p${world.beings.length}`
  const spec = anySpec(dice)
  const makeWorker = (number: number) => makeBeing(`${name}/${number}`, spec, scope)
  const workers = [makeWorker(0), ...Array.from({ length: below(4) }, (_, n) => makeWorker(n + 1))] as const
  const crowd: Crowd = {
    name,
    route: pick(routes),
    workers,
    scope,
    face: undefined,
    ofKey: new Map(),
    given: new Set(),
    isBroadcasting: false
  }
  world.beings.push(...workers)
  const definition = world.define(workers, {
    restart: pick<Actor.RestartKind>(["permanent", "permanent", "transient"]),
    drain: pick([0, 20, 100]),
    abandonAfter: pick([15, 20, 1000]),
    suspended: chance(0.1)
  })
  const making = boss.pool(definition, {
    name,
    size: workers.length,
    route: crowd.route === "by_key" ? keyOf : crowd.route,
    restart: pick<Actor.RestartKind>(["permanent", "transient", "temporary"]),
    intensity: pick([1, 5, 50]),
    period: pick([10, 1000]),
    ...(chance(0.5) ? { backoff: { base: 1 + below(20), max: 100 } } : {})
  })
  world.log(`pool ${boss.path}/${name} ${crowd.route} of ${workers.length} ${spec.kind} ${spec.capacity}`)
  const gathering = Effect.map(Effect.exit(Scope.provide(making, scope)), (exit) => {
    world.log(`${name} ${Exit.isSuccess(exit) ? "gathered" : "not gathered"}`)
    if (Exit.isSuccess(exit)) follow(world, crowd, exit.value)
  })
  return { crowd, gathering: chance(0.1) ? Effect.ignore(Effect.timeout(gathering, 5)) : gathering }
}

/** A message for whom the pool chooses. */
const draftFor = (world: World, crowd: Crowd, isAsk: boolean, hops: number) => {
  const [first] = crowd.workers
  if (first === undefined) throw new Error("a pool without workers")
  const draft = world.draft(first, isAsk, hops)
  crowd.given.add(draft.message.id)
  return draft
}

/** Tells the pool a message. */
export const tellCrowd = (world: World, crowd: Crowd, hops = 0): void => {
  if (crowd.face === undefined) return
  const { entry, message } = draftFor(world, crowd, false, hops)
  const took = crowd.face.tellUnsafe(message, entry.lane)
  world.check(took !== entry.refused, () => `#${entry.id}: ${crowd.name} said ${took}`)
}

/** Asks the pool. */
export const askCrowd = (world: World, crowd: Crowd, hops: number, timeout?: number) =>
  Effect.suspend(() =>
    crowd.face === undefined
      ? Effect.void
      : Effect.ignore(world.answered(draftFor(world, crowd, true, hops), crowd.face, timeout))
  )

/** Tells all workers. */
export const broadcast = (world: World, crowd: Crowd): void => {
  const { face, workers } = crowd
  const [first] = workers
  if (face === undefined || first === undefined) return
  const before = world.entries.length + 1
  crowd.isBroadcasting = true
  const { entry: { lane }, message } = world.draft(first, false, 3)
  const accepted = face.broadcastUnsafe(message, lane)
  crowd.isBroadcasting = false
  const told = world.entries.slice(before).filter(({ isSignal }) => !isSignal)
  world.count("broadcasts")
  world.check(told.length >= workers.length, () => `${crowd.name} has not told all of its workers`)
  const mine = told.slice(0, workers.length).filter(({ refused }) => !refused).length
  world.check(accepted === mine, () => `${crowd.name} says that ${accepted} have accepted, and not ${mine}`)
}
