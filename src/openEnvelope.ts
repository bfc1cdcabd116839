/**
 * Opens an evidence envelope on Node: what cold storage wrote, given back to whoever has the file.
 */
import * as Effect from "effect/Effect"
import { type EnvelopePorts, open, type Opened } from "./evidence/Envelope.ts"
import * as NodePorts from "./node/NodePorts.ts"
import { Compression } from "./port/Compression.ts"
import { Hash } from "./port/Hash.ts"

/** The most that `maxPayloadSize` may be. */
const defaultLimit = 268_435_456

const ports: EnvelopePorts = Effect.runSync(
  Effect.all({ compression: Compression, hash: Hash }).pipe(Effect.provide(NodePorts.layer))
)

/**
 * The evidence and its record, checked against every hash in the envelope. Inflates at most `limit` bytes. Throws
 * `EnvelopeError`, whose `reason` says why the file was refused.
 */
export const openEnvelope = (envelope: Uint8Array, limit: number = defaultLimit): Opened => open(envelope, limit, ports)
