/**
 * Random schedules: runs a whole actor system on its own clock, does a seeded sequence of
 * everything that can be done to it, and checks the invariants after every step. The same seed
 * gives the same run, byte for byte.
 */
import { Clock, Effect, Exit, Fiber, Logger, Metric, PubSub, Random, Scope } from "effect"
import { MaxOpsBeforeYield } from "effect/Scheduler"
import { TestClock } from "effect/testing"
import { createHash } from "node:crypto"
import * as Actor from "../../src/actor/index.ts"
import { random } from "../support/random.ts"
import { askCrowd, broadcast, type Crowd, gather, tellCrowd } from "./chaosPools.ts"
import { anySpec, type Being, makeBeing, mostStashed, mostTimed, Violation, World } from "./chaosWorld.ts"

/** The result of a run. */
export interface Run {
  readonly trace: ReadonlyArray<string>
  /** A hash of the trace and of every inspection. */
  readonly hash: string
  /** How often each kind of thing happened, so that a test can check that it did. */
  readonly seen: Readonly<Record<string, number>>
}

/** The path of the supervisor. */
const above = (path: string): string => path.slice(0, path.lastIndexOf("/"))

interface Boss {
  readonly ref: Actor.Supervisor
  readonly scope: Scope.Closeable
  hasEnded: boolean
}

const phases = ["starting", "running", "ending", "waiting", "ended"]

/** Counts how many of a thing there are now. */
const gauge = () => {
  let count = 0
  return {
    count: () => count,
    enter: () => {
      count += 1
    },
    leave: () => {
      count -= 1
    }
  }
}

/** Checks the invariants of the tree, which hold at any moment. */
const checkTree = (world: World, root: Actor.SupervisorInspection): void => {
  const visit = (supervisor: Actor.SupervisorInspection): void => {
    const { children, path, phase } = supervisor
    const names = new Set(children.map(({ name }) => name))
    world.check(names.size === children.length, () => `${path} has two children of one name`)
    world.check(phase !== "ended" || children.length === 0, () => `${path} has ended and has children`)
    for (const child of children) {
      world.check(child.path === `${path}/${child.name}`, () => `${child.path} is under ${path}`)
      world.check(phases.includes(child.phase), () => `${child.path} is ${child.phase}`)
      world.check(child.phase !== "ended", () => `${child.path} has ended and is still there`)
      if (child.kind === "supervisor") visit(child)
    }
  }
  visit(root)
}

/** Checks an actor's own account against the book, which must agree at any moment. */
const checkBeing = (world: World, being: Being): void => {
  const { name, ref, spec } = being
  if (ref === undefined) return
  const { accepted, buried, handled, incarnation, mailbox, phase } = ref.inspect()
  const mine = world.entries.filter((entry) => entry.to === being && entry.offered && !entry.refused)
  const isTrue = (holds: boolean, text: string) =>
    world.check(holds, () => `${name} ${text}: ${JSON.stringify(ref.inspect())}`)
  isTrue(accepted === handled + buried + mailbox.pending, "is not balanced")
  // The book does not know of a timer's message before it is begun.
  const timed = phase === "ended" ? 0 : mostTimed
  isTrue(mailbox.stashed <= mostStashed, "has put aside too many")
  isTrue(accepted >= mine.length && accepted <= mine.length + timed, `should have accepted ${mine.length}`)
  isTrue(buried === mine.filter((entry) => entry.buried.length > 0).length, "counts other dead than the book")
  const signals = being.waiting.filter(({ isSignal }) => isSignal).length + (being.last?.isSignal === true ? 1 : 0)
  isTrue(
    mailbox.pending <= spec.capacity * (spec.kind === "lanes" ? 4 : 1) + signals + timed + mostStashed,
    "holds too many"
  )
  isTrue(Object.values(mailbox.lanes ?? {}).every((held) => held >= 0 && held <= spec.capacity), "has a lane too full")
  isTrue(mailbox.weight >= 0 && mailbox.weight <= spec.maxWeight, "holds too much")
  isTrue(incarnation >= being.lastIncarnation, "went back in time")
  isTrue(!being.hasEnded || phase === "ended", "came back from the dead")
  const left = being.alive + being.children + being.scoped + mailbox.pending
  isTrue(phase !== "ended" || left === 0, "has ended and left something")
  being.lastIncarnation = incarnation
  being.hasEnded = phase === "ended"
}

/** Checks that every message was settled once, after the end of the run. */
const checkEnds = (world: World): void => {
  for (const { answer, begun, buried, finished, id, isAsk, offered } of world.entries) {
    if (!offered) continue
    const ends = `#${id} begun ${begun} finished ${finished} buried ${buried.join(", ")}`
    // A handler may be interrupted just before it returns: it has finished, but its message is a
    // dead letter all the same.
    world.check(buried.length === 1 || (buried.length === 0 && begun === 1 && finished === 1), () => ends)
    if (!isAsk) continue
    world.check(answer !== undefined, () => `${ends}: asked and never answered`)
    if (answer === undefined || Exit.isSuccess(answer)) {
      world.check(buried.length === 0, () => `${ends}: answered all the same`)
      continue
    }
    const error: unknown = answer.cause.reasons.find((reason) => reason._tag === "Fail")?.error
    if (error === undefined || error instanceof Actor.AskTimeout) continue
    const expected: ReadonlyArray<string | undefined> = error instanceof Actor.ActorCrashed
      ? ["crashed", "abandoned"]
      : error instanceof Actor.MailboxFull
      ? ["full", "dropped"]
      : error instanceof Actor.ActorStopped
      ? ["closed", "stopped", "abandoned"]
      : error instanceof Actor.ActorRestarting
      ? ["stopped", "abandoned"]
      : [undefined]
    world.check(expected.includes(buried[0]), () => `${ends}: the asker was told ${String(error)}`)
  }
}

/** The time of day, which is set to something else again and again. */
const jumping = (seed: number, { doesJump }: ChaosOptions, seen: () => void) => {
  const { below, chance } = random(seed ^ 0x5eed)
  let ahead = 0
  return (now: number) => {
    if (doesJump && chance(0.05)) {
      ahead = below(2) === 0 ? -below(1e9) : below(1e9)
      seen()
    }
    return now + ahead
  }
}

export interface ChaosOptions {
  /** Whether somebody sets the time of day now and then. It must make no difference. */
  readonly doesJump: boolean
  /** Whether there are pools as well. */
  readonly hasPools: boolean
}

const play = (seed: number, steps: number, options: ChaosOptions) =>
  Effect.gen(function*() {
    const dice = random(seed)
    const { below, chance, pick } = dice
    const clock = yield* TestClock.testClockWith((testClock) => Effect.succeed(testClock))
    const world = new World(dice, () => clock.currentTimeMillisUnsafe())
    const sleeping = gauge()
    const fibers = gauge()
    const hash = createHash("sha256")
    const asked: Array<Fiber.Fiber<unknown, unknown>> = []
    const others: Array<Fiber.Fiber<unknown, unknown>> = []
    const seen: Record<string, number> = {}
    const strategies = ["one_for_one", "one_for_all", "rest_for_one", "one_for_all", "rest_for_one"] as const
    const anyOptions = (): Actor.SupervisorOptions => ({
      strategy: pick(strategies),
      intensity: pick([1, 3, 50, 50]),
      period: pick([10, 1000]),
      ...(chance(0.5) ? { backoff: { base: 1 + below(20), max: 100 } } : {})
    })

    const run = Effect.gen(function*() {
      const system = yield* Scope.make()
      const { deadLetters, inspect, root } = yield* Scope.provide(
        Actor.ActorSystem.make({ ...anyOptions(), intensity: pick([2, 1000, 1000, 1000]), deadLetters: 1 + below(8) }),
        system
      )
      const letters = yield* Scope.provide(deadLetters.subscribe, system)
      const bosses: Array<Boss> = [{ ref: root, scope: system, hasEnded: false }]
      const launch = <A, E>(effect: Effect.Effect<A, E>) =>
        Effect.map(Effect.forkDetach(effect, { startImmediately: chance(0.7) }), (fiber) => {
          others.push(fiber)
        })
      const look = (step: string): Effect.Effect<void> =>
        Effect.sync(() => {
          const tree = inspect()
          hash.update(JSON.stringify(tree))
          checkTree(world, tree)
          for (const boss of bosses) {
            const { children, phase } = boss.ref.inspect()
            const isRight = (!boss.hasEnded || phase === "ended") && (phase !== "ended" || children.length === 0)
            world.check(isRight, () => `${boss.ref.path} had ended, and is ${phase}`)
            boss.hasEnded = phase === "ended"
          }
          for (const being of world.beings) checkBeing(world, being)
          if (world.wrongs.length > 0) throw new Violation(`${step}: ${world.wrongs.slice(0, 3).join("; ")}`)
        })
      const supervise = Effect.gen(function*() {
        const above = pick([bosses[0]!, ...bosses])
        const scope = yield* Scope.fork(above.scope)
        const name = `s${bosses.length}`
        world.log(`supervise ${above.ref.path}/${name}`)
        const made = yield* Effect.result(
          Scope.provide(
            above.ref.supervise(name, { ...anyOptions(), restart: pick(["permanent", "transient", "temporary"]) }),
            scope
          )
        )
        if (made._tag === "Success") bosses.push({ ref: made.success, scope, hasEnded: false })
      })
      const spawn = Effect.gen(function*() {
        const boss = pick([bosses[0]!, ...bosses])
        const being = makeBeing(`a${world.beings.length}`, anySpec(dice), yield* Scope.fork(boss.scope))
        world.beings.push(being)
        world.log(`spawn ${boss.ref.path}/${being.name} ${being.spec.kind} ${being.spec.capacity}`)
        const restart = pick<Actor.RestartKind>(["permanent", "permanent", "transient", "temporary"])
        const definition = world.define([being], {
          restart,
          drain: pick([0, 20, 100]),
          abandonAfter: pick([15, 20, 1000]),
          suspended: chance(0.1)
        })
        const spawning = Effect.map(Effect.exit(Scope.provide(boss.ref.spawn(definition), being.scope)), (exit) => {
          world.log(`${being.name} ${Exit.isSuccess(exit) ? "spawned" : "not spawned"}`)
          if (Exit.isSuccess(exit)) being.ref = exit.value
        })
        yield* launch(chance(0.1) ? Effect.ignore(Effect.timeout(spawning, 5)) : spawning)
      })
      const living = () => world.beings.filter(({ hasEnded, ref }) => ref !== undefined && (!hasEnded || chance(0.1)))
      const onOne = (act: (being: Being) => Effect.Effect<unknown>) =>
        Effect.suspend(() => {
          const beings = living()
          const being = beings[below(beings.length)]
          return being === undefined ? Effect.void : act(being)
        })
      const tell = onOne((being) => Effect.sync(() => world.tell(being)))
      const burst = onOne((being) =>
        Effect.sync(() => {
          for (let n = below(8); n >= 0; n--) world.tell(being)
        })
      )
      const ask = onOne((being) =>
        Effect.gen(function*() {
          const asking = world.ask(being, 0, chance(0.4) ? 1 + below(40) : undefined)
          const fiber = yield* Effect.forkDetach(asking, { startImmediately: true })
          asked.push(fiber)
          if (chance(0.1)) yield* launch(Fiber.interrupt(fiber))
        })
      )
      /** One asks or watches another, which crashes over what it was told before. */
      const corner = onOne((being) =>
        Effect.gen(function*() {
          const later = living().filter((other) => world.beings.indexOf(other) > world.beings.indexOf(being))
          const siblings = later.filter(({ ref }) =>
            ref !== undefined && above(ref.path) === above(being.ref?.path ?? "")
          )
          const other = pick([later[below(later.length)], siblings[0], siblings[0], siblings.at(-1)])
          if (other?.ref === undefined) return
          yield* other.ref.suspend
          yield* being.ref?.resume ?? Effect.void
          world.command(other, "dies", other)
          world.command(being, pick(["waits", "waits", "monitors", "watches"]), other)
          for (let turn = 0; turn < 3; turn++) yield* Effect.yieldNow
          yield* other.ref.resume
        })
      )
      const close = (scope: Scope.Closeable, name: string) =>
        Effect.suspend(() => {
          world.log(`close ${name}`)
          return launch(Effect.map(Scope.close(scope, Exit.void), () => world.log(`closed ${name}`)))
        })
      const read = Effect.map(PubSub.takeUpTo(letters, 1 + below(4)), (some) => {
        world.check(some.length <= 8, () => "the subscription grew")
        world.log(`letters ${some.map(({ reason, sequence }) => `${sequence} ${reason}`).join(", ")}`)
      })
      /** An operator's hand: on an actor, or on a supervisor with all under it. */
      const operate = Effect.suspend(() => {
        const beings = living()
        const [one, boss] = [beings[below(beings.length)]?.ref, bosses[below(bosses.length)]?.ref]
        const target = pick<Actor.Target | undefined>([one, one, boss])
        if (target === undefined) return Effect.void
        const path = typeof target === "string" ? target : target.path
        const what = pick<"stop" | "restart">(["stop", "restart", "restart"])
        world.log(`${what} ${path} by hand`)
        return launch(Effect.match(root[what](target), {
          onSuccess: () => {
            world.count(`${what} by hand`)
            world.log(`done: ${what} ${path}`)
          },
          onFailure: ({ message }) => world.log(`not done: ${what} ${path}: ${message}`)
        }))
      })
      // With dice of their own: a schedule without pools is what it was before there were any.
      const lot = random(seed ^ 0xb00)
      const crowds: Array<Crowd> = []
      const open = Effect.gen(function*() {
        const boss = lot.pick([bosses[0]!, ...bosses])
        const { crowd, gathering } = gather(world, lot, boss.ref, yield* Scope.fork(boss.scope))
        crowds.push(crowd)
        yield* launch(gathering)
      })
      const onPool = (act: (crowd: Crowd) => Effect.Effect<unknown>) =>
        Effect.suspend(() => {
          const crowd = crowds[lot.below(crowds.length)]
          return crowd === undefined ? Effect.void : act(crowd)
        })
      world.spread = (hops) =>
        onPool((crowd) => {
          if (lot.chance(0.5)) return askCrowd(world, crowd, hops, 25)
          return Effect.sync(() => tellCrowd(world, crowd, hops))
        })
      const pooled = Effect.suspend(() => {
        const roll = lot.below(100)
        if (roll < 20) return onPool((crowd) => Effect.sync(() => tellCrowd(world, crowd)))
        if (roll < 30) {
          return onPool((crowd) =>
            Effect.map(
              Effect.forkDetach(askCrowd(world, crowd, 0, lot.chance(0.4) ? 1 + lot.below(40) : undefined), {
                startImmediately: true
              }),
              (fiber) => asked.push(fiber)
            )
          )
        }
        if (roll < 35) return onPool((crowd) => Effect.sync(() => broadcast(world, crowd)))
        if (roll < 37) {
          return onPool(({ face }) => {
            if (face === undefined) return Effect.void
            const what = lot.pick<"stop" | "restart">(["stop", "restart", "restart"])
            world.log(`${what} ${face.path} by hand`)
            return launch(Effect.ignore(root[what](face.path)))
          })
        }
        if (roll < 38) return onPool((crowd) => close(crowd.scope, crowd.name))
        return roll < 40 ? open : Effect.void
      })
      const pass = (ms: number) => Effect.suspend(() => TestClock.adjust(ms))

      for (let n = 0; n < 3; n++) yield* supervise
      for (let n = 0; n < 7; n++) yield* spawn
      if (options.hasPools) {
        world.spreading = 0.05
        for (let n = 0; n < 2; n++) yield* open
      }
      for (let step = 0; step < steps; step++) {
        const roll = below(100)
        if (roll < 14) yield* corner
        else if (roll < 24) yield* tell
        else if (roll < 34) yield* burst
        else if (roll < 48) yield* ask
        else if (roll < 62) yield* Effect.yieldNow
        else if (roll < 78) yield* pass(below(15))
        else if (roll < 81) yield* pass(below(300))
        else if (roll < 84) yield* onOne(({ ref }) => ref?.suspend ?? Effect.void)
        else if (roll < 88) yield* onOne(({ ref }) => ref?.resume ?? Effect.void)
        else if (roll < 91) yield* read
        else if (roll < 95) yield* spawn
        else if (roll < 96) yield* supervise
        else if (roll < 98) yield* onOne((being) => close(being.scope, being.name))
        else if (roll < 99) {
          yield* onOne((being) => {
            const { name, ref } = being
            if (chance(0.5)) world.command(being, "stubborn", being)
            world.log(`stop ${name}`)
            return launch(Effect.andThen(Effect.yieldNow, ref?.stop ?? Effect.void))
          })
        } else if (step > steps / 2) {
          const boss = bosses[1 + below(bosses.length - 1)]
          if (boss !== undefined) yield* close(boss.scope, boss.ref.path)
        }
        if (chance(0.06)) yield* operate
        if (options.hasPools) yield* pooled
        yield* look(`step ${step}`)
      }

      // The end: close everything, however long it takes. Then nothing may be left.
      const closing = yield* Effect.forkDetach(Scope.close(system, Exit.void), { startImmediately: true })
      for (let n = 0; n < 2000 && closing.pollUnsafe() === undefined; n++) {
        yield* pass(10)
        yield* look("while closing")
      }
      for (let n = 0; n < 20 && world.abandoned > 0; n++) yield* pass(10)
      world.check(world.abandoned === 0, () => `${world.abandoned} handlers never end`)
      world.check(closing.pollUnsafe() !== undefined, () => "it never closes")
      world.check(inspect().phase === "ended", () => "the root has not ended")
      for (const { alive, built, name, released } of world.beings)
        world.check(alive === 0 && built === released, () => `${name} outlived the system`)
      yield* look("at the end")
      // Let fibers that wait for the end go on.
      for (let n = 0; n < 50; n++) yield* Effect.yieldNow
      checkEnds(world)
      for (const [what, list] of [["ask", asked], ["fiber", others]] as const)
        world.check(list.every((fiber) => fiber.pollUnsafe() !== undefined), () => `an ${what} is still waiting`)
      world.check(sleeping.count() === 0, () => `${sleeping.count()} timers are left`)
      world.check(fibers.count() === 1, () => `${fibers.count() - 1} fibers are left`)
      world.isQuiet = true
      yield* pass(3_600_000)
      for (let n = 0; n < 20; n++) yield* Effect.yieldNow
      yield* look("long after the end")
      hash.update(
        JSON.stringify([deadLetters.counts(), deadLetters.recent(), world.beings.map(({ ref }) => ref?.inspect())])
      )
      for (const reason of Actor.deadLetterReasons) seen[reason] = deadLetters.counts()[reason]
      seen["handled"] = world.beings.reduce((sum, { ref }) => sum + (ref?.inspect().handled ?? 0), 0)
      seen["rebuilt"] = world.beings.reduce((sum, { built }) => sum + Math.max(0, built - 1), 0)
    })

    const wall = jumping(seed, options, () => world.count("jumps"))
    const counted: Clock.Clock = {
      ...clock,
      currentTimeMillisUnsafe: () => wall(clock.currentTimeMillisUnsafe()),
      sleep: (duration) =>
        Effect.acquireUseRelease(Effect.sync(sleeping.enter), () =>
          clock.sleep(duration), () =>
          Effect.sync(sleeping.leave))
    }
    const watched = Effect.forkDetach(run, { startImmediately: true }).pipe(
      Effect.provideService(Clock.Clock, counted),
      Effect.provideService(MaxOpsBeforeYield, pick([2048, 2048, 3 + below(40)])),
      Effect.provideService(Metric.FiberRuntimeMetrics, {
        recordFiberStart: fibers.enter,
        recordFiberEnd: fibers.leave
      }),
      Random.withSeed(seed)
    )
    const exit = yield* Effect.flatMap(watched, (fiber) =>
      Fiber.await(fiber))
    if (Exit.isFailure(exit)) {
      const error = exit.cause.reasons.map((reason) => reason._tag === "Die" ? String(reason.defect) : reason._tag)
        .join("; ")
      return yield* Effect.die(new Violation(`ACTORS_SEED=${seed}: ${error}\n${world.trace.slice(-60).join("\n")}`))
    }
    hash.update(world.trace.join("\n"))
    return { trace: world.trace, hash: hash.digest("hex"), seen: { ...seen, ...world.seen } } satisfies Run
  })

/** One run on a clock of its own. Dies with a short trace if an invariant is broken. */
export const runChaos = (
  seed: number,
  steps = 160,
  options: ChaosOptions = { doesJump: true, hasPools: true }
): Promise<Run> => Effect.runPromise(Effect.provide(play(seed, steps, options), [TestClock.layer(), Logger.layer([])]))
