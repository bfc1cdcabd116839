/**
 * Keeps this process alive while somebody waits for what keeps no process alive by itself: hounds,
 * their pipes, and the timers of an UnrefClock (CONFORMANCE R4).
 *
 * Cost: one timer for each that waits.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/** The longest interval of a timer, in ms. */
const longest = 2 ** 31 - 1

/** Keeps the process alive until the function that it gives is called. */
const stayAwake = (): () => void => {
  const timer = setInterval(() => undefined, longest)
  return () => clearInterval(timer)
}

/** The process stays alive until the effect has ended, its finalizers among it. */
export const awake = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(Effect.sync(stayAwake), () => effect, (rest) => Effect.sync(rest))

/**
 * The same layer, and the process stays alive from the moment at which it begins to close until it
 * is closed. Otherwise a program could end there, before its own finalizers have run.
 */
export const awakeWhileClosing = <A, E, R>(layer: Layer.Layer<A, E, R>): Layer.Layer<A, E, R> =>
  Layer.suspend(() => {
    let rest = (): void => undefined
    const atEnd = Layer.effectDiscard(Effect.addFinalizer(() => Effect.sync(() => rest())))
    const atBegin = Layer.effectDiscard(
      Effect.addFinalizer(() =>
        Effect.sync(() => {
          rest = stayAwake()
        })
      )
    )
    // Layers close from the last that was built to the first.
    return atBegin.pipe(Layer.provideMerge(layer), Layer.provide(atEnd))
  })

/**
 * Waits for a promise to its end, also where the caller is interrupted: what it had opened is
 * closed by then.
 */
export const uncut = <A>(promise: () => Promise<A>): Effect.Effect<A> => Effect.uninterruptible(Effect.promise(promise))
