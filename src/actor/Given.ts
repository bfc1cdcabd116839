/**
 * What somebody else's code gives: an Effect that may be none, and promises where none was wanted.
 */
import * as Effect from "effect/Effect"

/**
 * The Effect that `give` returns. Where it throws, or returns something else, a defect, which can
 * be caught: a fiber that runs what is no Effect dies without asking anybody.
 */
export const given = <A, E, R>(give: () => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const effect: unknown = give()
    return Effect.isEffect(effect) ? effect as Effect.Effect<A, E, R> : Effect.die(new TypeError("this is no Effect"))
  })

/** Takes what was no answer. A promise that rejects and that nobody waits for ends a process. */
export const disown = (answer: unknown): void => {
  if (answer instanceof Promise) answer.catch(() => undefined)
}
