/**
 * Names that tell the instances of one process apart in its metrics: the first has the name that it
 * was given, a second one that lives at the same time gets `-2`, and so on. A name is free again
 * when its scope closes.
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
    const taken = takenIn.get(registry) ?? new Set<string>()
    takenIn.set(registry, taken)
    return Effect.acquireRelease(
      Effect.sync(() => {
        let own = name
        for (let number = 2; taken.has(own); number++) own = `${name}-${number}`
        taken.add(own)
        return own
      }),
      (own) => Effect.sync(() => taken.delete(own))
    )
  })

/** The names that are taken, by registry. */
const takenIn = new WeakMap<Metric.MetricRegistry, Set<string>>()
