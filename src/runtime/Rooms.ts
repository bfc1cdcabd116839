/**
 * The rooms of a Tracehound, floor by floor: the graph of layers that puts them together. No other
 * module knows all of them.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ActorSystem } from "../actor/ActorSystem.ts"
import type { ColdStorageConfig } from "../config/TracehoundConfig.ts"
import { AuditChain } from "../custody/audit/AuditChain.ts"
import { ColdStorage } from "../custody/coldstorage/ColdStorage.ts"
import type { ColdStorageEndpoint } from "../custody/coldstorage/Endpoint.ts"
import { SecureIds } from "../custody/evidence/SecureIds.ts"
import { PurgeQueue } from "../custody/quarantine/PurgeQueue.ts"
import { Quarantine } from "../custody/quarantine/Quarantine.ts"
import { layerWhereHost } from "../host/node/UnrefClock.ts"
import type { HoundPool } from "../hound/pool/HoundPool.ts"
import { Agent } from "../intake/agent/Agent.ts"
import { Escalation } from "../intake/agent/Escalation.ts"
import { RateLimiter } from "../intake/gate/RateLimiter.ts"
import { Throughput } from "../intake/gate/Throughput.ts"
import { Alerts } from "../safety/alert/Alerts.ts"
import { FailSafe } from "../safety/failsafe/FailSafe.ts"
import { TickScheduler } from "../scheduler/TickScheduler.ts"
import { DurableLedger } from "./DurableLedger.ts"
import { devopsSink, nodeDirectory } from "./HostParts.ts"
import { layerInstance } from "./Metrics.ts"
import { layerFitHost, layerRequirements } from "./StartErrors.ts"
import { Readers } from "./streams/Readers.ts"
import { Watcher } from "./Watcher.ts"

/** An actor that crashes is started again soon; the sixth crash within 10 s is a system error. */
const tree = {
  name: "tracehound",
  intensity: 5,
  period: "10 seconds",
  backoff: { base: "100 millis", max: "5 seconds" }
} as const

/** The actors of a Tracehound, in a system of their own. */
const ownActors = ActorSystem.layer(tree)

/** The same within the system of the context: its giving up is Tracehound's and not that one's. */
export const actorsWithin = Layer.effect(
  ActorSystem,
  Effect.flatMap(ActorSystem, (system) => ActorSystem.within(system, tree))
)

/** What differs from one Tracehound to another. */
export interface RoomParts<E1, R1, E2, R2, E3, R3, E4, R4> {
  /** Makes the endpoint of cold storage, where one is configured. */
  readonly endpointFor: (config: ColdStorageConfig) => Layer.Layer<ColdStorageEndpoint, E1, R1>
  readonly hounds: Layer.Layer<HoundPool, E2, R2>
  /** `RateLimiter.layer` when left out. */
  readonly limiter: Layer.Layer<RateLimiter, E3, R3>
  readonly actors: Layer.Layer<ActorSystem, E4, R4>
}

/** The parts that Tracehound has itself, on any host. */
export const ownParts = { limiter: RateLimiter.layer, actors: ownActors }

/**
 * The rooms, floor by floor, under the layer `top`; each layer is built once.
 *
 * Fresh, as Effect builds a layer once for each program, whatever is provided to it: two
 * Tracehounds of one program would share their rooms, and the second one the settings of the first.
 * Suspended, so that one layer that is provided twice stays one.
 */
export const roomsUnder = <A, E, R, E1, R1, E2, R2, E3, R3, E4, R4>(
  top: Layer.Layer<A, E, R>,
  { actors, endpointFor, hounds, limiter }: RoomParts<E1, R1, E2, R2, E3, R3, E4, R4>
) => {
  const alerts = Layer.provide(Alerts.layer, devopsSink)
  const fresh = Layer.fresh(
    top.pipe(
      Layer.provide(Layer.mergeAll(Agent.layer, Watcher.layer)),
      Layer.provide(Escalation.layer),
      Layer.provide(PurgeQueue.layer),
      // Closed before the quarantine, so that hounds end what they have begun while the evidence is
      // still held.
      Layer.provide(hounds),
      Layer.provide(Quarantine.layer),
      // Closed after the quarantine, whose last records are then on disk.
      Layer.provide(Layer.provide(DurableLedger.layer, nodeDirectory)),
      Layer.provide(ColdStorage.layer(endpointFor)),
      Layer.provide(FailSafe.layer),
      Layer.provide(limiter),
      Layer.provide(
        Layer.mergeAll(
          alerts,
          AuditChain.layer,
          SecureIds.layer,
          Throughput.layer,
          // A tick keeps no process alive: nobody waits for one.
          Layer.provide(TickScheduler.layer, layerWhereHost)
        )
      ),
      // Closed after the rooms, whose last events it still gives, and before a system that a host
      // may share with others.
      Layer.provide(Readers.layer),
      Layer.provide(actors),
      Layer.provide(layerInstance),
      Layer.provide(Layer.mergeAll(layerFitHost, layerRequirements))
    )
  )
  return Layer.suspend(() => fresh)
}
