/**
 * The core's ports and their tags, on Node: the package export `tracehound/node`.
 *
 * `Tracehound.layer` provides the ports by itself. They are exported for programs that replace some
 * of them (`Tracehound.layerNoDeps`), `NodeInflate` for reading compressed recordings
 * (`tracehound/signal`), and `NodeEd25519` for signed checkpoints (`tracehound/ledger`).
 */
export { Compression, CompressionError } from "../port/Compression.ts"
export { Ed25519, Ed25519Error } from "../port/Ed25519.ts"
export { Hash } from "../port/Hash.ts"
export { Introspection, type Slots } from "../port/Introspection.ts"
export { type EqualBytes, Memory } from "../port/Memory.ts"
export { MonotonicTime, type TimeCell } from "../port/MonotonicTime.ts"
export { Randomness } from "../port/Randomness.ts"
export * as NodeEd25519 from "./NodeEd25519.ts"
export * as NodeFiles from "./NodeFiles.ts"
export * as NodeInflate from "./NodeInflate.ts"
export * as NodePorts from "./NodePorts.ts"
