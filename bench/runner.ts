/**
 * A paired runner: all variants take turns in one process, so that what the machine does meanwhile
 * hits them alike. Trust the ratios; the times are of this machine and this moment.
 *
 * **Details**
 *
 * A variant first runs until it has filled its warm-up, which also finds how many calls fill a
 * turn. Then come the rounds: each variant takes one turn in each, in an order that is turned round
 * every time, so that nobody always pays for the garbage of the same neighbour. What `before` and
 * `after` do is not timed.
 *
 * **Gotchas**
 *
 * - The result of a call goes where anybody could read it, so that no compiler may leave the call
 *   out.
 * - The loop calls `run` through a variable: no variant is inlined into it, and all pay the same 2
 *   to 4 ns for that.
 */
import { setImmediate } from "node:timers/promises"
import { median, quantile, ratiosOf } from "./statistics.ts"

/** What is timed, as far as the order of turns is concerned. */
interface Entrant {
  readonly name: string
  /** The name of the variant that this one is measured against. */
  readonly floor?: string | undefined
  /** The most calls that one turn may have, where it can be made ready for no more. */
  readonly maxCalls?: number
  /** Calls that every turn has, however long they take. */
  readonly exactCalls?: number
}

/** One thing to time. `run` is called with a counter that never repeats in this process. */
export interface Variant extends Entrant {
  readonly run: (i: number) => unknown
  /** Makes ready for a turn of so many calls. */
  readonly before?: (calls: number) => void
  /** Puts back what a turn left behind. */
  readonly after?: () => void
}

/**
 * One thing to time that has to be waited for: a turn is so many calls, one after the other or
 * together as it likes.
 */
export interface WaitingVariant extends Entrant {
  readonly run: (calls: number) => Promise<unknown>
}

/** How long to measure. */
export interface Turns {
  /** Turns of each variant that count. */
  readonly rounds: number
  /** What a turn should take. */
  readonly turnMs: number
  /** What a variant runs before anything counts. */
  readonly warmMs: number
}

/** What the runner takes from its host: nanoseconds that only go forward. */
export type Nanoseconds = () => number

/** Nanoseconds a call. */
export interface Timing {
  readonly name: string
  readonly floor: string | null
  readonly p10: number
  readonly median: number
  /** The median of the ratios of each round to the floor's time in the same round. */
  readonly ratio: number | null
  /** Of each round, in their order. */
  readonly rounds: ReadonlyArray<number>
  /** The ratio of each round, in the same order. */
  readonly ratios: ReadonlyArray<number> | null
}

/** Where results go. */
export const sink: { value: unknown } = { value: undefined }

let counter = 0

/** Runs a variant so often and gives the nanoseconds of a call. */
const turn = (variant: Variant, calls: number, now: Nanoseconds): number => {
  variant.before?.(calls)
  const { run } = variant
  const start = now()
  for (let i = 0; i < calls; i++) sink.value = run(counter++)
  const taken = now() - start
  variant.after?.()
  return taken / calls
}

/** The most calls of a turn, whatever they cost: what a clock of 1 ns can still tell. */
const mostCalls = 10_000_000

/** A turn to take: it is answered with the nanoseconds of a call. */
interface Turn<V> {
  readonly variant: V
  readonly calls: number
}

/** Warms a variant up, and finds how many calls fill a turn. At least one. */
function* callsFor<V extends Entrant>(variant: V, { turnMs, warmMs }: Turns): Generator<Turn<V>, number, number> {
  const { exactCalls } = variant
  const most = exactCalls ?? variant.maxCalls ?? mostCalls
  let calls = exactCalls ?? 1
  let warmed = 0
  for (;;) {
    const each = yield { variant, calls }
    warmed += each * calls
    const full = each * calls >= turnMs * 1e6 / 2 || calls === most
    // A turn's calls are sized by a turn that was itself about as long, once the code is as fast as
    // it gets.
    if (full && warmed >= warmMs * 1e6)
      return exactCalls ?? Math.max(1, Math.min(most, Math.round(turnMs * 1e6 / each)))
    if (!full) calls = Math.min(most, calls * 2)
  }
}

/**
 * The turns of all variants, in their order, and what comes of them. A floor that is not among them
 * is a mistake and throws.
 */
function* turnsOf<V extends Entrant>(
  variants: ReadonlyArray<V>,
  turns: Turns,
  onRound: (round: number) => void
): Generator<Turn<V>, ReadonlyArray<Timing>, number> {
  for (const { floor, name } of variants) {
    if (floor !== undefined && !variants.some((other) => other.name === floor))
      throw new Error(`${name}: there is no floor called ${floor}`)
  }
  const entries: Array<Turn<V> & { readonly times: Array<number> }> = []
  for (const variant of variants) entries.push({ variant, calls: yield* callsFor(variant, turns), times: [] })
  for (let round = 0; round < turns.rounds; round++) {
    for (const { calls, times, variant } of round % 2 === 0 ? entries : entries.toReversed())
      times.push(yield { variant, calls })
    onRound(round)
  }
  return entries.map(({ times, variant: { floor, name } }) => {
    const beside = entries.find((other) => other.variant.name === floor)
    const ratios = beside === undefined ? null : ratiosOf(times, beside.times)
    return {
      name,
      floor: floor ?? null,
      p10: quantile(times, 0.1),
      median: median(times),
      ratio: ratios === null ? null : median(ratios),
      rounds: times,
      ratios
    }
  })
}

/** Nanoseconds of the host's monotonic clock. A double is exact for the first 104 days. */
export const hostNanoseconds: Nanoseconds = () => Number(process.hrtime.bigint())

/**
 * Nanoseconds that this process had a processor, collections and compiling included: what others do
 * meanwhile is not in them, but for what it does to caches. To a microsecond, so for turns of
 * milliseconds. A thread's own time would be kinder, and Linux counts it in steps of 4 ms.
 */
export const processorNanoseconds: Nanoseconds = () => {
  const { system, user } = process.cpuUsage()
  return (system + user) * 1000
}

/** Times the variants in turns. A floor that is not among them is a mistake and throws. */
export const compare = (
  variants: ReadonlyArray<Variant>,
  turns: Turns,
  now: Nanoseconds = hostNanoseconds,
  onRound: (round: number) => void = () => {}
): ReadonlyArray<Timing> => {
  const all = turnsOf(variants, turns, onRound)
  let step = all.next()
  while (step.done !== true) step = all.next(turn(step.value.variant, step.value.calls, now))
  return step.value
}

/** The same of what has to be waited for. The event loop turns between two turns, untimed. */
export const compareWaiting = async (
  variants: ReadonlyArray<WaitingVariant>,
  turns: Turns,
  now: Nanoseconds = hostNanoseconds,
  onRound: (round: number) => void = () => {}
): Promise<ReadonlyArray<Timing>> => {
  const all = turnsOf(variants, turns, onRound)
  let step = all.next()
  while (step.done !== true) {
    const { calls, variant } = step.value
    await setImmediate()
    const start = now()
    sink.value = await variant.run(calls)
    step = all.next((now() - start) / calls)
  }
  return step.value
}
