/**
 * The joints of a Tracehound: the parts that a program may replace by its own (CONFORMANCE R7).
 *
 * A part is a service of a public tag, or a layer that makes it. Layers are built beside the
 * Tracehound, so that one that the program uses elsewhere is the same; they find the ports and the
 * settings of this Tracehound, and outlive it.
 *
 * **Gotchas**
 *
 * - Who supplies a part is trusted with what it is given, and with its word; not with keeping its
 *   promises. What it throws, and what is no answer, costs what docs/embedding.md says.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Tracer from "effect/Tracer"
import { ActorSystem } from "../actor/ActorSystem.ts"
import type { StartFailed } from "../actor/Errors.ts"
import {
  type ConfigMistake,
  type ConfigSource,
  fromArgument,
  InvalidConfig,
  resolveConfig
} from "../config/ConfigSources.ts"
import { Settings } from "../config/Settings.ts"
import type { TracehoundConfigInput } from "../config/TracehoundConfig.ts"
import { ColdStorageEndpoint } from "../custody/coldstorage/Endpoint.ts"
import type { EffectCallbacks } from "../domain/FailSafe.ts"
import * as NodePorts from "../host/node/NodePorts.ts"
import * as GuardedPool from "../hound/pool/GuardedPool.ts"
import { HoundPool } from "../hound/pool/HoundPool.ts"
import * as GuardedLimiter from "../intake/gate/GuardedLimiter.ts"
import { RateLimiter } from "../intake/gate/RateLimiter.ts"
import { type AlertSink, AlertSinks, type EffectSink } from "../safety/alert/AlertSink.ts"
import { withContext } from "../safety/alert/EffectSink.ts"
import { Callbacks } from "../safety/failsafe/FailSafe.ts"
import { withServices } from "../safety/failsafe/HostCallbacks.ts"
import { nodeEndpoint, processHounds } from "./HostParts.ts"
import { actorsWithin, ownParts, roomsUnder } from "./Rooms.ts"

/** The services that a part finds without being given them. */
export type Provided = NodePorts.Ports | Settings

/** A service, or a layer that makes it. */
type Part<I, S, E, R> = S | Layer.Layer<I, E, R>

type Audit = NonNullable<TracehoundConfigInput["audit"]>
type ColdStorageInput = NonNullable<Audit["coldStorage"]>

/** Any part of the configuration. A program's own endpoint names its place itself. */
export type JointsConfig = Omit<TracehoundConfigInput, "audit"> & {
  readonly audit?: Omit<Audit, "coldStorage"> & { readonly coldStorage?: Partial<ColdStorageInput> }
}

/** The parts of a Tracehound. One that is left out is Tracehound's own. */
export interface Joints<out E = unknown, out R = unknown> {
  /** Any part of the configuration, or an Effect of it, such as a `Config`. */
  readonly config?: JointsConfig | Effect.Effect<JointsConfig, E, R>
  /** Any part of the configuration, over `config`. */
  readonly overrides?: JointsConfig
  /**
   * Where evidence goes. Its settings are those of `audit.coldStorage`, but for `endpoint`, which
   * may then be left out.
   */
  readonly coldStorage?: Part<ColdStorageEndpoint, ColdStorageEndpoint["Service"], E, R>
  readonly hounds?: Part<HoundPool, HoundPool["Service"], E, R>
  readonly limiter?: Part<RateLimiter, RateLimiter["Service"], E, R>
  /** Sinks beside those of the context (`AlertSinks`) and the `devopsEndpoint`. */
  readonly sinks?: ReadonlyArray<AlertSink | EffectSink<R>>
  /** Those of the context (`Callbacks`) when left out. */
  readonly callbacks?: EffectCallbacks<R>
  /**
   * The program's own actor system: Tracehound's actors are then a supervisor in it, `tracehound`.
   * Where they give up, Tracehound panics, and the system goes on.
   */
  readonly system?: Part<ActorSystem, ActorSystem["Service"], E, R>
  /**
   * Some ports of the host, over Node's: a layer of tags that `tracehound/node` exports, which
   * finds Node's own.
   */
  readonly ports?: Layer.Layer<never, E, R>
}

/** The parts that may be layers, and the configuration, which may be an Effect. */
type Made = "config" | "coldStorage" | "hounds" | "limiter" | "system"

/** What the functions of a record return. */
type Returned<C> = { [K in keyof C]: C[K] extends (input: never) => infer A ? A : never }[keyof C]

/** What sinks and callbacks return. */
type Answers<P> =
  | (P extends { readonly sinks: ReadonlyArray<infer S> } ? S extends unknown ? Returned<S> : never : never)
  | (P extends { readonly callbacks: infer C } ? Returned<C> : never)

type ErrorIn<T> = T extends Layer.Layer<never, infer E, infer _> ? E
  : T extends Effect.Effect<infer _, infer E, infer _> ? E
  : never

type NeedsIn<T> = T extends Layer.Layer<never, infer _, infer R> ? Exclude<R, Provided>
  : T extends Effect.Effect<infer _, infer _, infer R> ? R
  : never

/**
 * The errors of the parts, and of starting actors in a system that is ending. Sinks and callbacks
 * have none: theirs are on the board.
 */
export type ErrorOf<P> =
  | ErrorIn<P[keyof P & (Made | "ports")]>
  | (P extends { readonly system: unknown } ? StartFailed : never)

/** What the parts need of the context. */
export type NeedsOf<P> =
  | NeedsIn<P[keyof P & Made] | Answers<P>>
  | (P extends { readonly ports: Layer.Layer<never, infer _, infer R> } ? Exclude<R, NodePorts.Ports> : never)

/** Refuses parts that nobody knows: `never` for each of them. */
export type NoOthers<P> = { readonly [K in Exclude<keyof P, keyof Joints>]: never }

/** The rooms under `top` with these parts, on Node. */
export const roomsOf = <A, E0, R0, E, R>(top: Layer.Layer<A, E0, R0>, parts: Joints<E, R>) => {
  const { callbacks, coldStorage, hounds, limiter, ports, sinks, system } = parts
  return roomsUnder(top, {
    actors: either(system === undefined, ownParts.actors, actorsOf<E>()),
    endpointFor: (config) => either(coldStorage === undefined, nodeEndpoint(config), givenEndpoint),
    hounds: either(hounds === undefined, processHounds, GuardedPool.layer),
    limiter: either(limiter === undefined, ownParts.limiter, GuardedLimiter.layer)
  }).pipe(
    Layer.provide(Layer.mergeAll(
      partLayer(ColdStorageEndpoint, coldStorage),
      partLayer(HoundPool, hounds),
      partLayer(RateLimiter, limiter),
      partLayer(ActorSystem, system),
      sinks === undefined ? Layer.empty : sinksLayer(sinks),
      callbacks === undefined ? Layer.empty : callbacksLayer(callbacks)
    )),
    Layer.provide(settingsLayer(parts)),
    Layer.provide(ports === undefined ? NodePorts.layer : Layer.provideMerge(ports, NodePorts.layer))
  )
}

/** The layer of a part. Where it was left out, the rooms ask for no such service. */
const partLayer = <I, S, E, R>(tag: Context.Key<I, S>, part: Part<I, S, E, R> | undefined): Layer.Layer<I, E, R> =>
  part === undefined
    ? Layer.empty as Layer.Layer<I>
    : isLayer(part)
    ? part
    : Layer.succeed(tag, part)

/** Its StartFailed is in `E` where a system is given: `ErrorOf` says so. */
const actorsOf = <E>(): Layer.Layer<ActorSystem, E, ActorSystem> => actorsWithin as never

const isLayer = <I, S, E, R>(part: Part<I, S, E, R>): part is Layer.Layer<I, E, R> => Layer.isLayer(part)

/** One of two layers, which may need what either needs. */
const either = <A, E, R, E2, R2>(
  isOwn: boolean,
  own: Layer.Layer<A, E, R>,
  given: Layer.Layer<A, E2, R2>
): Layer.Layer<A, E | E2, R | R2> => isOwn ? own : given

/** Hands the rooms the endpoint around them: they are built afresh, and a part is not. */
const givenEndpoint = Layer.effect(ColdStorageEndpoint, Effect.suspend(() => ColdStorageEndpoint))

const sinksLayer = <R>(sinks: ReadonlyArray<AlertSink | EffectSink<R>>): Layer.Layer<never, never, R> =>
  Layer.effect(
    AlertSinks,
    Effect.gen(function*() {
      const around = yield* AlertSinks
      const context = yield* hostContext<R>()
      return [...around, ...sinks.map((sink) => withContext(sink, context))]
    })
  )

/**
 * The program's context around a part of its own, with the attributes of its own metrics written
 * out: what the part counts is not Tracehound's, and must not be labelled as if it were. Without
 * the span in which the layer is built: what the part does belongs to the span that it came from.
 */
const hostContext = <R>() =>
  Effect.map(Effect.context<R>(), (context) => {
    const attributes = Context.get(context, Metric.CurrentMetricAttributes)
    return Context.add(withoutSpan(context), Metric.CurrentMetricAttributes, attributes)
  })

/** A part's needs never name a span. */
const withoutSpan = <R>(context: Context.Context<R>) => Context.omit(Tracer.ParentSpan)(context) as Context.Context<R>

/** These callbacks in place of those of the context. */
export const callbacksLayer = <R>(callbacks: EffectCallbacks<R>): Layer.Layer<never, never, R> =>
  Layer.effect(Callbacks, Effect.map(hostContext<R>(), (context) => withServices(callbacks, context)))

/** The settings: the configuration that was given, over what a part stands for. */
const settingsLayer = <E, R>(parts: Joints<E, R>): Layer.Layer<Settings, E | InvalidConfig, R> =>
  Layer.effect(
    Settings,
    Effect.gen(function*() {
      const others = Object.keys(parts).filter((key) => !known.has(key))
      if (others.length > 0) return yield* new InvalidConfig({ mistakes: others.map(unknownPart) })
      const { coldStorage, config = {}, overrides = {} } = parts
      const given = Effect.isEffect(config) ? { name: "config", value: yield* config } : fromArgument(config)
      const under = coldStorage === undefined ? [] : [ofEndpoint]
      return yield* Effect.fromResult(resolveConfig([...under, given, { name: "overrides", value: overrides }]))
    })
  )

/** An endpoint of the program's own has settings of cold storage, and names its place itself. */
const ofEndpoint: ConfigSource = { name: "coldStorage", value: { audit: { coldStorage: { endpoint: "file:." } } } }

const parts: Record<keyof Joints, true> = {
  config: true,
  overrides: true,
  coldStorage: true,
  hounds: true,
  limiter: true,
  sinks: true,
  callbacks: true,
  system: true,
  ports: true
}
const known: ReadonlySet<string> = new Set(Object.keys(parts))

const unknownPart = (path: string): ConfigMistake => ({
  source: "parts",
  path,
  expected: `unknown part; known here: ${[...known].join(", ")}`
})
