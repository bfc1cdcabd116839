/**
 * Long work in slices: one body of code that runs on the caller's turn, or with a turn of the event
 * loop between any two slices.
 *
 * The work is a generator that yields wherever it may pause. It bounds its slices by counts of what
 * it does (records, bytes), so that a test can hold them; no slice takes 20 ms on a machine of
 * today.
 *
 * **Gotchas**
 *
 * - What the work looks at can change during a pause. It says itself what it then promises.
 */
import * as Effect from "effect/Effect"

/** Work that can pause at each `yield`, and gives its result at the end. */
export type Sliced<A> = Generator<undefined, A, undefined>

/** Runs all slices on the caller's turn. */
export const atOnce = <A>(work: Sliced<A>): A => {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

/**
 * Begins the work anew each time it is run, and runs each slice on a turn of its own, by `run`
 * where something is to hold during each. Interrupting it ends the work at the pause that it is in.
 */
export const inSlices = <A>(
  begin: () => Sliced<A>,
  run: <B>(slice: () => B) => Effect.Effect<B> = Effect.sync
): Effect.Effect<A> =>
  Effect.suspend(() => {
    const work = begin()
    const rest: Effect.Effect<A> = Effect.flatMap(
      run(() => work.next()),
      (step) => step.done === true ? Effect.succeed(step.value) : Effect.andThen(Effect.yieldNow, rest)
    )
    // Work that has ended takes no notice of it.
    return Effect.onInterrupt(rest, () => Effect.sync(() => work.return(undefined as A)))
  })
