/**
 * Names that tell the instances of one process apart in its metrics: the first has the name that it
 * was given, a second one that lives at the same time gets `-2`, and so on. A name is free again
 * when its scope closes. O(1), amortised, however many live.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"

/**
 * Takes the name, or the first free one after it, until the scope closes. Names are told apart
 * within one metric registry: elsewhere there are no series to be mixed up with.
 */
export const claimInstance = (name: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.contextWith((context: Context.Context<Scope.Scope>) => {
    const registry = Context.get(context, Metric.MetricRegistry)
    const names = namesIn.get(registry) ?? new Names()
    namesIn.set(registry, names)
    return Effect.map(
      Effect.acquireRelease(Effect.sync(() => names.take(name)), (taken) => Effect.sync(() => names.free(taken))),
      ({ own }) => own
    )
  })

/** A name that is taken: the one that was asked for, and which of that it is, from 1. */
interface Taken {
  readonly asked: string
  readonly number: number
  readonly own: string
}

/** The names of one registry. */
class Names {
  readonly #taken = new Set<string>()
  /** By the name that was asked for: below this number all are taken. */
  readonly #free = new Map<string, number>()

  take(asked: string): Taken {
    let number = this.#free.get(asked) ?? 1
    // `web-2` may also have been asked for by that name.
    while (this.#taken.has(nameOf(asked, number))) number += 1
    const own = nameOf(asked, number)
    this.#taken.add(own)
    this.#free.set(asked, number + 1)
    return { asked, number, own }
  }

  free({ asked, number, own }: Taken): void {
    this.#taken.delete(own)
    this.#free.set(asked, Math.min(number, this.#free.get(asked) ?? number))
  }
}

const nameOf = (asked: string, number: number): string => number === 1 ? asked : `${asked}-${number}`

const namesIn = new WeakMap<Metric.MetricRegistry, Names>()
