/**
 * The audit chain as a service: the one chain of a Tracehound (RFC, "Audit Trail Integrity").
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settings } from "../../config/Settings.ts"
import { Hash } from "../../host/port/Hash.ts"
import { type HashChain, makeHashChain } from "./HashChain.ts"

/** Every way out of custody appends a record here. */
export class AuditChain extends Context.Service<AuditChain, HashChain>()("tracehound/custody/audit/AuditChain") {
  /** An empty chain in memory, as configured under `audit`. */
  static readonly layer = Layer.effect(
    AuditChain,
    Effect.gen(function*() {
      const { audit: { chainEnabled, maxRecords } } = yield* Settings
      return makeHashChain({ chainEnabled, maxRecords, hash: yield* Hash })
    })
  )
}
