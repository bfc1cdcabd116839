/**
 * What Node gives the core: the package export `tracehound/node`.
 *
 * `Tracehound.layer` brings the ports by itself. They are here for whoever builds a host of his
 * own, with one of them replaced (`Tracehound.layerNoDeps`), and `NodeInflate` for reading
 * compressed recordings (`tracehound/signal`).
 */
export * as NodeFiles from "./NodeFiles.ts"
export * as NodeInflate from "./NodeInflate.ts"
export * as NodePorts from "./NodePorts.ts"
