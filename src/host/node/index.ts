/**
 * The core's ports on Node: the package export `tracehound/node`.
 *
 * `Tracehound.layer` provides the ports by itself. They are exported for programs that replace some
 * of them (`Tracehound.layerNoDeps`), and `NodeInflate` for reading compressed recordings
 * (`tracehound/signal`).
 */
export * as NodeFiles from "./NodeFiles.ts"
export * as NodeInflate from "./NodeInflate.ts"
export * as NodePorts from "./NodePorts.ts"
