/**
 * The peers of the actors, which a user might take instead: xstate, and the local entities of
 * Effect's cluster. Both have the same counter. Only the lines that need them import them.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { loadPeer } from "./peers.ts"

interface Added {
  readonly type: "add"
  readonly n: number
}

/** Starts actors of xstate. */
export const xstateCounters = async () => {
  const { createActor, fromTransition } = await loadPeer("xstate")
  const logic = fromTransition(({ sum }: { readonly sum: number }, { n }: Added) => ({ sum: sum + n }), { sum: 0 })
  return () => createActor(logic).start()
}

/**
 * A counter of Effect's cluster for each id, on one node without storage: each gives an ask that is
 * answered with its sum.
 */
export const clusterCounters = async (): Promise<(id: string) => () => Effect.Effect<number>> => {
  const [{ Entity, MessageStorage, RunnerHealth, RunnerStorage, Runners, Sharding, ShardingConfig }, { Rpc }] =
    await Promise.all([import("effect/cluster"), import("effect/rpc")])
  const AddRpc = Rpc.make("Add", { payload: { n: Schema.Int }, success: Schema.Int })
  const Counters = Entity.make("Counter", [AddRpc])
  const handlers = Counters.toLayer(
    Effect.sync(() => {
      let sum = 0
      return Counters.of({ Add: ({ payload }) => Effect.sync(() => sum += payload.n) })
    }),
    { maxIdleTime: "1 hour" }
  )
  const node = Sharding.layer.pipe(
    Layer.provideMerge(Runners.layerNoop),
    Layer.provideMerge(MessageStorage.layerNoop),
    Layer.provide([RunnerStorage.layerMemory, RunnerHealth.layerNoop]),
    // Local calls need no encoding, and are spared it.
    Layer.provide(ShardingConfig.layer({ simulateRemoteSerialization: false }))
  )
  const context = await Effect.runPromise(
    Layer.buildWithScope(Layer.provideMerge(handlers, node), Scope.makeUnsafe())
  )
  const client = await Effect.runPromise(Effect.provideContext(Counters.client, context))
  return (id) => {
    const one = client(id)
    return () => Effect.orDie(one.Add({ n: 1 }))
  }
}
