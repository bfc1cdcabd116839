import { describe } from "@effect/vitest"
import { Layer } from "effect"
import * as NodeCompression from "../../../src/host/node/NodeCompression.ts"
import * as NodeEd25519 from "../../../src/host/node/NodeEd25519.ts"
import * as NodePorts from "../../../src/host/node/NodePorts.ts"
import { Compression } from "../../../src/host/port/Compression.ts"
import { Hash } from "../../../src/host/port/Hash.ts"
import { Introspection } from "../../../src/host/port/Introspection.ts"
import * as PortableCompression from "../../../src/host/port/PortableCompression.ts"
import { Randomness } from "../../../src/host/port/Randomness.ts"
import {
  codecContract,
  compressionContract,
  ed25519Contract,
  hashContract,
  introspectionContract,
  randomnessContract
} from "../port/contract.ts"

describe("Node's ports", () => {
  compressionContract(Layer.effect(Compression, Compression).pipe(Layer.provide(NodePorts.layer)), [
    PortableCompression.layer
  ])
  codecContract(NodeCompression.layer, [PortableCompression.layer])
  ed25519Contract(NodeEd25519.layer)
  hashContract(Layer.effect(Hash, Hash).pipe(Layer.provide(NodePorts.layer)))
  randomnessContract(Layer.effect(Randomness, Randomness).pipe(Layer.provide(NodePorts.layer)))
  introspectionContract(Layer.effect(Introspection, Introspection).pipe(Layer.provide(NodePorts.layer)), true)
})
