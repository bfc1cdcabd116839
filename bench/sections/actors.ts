/**
 * The actor runtime: what telling and asking cost, alone and among many, what an actor keeps, and
 * what its life costs.
 *
 * Telling is synchronous and timed by itself: what was told is handled between two turns. Asking,
 * and telling until all is handled, are timed with the event loop's own turns in them.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { setImmediate } from "node:timers/promises"
import { dropping, fifo, lanes, type MailboxSpec } from "../../src/actor/index.ts"
import { clusterCounters, xstateCounters } from "../actorPeers.ts"
import {
  add,
  alone,
  askInTurn,
  type Counter,
  counter,
  crash,
  FlushedScheduler,
  handledMore,
  makeSystem,
  roomy,
  roundRobin,
  spawn,
  spawnOne
} from "../actorWorld.ts"
import { actorCrowds } from "../catalogue.ts"
import type { Line, Row } from "../goals.ts"
import { grown, once } from "../heap.ts"
import {
  type Context,
  type Makers,
  type Measure,
  measureLines,
  measureValues,
  measureWaiting,
  type WaitingMakers
} from "../measure.ts"
import { loadPeer } from "../peers.ts"
import { hostNanoseconds, sink } from "../runner.ts"
import { median } from "../statistics.ts"

/** The most of a turn of telling: what a mailbox may hold meanwhile, which is less than `roomy`. */
const mostTold = 32_768

/**
 * What a tell cannot avoid being: a method that keeps its argument where there is room, and says
 * whether it did.
 */
class Bounded {
  readonly #items: Array<unknown>
  readonly #capacity: number
  #length = 0

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#items = Array.from({ length: capacity }, () => undefined)
  }

  tell(item: unknown): boolean {
    if (this.#length === this.#capacity) return false
    this.#items[this.#length++] = item
    return true
  }

  clear(): void {
    this.#items.fill(undefined, 0, this.#length)
    this.#length = 0
  }
}

const telling = (mailbox: MailboxSpec) => async () => {
  const scheduler = new FlushedScheduler()
  const system = await makeSystem(scheduler)
  const one = await spawnOne(system, counter(mailbox), scheduler)
  return {
    maxCalls: mostTold,
    run: () => one.tellUnsafe(add),
    after: () => {
      scheduler.flush()
      if (one.pendingUnsafe() > 0) throw new Error(`${one.pendingUnsafe()} messages were not handled`)
    }
  }
}

/** Told to a mailbox that has no room and gets none. */
const refused = (mailbox: MailboxSpec) => async () => {
  const one = await spawnOne(await makeSystem(), counter(mailbox, true))
  one.tellUnsafe(add)
  if (one.tellUnsafe(add)) throw new Error("it was not refused")
  return { run: () => one.tellUnsafe(add) }
}

const tells: Makers = {
  "a plain call": () => {
    const bounded = new Bounded(mostTold)
    return { maxCalls: mostTold, run: () => bounded.tell(add), after: () => bounded.clear() }
  },
  "tellUnsafe, fifo": telling(fifo({ capacity: roomy })),
  "tellUnsafe, lanes": telling(lanes({ capacity: roomy })),
  "tellUnsafe, refused: full": refused(fifo({ capacity: 1 })),
  "tellUnsafe, dropped by a dropping mailbox": refused(dropping({ capacity: 1 }))
}

/** Asks of which so many are in flight. */
const askTogether = (one: Counter, calls: number, concurrency: number): Promise<void> =>
  Effect.runPromise(
    Effect.forEach(Array.from({ length: calls }), () => one.ask(add), { concurrency, discard: true })
  )

/** How many are told before anybody looks whether they are handled. */
const burst = 100_000

const asks: WaitingMakers = {
  "a promise by setImmediate": () =>
    Promise.resolve({
      run: async (calls) => {
        for (let i = 0; i < calls; i++) await setImmediate()
      }
    }),
  ask: async () => {
    const one = await alone()
    return { run: (calls) => askInTurn(() => one, calls) }
  },
  "ask, timeout of 5 s": async () => {
    const one = await alone()
    return { run: (calls) => askInTurn(() => one, calls, { timeout: "5 seconds" }) }
  },
  "ask, 100 in flight": async () => {
    const one = await alone()
    return { run: (calls) => askTogether(one, calls, 100) }
  },
  "xstate: send and waitFor": async () => {
    const { waitFor } = await loadPeer("xstate")
    const actor = (await xstateCounters())()
    let sum = 0
    return {
      run: async (calls) => {
        for (let i = 0; i < calls; i++) {
          const wanted = ++sum
          actor.send({ type: "add", n: 1 })
          sink.value = await waitFor(actor, ({ context }) => context.sum >= wanted)
        }
      }
    }
  },
  "Effect cluster: ask of a local entity": async () => {
    const ask = (await clusterCounters())("the only one")
    return {
      run: (calls) =>
        Effect.runPromise(Effect.gen(function*() {
          for (let i = 0; i < calls; i++) yield* ask()
        }))
    }
  },
  "told and handled, 100k at a time": async () => {
    const one = await alone()
    return {
      exactCalls: burst,
      run: (calls) => {
        for (let i = 0; i < calls; i++) one.tellUnsafe(add)
        return Effect.runPromise(one.settled)
      }
    }
  },
  "xstate: send": async () => {
    const actor = (await xstateCounters())()
    return {
      exactCalls: burst,
      run: (calls) => {
        for (let i = 0; i < calls; i++) actor.send({ type: "add", n: 1 })
        return Promise.resolve()
      }
    }
  }
}

/** One crash after the other, each when the message after the one before has been answered. */
const crashing = (one: Counter, calls: number): Promise<void> =>
  Effect.runPromise(Effect.gen(function*() {
    for (let i = 0; i < calls; i++) {
      one.tellUnsafe(crash)
      yield* one.ask(add)
    }
  }))

/** The same for crowds that are alive at the same time, each in a system of its own. */
const crowds = (told: number): WaitingMakers => {
  const makers: Record<string, WaitingMakers[string]> = {}
  for (const { actors, count, siblings } of actorCrowds) {
    const all = once(async () => roundRobin(await spawn(await makeSystem(), count)))
    makers[`told and handled, ${actors}`] = async () => {
      const next = await all()
      return {
        // What is told to one at a time is handled in one burst: so the time of a message depends
        // on how many there are.
        exactCalls: told,
        run: (calls) => {
          const done = handledMore(calls)
          for (let i = 0; i < calls; i++) next().tellUnsafe(add)
          return done
        }
      }
    }
    makers[`ask, ${actors}`] = async () => {
      const next = await all()
      return { run: (calls) => askInTurn(next, calls) }
    }
    makers[`a crash until the next answer, ${siblings}`] = async () => {
      const one = (await all())()
      return { run: (calls) => crashing(one, calls) }
    }
  }
  return makers
}

/** Nanoseconds for each of so many actors of a system, from spawning to closing. */
const lives = async (count: number): Promise<{ readonly spawned: number; readonly closed: number }> => {
  const system = await makeSystem()
  const scope = Scope.makeUnsafe()
  const start = hostNanoseconds()
  await spawn(system, count, scope)
  const spawned = hostNanoseconds()
  await Effect.runPromise(Scope.close(scope, Exit.void))
  const closed = hostNanoseconds()
  if (system.inspect().children.length > 0) throw new Error("not all of them were closed")
  return { spawned: (spawned - start) / count, closed: (closed - spawned) / count }
}

/** Bytes an actor at `count`, before and after its first message. */
const memory = async (count: number) => {
  const system = await makeSystem()
  let all: ReadonlyArray<Counter> = []
  const spawned = await grown(async () => {
    all = await spawn(system, count)
  })
  const told = await grown(async () => {
    const done = handledMore(count)
    for (const one of all) one.tellUnsafe(add)
    await done
  })
  return { untold: spawned.kept / count, told: (spawned.kept + told.kept) / count }
}

const xstateMemory = async (count: number): Promise<number> => {
  const xstateCounter = await xstateCounters()
  sink.value = xstateCounter()
  const { kept } = await grown(() => {
    sink.value = Array.from({ length: count }, xstateCounter)
  })
  return kept / count
}

const clusterMemory = async (count: number): Promise<number> => {
  const asking = await clusterCounters()
  await Effect.runPromise(asking("warm")())
  const { kept } = await grown(async () => {
    await Effect.runPromise(Effect.forEach(Array.from({ length: count }, (_, i) => `${i}`), (id) => asking(id)()))
  })
  return kept / count
}

export const measure: Measure = async (context): Promise<ReadonlyArray<Row>> => {
  // A hundred thousand take longer to start than a quick run has, and so does a cluster.
  const isQuick = ({ group, name }: Line): boolean =>
    !name.startsWith("Effect cluster") && !(group === "crowds" && name.includes("100k"))
  const lines = context.whole ? context.lines : context.lines.filter(isQuick)
  const asked: Context = { ...context, lines }
  const group = lines[0]?.group
  if (group === "telling") return measureLines(asked, tells)
  if (group === "asking") return measureWaiting(asked, asks)
  if (group === "crowds") return measureWaiting(asked, crowds(context.quick ? burst / 10 : burst))
  const count = context.quick ? 10_000 : 100_000
  const kept = once(() => memory(count))
  const runs = once(async () => {
    // The first is the warm-up.
    const all: Array<Awaited<ReturnType<typeof lives>>> = []
    for (let run = 0; run < (context.quick ? 4 : 12); run++) all.push(await lives(context.quick ? 1000 : 10_000))
    return all.slice(1)
  })
  return measureValues(asked, {
    "spawning an actor": async () => median((await runs()).map(({ spawned }) => spawned)),
    "closing an idle actor": async () => median((await runs()).map(({ closed }) => closed)),
    "an idle actor, never told": async () => (await kept()).untold,
    "an idle actor, told once": async () => (await kept()).told,
    "xstate: an idle actor": () => xstateMemory(count),
    "Effect cluster: an idle entity, asked once": () => clusterMemory(1000)
  })
}
