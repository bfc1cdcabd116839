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
    const effect = give()
    return isEffect(effect) ? effect : Effect.die(new TypeError("this is no Effect"))
  })

/** Asks, and does not tell the compiler, which would forget what the effect is said to be. */
const isEffect: (value: unknown) => boolean = Effect.isEffect

/** What somebody else's Effect fails with: nobody looks into it. */
export interface Foreign {
  readonly foreign: never
}

/** Whether it is an Effect. What it needs has been provided, or is looked for where it runs. */
export const isForeign = (answer: unknown): answer is Effect.Effect<unknown, Foreign> => Effect.isEffect(answer)

/** Takes what was no answer. A promise that rejects and that nobody waits for ends a process. */
export const disown = (answer: unknown): void => {
  if (answer instanceof Promise) answer.catch(() => undefined)
}
