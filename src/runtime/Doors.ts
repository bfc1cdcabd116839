/**
 * The ways into the synchronous core: each call runs in the name of its caller's span, and
 * `intercept` tells that span what came of it.
 *
 * Cost: nothing on the synchronous way where the host's tracing cannot be asked, as `intercept` is
 * then the Agent's own function; on Effect's way one look at the fiber's context.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"
import type { InterceptResult } from "../domain/InterceptResult.ts"
import type { Scent } from "../domain/Scent.ts"
import type { Caller } from "../telemetry/Caller.ts"

type Intercept = (scent: Scent) => InterceptResult

/** `intercept` for code outside of Effect: asks the host for the caller's span where it can. */
export const makeIntercept = (caller: Caller, intercept: Intercept): Intercept =>
  caller.isAsking ? (scent) => interceptWithin(caller, caller.current(), intercept, scent) : intercept

/** The same for a fiber, whose span is the caller's where it has one. */
export const interceptIn = (
  caller: Caller,
  intercept: Intercept,
  fiber: Fiber.Fiber<unknown, unknown>,
  scent: Scent
): InterceptResult => interceptWithin(caller, spanOf(fiber), intercept, scent)

/** Any other call, as an effect, in the name of the fiber's span where it has one. */
export const inFiber = <A>(caller: Caller, call: () => A): Effect.Effect<A> =>
  Effect.withFiber((fiber) => {
    const span = spanOf(fiber)
    return Effect.succeed(span === undefined ? call() : caller.within(span, call))
  })

const spanOf = ({ context }: Fiber.Fiber<unknown, unknown>): Tracer.AnySpan | undefined =>
  Context.getOrUndefined(context, Tracer.ParentSpan)

const interceptWithin = (
  caller: Caller,
  span: Tracer.AnySpan | undefined,
  intercept: Intercept,
  scent: Scent
): InterceptResult => {
  if (span === undefined) return intercept(scent)
  const result = caller.within(span, () => intercept(scent))
  if (span._tag === "Span" && span.sampled) tell(span, result)
  return result
}

/** A tracer is the host's code: `intercept` does not throw, whatever it does. */
const tell = (span: Tracer.Span, result: InterceptResult): void => {
  try {
    span.attribute("tracehound.status", result.status)
    const signature = signatureIn(result)
    if (signature !== undefined) span.attribute("tracehound.signature", signature)
  } catch {
    // The tracer's mistake: its span says less.
  }
}

/** The signature of the evidence that an answer is about. */
const signatureIn = (result: InterceptResult): string | undefined =>
  result.status === "ignored"
    ? result.signature
    : result.status === "quarantined" || result.status === "escalated"
    ? result.handle.signature
    : undefined
