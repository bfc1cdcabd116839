/**
 * Canonical writers for tests.
 */
import * as Effect from "effect/Effect"
import { introspection } from "../../../src/host/node/NodeIntrospection.ts"
import * as NodeMemory from "../../../src/host/node/NodeMemory.ts"
import { Memory } from "../../../src/host/port/Memory.ts"
import { type CanonicalLimits, type CanonicalWriter, makeCanonicalWriter } from "../../../src/intake/gate/Canonical.ts"

const { writeUtf8 } = Effect.runSync(Effect.provide(Memory, NodeMemory.layer))

/** The defaults of the configuration. */
export const defaults: CanonicalLimits = { maxPayloadSize: 1_000_000, maxDepth: 256, maxKeys: 4096 }

/** A writer on a host that can tell a Proxy. */
export const nodeWriter = (limits: Partial<CanonicalLimits> = {}): CanonicalWriter =>
  makeCanonicalWriter({ ...defaults, ...limits }, introspection, { writeUtf8 })

/** A writer on a host that cannot. */
export const portableWriter = (limits: Partial<CanonicalLimits> = {}): CanonicalWriter =>
  makeCanonicalWriter({ ...defaults, ...limits }, { isProxy: () => false, slots: null })

/** The canonical bytes, copied. Throws when the writer refuses. */
export const bytesFrom = (writer: CanonicalWriter, payload: unknown): Buffer => {
  const written = writer.write(payload)
  if (written < 0) throw new Error(`refused with ${written}`)
  return Buffer.from(writer.buffer.subarray(0, written))
}

const shared = nodeWriter()

/** The canonical bytes under the default limits. */
export const canonicalBytes = (payload: unknown): Buffer => bytesFrom(shared, payload)

/** The same as text, for payloads whose canonical bytes are UTF-8. */
export const canonicalText = (payload: unknown): string => canonicalBytes(payload).toString("utf8")
