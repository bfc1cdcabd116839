/**
 * Single rooms of Tracehound, for lines about a part of it. Imported by the sections that need it,
 * and by no other.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { Settings } from "../src/config/Settings.ts"
import { AuditChain } from "../src/custody/audit/AuditChain.ts"
import { SecureIds } from "../src/custody/evidence/SecureIds.ts"
import * as NodePorts from "../src/host/node/NodePorts.ts"
import { Compression } from "../src/host/port/Compression.ts"
import { Hash } from "../src/host/port/Hash.ts"
import { Introspection } from "../src/host/port/Introspection.ts"
import { TracehoundConfig } from "../src/index.ts"

const settings = Layer.succeed(Settings, Schema.decodeUnknownSync(TracehoundConfig)({}))

const host = Layer.mergeAll(NodePorts.layer, settings)

const layer = Layer.mergeAll(AuditChain.layer, SecureIds.layer).pipe(Layer.provideMerge(host))

const build = async () => {
  const context = await Effect.runPromise(Layer.buildWithScope(layer, Scope.makeUnsafe()))
  return {
    chain: Context.get(context, AuditChain),
    compression: Context.get(context, Compression),
    hash: Context.get(context, Hash),
    ids: Context.get(context, SecureIds),
    introspection: Context.get(context, Introspection)
  }
}

let built: ReturnType<typeof build> | undefined

/**
 * The rooms, on Node and with the default configuration, made once. They are never closed: their
 * process ends with the section.
 */
export const services = () => built ??= build()
