/**
 * Opens cold storage on the fake endpoint, in a scope that the test closes, and records its alerts.
 */
import { Context, Effect, Exit, Layer, Schema, Scope } from "effect"
import { ActorSystem } from "../../../src/actor/ActorSystem.ts"
import { Settings } from "../../../src/config/Settings.ts"
import { TracehoundConfig, type TracehoundConfigInput } from "../../../src/config/TracehoundConfig.ts"
import { ColdStorage, type Delivery } from "../../../src/custody/coldstorage/ColdStorage.ts"
import { ColdStorageEndpoint, type ColdStorageError } from "../../../src/custody/coldstorage/Endpoint.ts"
import type { FailSafeCallbacks } from "../../../src/domain/FailSafe.ts"
import * as NodeHash from "../../../src/host/node/NodeHash.ts"
import type { Compression } from "../../../src/host/port/Compression.ts"
import { MonotonicTime } from "../../../src/host/port/MonotonicTime.ts"
import { AlertCounts } from "../../../src/safety/alert/AlertCounts.ts"
import { Alerts } from "../../../src/safety/alert/Alerts.ts"
import { Callbacks, FailSafe } from "../../../src/safety/failsafe/FailSafe.ts"
import { evidence } from "../../domain/samples.ts"
import { noise } from "../../host/port/contract.ts"
import { fitted } from "../evidence/envelopes.ts"
import { makeFakeCompression } from "./fakeCompression.ts"
import { type FakeEndpoint, makeFakeEndpoint } from "./fakeEndpoint.ts"

const config = (over: object = {}) => {
  const { audit } = Schema.decodeUnknownSync(TracehoundConfig)({
    audit: { coldStorage: { endpoint: "file:fake", ...over } }
  })
  if (audit.coldStorage === undefined) throw new Error("no cold storage")
  return audit.coldStorage
}

/** The recorded alerts and errors, as text. */
export interface Heard {
  readonly alerts: Array<string>
  readonly errors: Array<string>
}

/** An alerts service that only records. */
export const alertsTo = (heard: Heard) =>
  Layer.succeed(Alerts, {
    alertUnsafe: ({ severity, type }) => {
      heard.alerts.push(`${severity} ${type}`)
    },
    logUnsafe: () => undefined,
    errorUnsafe: ({ code, message, recoverable, state }) => {
      heard.errors.push(`${state} ${code} ${String(recoverable)}: ${message}`)
    },
    onAlert: () => () => undefined,
    errors: () => [],
    deadLetters: () => 0,
    counts: new AlertCounts(),
    isDevopsSpared: () => false,
    start: Effect.void
  })

export interface Opened extends FakeEndpoint, Heard {
  readonly cold: ColdStorage["Service"]
  readonly close: Effect.Effect<void>
}

/** A cold storage that is not started. */
export const openStore = (
  over: object = {},
  compression: Layer.Layer<Compression> = makeFakeCompression().layer,
  settings: TracehoundConfigInput = {},
  callbacks: FailSafeCallbacks = {}
): Effect.Effect<Opened, ColdStorageError> =>
  Effect.gen(function*() {
    const fake = makeFakeEndpoint()
    const heard: Heard = { alerts: [], errors: [] }
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithScope(
      ColdStorage.layerEndpoint(config(over)).pipe(
        Layer.provide(FailSafe.layer),
        Layer.provide(Layer.mergeAll(
          Layer.succeed(ColdStorageEndpoint, fake.endpoint),
          alertsTo(heard),
          compression,
          NodeHash.layer,
          MonotonicTime.layerPortable,
          ActorSystem.layer(),
          Layer.effect(Settings, Effect.orDie(Schema.decodeEffect(TracehoundConfig)(settings))),
          Layer.succeed(Callbacks, callbacks)
        ))
      ),
      scope
    )
    return { ...fake, ...heard, cold: Context.get(context, ColdStorage), close: Scope.close(scope, Exit.void) }
  })

/** A delivery of `size` bytes of evidence under this id. */
export const delivery = (id: string, size = 100, compressed: Uint8Array | null = null): Delivery => {
  const bytes = noise(size, size + 1)
  return { id, record: fitted(evidence, bytes), content: bytes, compressed }
}
