/**
 * The developer's callbacks, each in an actor of its own (`Callback.ts`); null for each that the
 * host did not give.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { isForeign } from "../../actor/Given.ts"
import type { Supervisor } from "../../actor/Supervisor.ts"
import type { Alert } from "../../domain/Alert.ts"
import {
  type ColdStorageDecision,
  coldStorageDecisions,
  type EffectCallbacks,
  evictionStrategies,
  type EvictionStrategy,
  type PanicAction,
  panicActions,
  type PanicContext
} from "../../domain/FailSafe.ts"
import type { PurgeRecord } from "../../domain/Records.ts"
import type { TracehoundError } from "../../domain/TracehoundError.ts"
import type { QuarantineStats } from "../../domain/WatcherSnapshot.ts"
import type { Caller } from "../../telemetry/Caller.ts"
import { type Callback, makeCallback } from "./Callback.ts"
import { callbackError } from "./Notices.ts"

/** One entry for each member of `EffectCallbacks`. */
export interface HostCallbacks {
  readonly onPurge: Callback<PurgeRecord, never> | null
  readonly onEscalate: Callback<Alert, never> | null
  readonly onPanicThreshold: Callback<PanicContext, PanicAction> | null
  readonly onQuarantineFull: Callback<QuarantineStats, EvictionStrategy> | null
  readonly onColdStorageFailure: Callback<Error, ColdStorageDecision> | null
}

/** How the callbacks are called. */
export interface HostCallbacksOptions {
  readonly callbacks: EffectCallbacks
  readonly caller: Caller
  /** Milliseconds that one call may take. */
  readonly timeout: number
  /** Takes the error of a callback that threw, was late, or answered what it may not. */
  readonly onError: (error: TracehoundError) => void
}

/** Actors that live as long as the scope. */
export const makeHostCallbacks = (
  supervisor: Supervisor,
  { callbacks, caller, onError, timeout }: HostCallbacksOptions
): Effect.Effect<HostCallbacks, never, Scope.Scope> => {
  const inActor = <In, Out extends string = never>(
    name: keyof EffectCallbacks,
    call: ((input: In) => unknown) | undefined,
    answers: ReadonlyArray<Out> = []
  ): Effect.Effect<Callback<In, Out> | null, never, Scope.Scope> =>
    typeof call !== "function" ? Effect.succeed(null) : makeCallback<In, Out>(supervisor, {
      name,
      // As a method of the host's object, which it may use as `this`.
      call: (input) => Reflect.apply(call, callbacks, [input]),
      answers,
      caller,
      timeout,
      onTrouble: (trouble) => onError(callbackError(name, trouble))
    })
  return Effect.all({
    onPurge: inActor("onPurge", callbacks.onPurge),
    onEscalate: inActor("onEscalate", callbacks.onEscalate),
    onPanicThreshold: inActor("onPanicThreshold", callbacks.onPanicThreshold, panicActions),
    onQuarantineFull: inActor("onQuarantineFull", callbacks.onQuarantineFull, evictionStrategies),
    onColdStorageFailure: inActor("onColdStorageFailure", callbacks.onColdStorageFailure, coldStorageDecisions)
  })
}

const names = ["onPurge", "onEscalate", "onPanicThreshold", "onQuarantineFull", "onColdStorageFailure"] as const

/** The same callbacks, whose Effects find their services in this context. */
export const withServices = <R>(callbacks: EffectCallbacks<R>, context: Context.Context<R>): EffectCallbacks => {
  const bound = names.flatMap((name) => {
    const call = callbacks[name]
    if (typeof call !== "function") return []
    const calling = (input: unknown): unknown => {
      const answer: unknown = Reflect.apply(call, callbacks, [input])
      return isForeign(answer) ? Effect.provideContext(answer, context) : answer
    }
    return [[name, calling] as const]
  })
  return Object.fromEntries(bound)
}
