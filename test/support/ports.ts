/**
 * The ports that tests of the core run on: Node's, or with `TEST_PORTS=portable`, as `npm run
 * test:portable` sets it, those that need no host (CONFORMANCE R5).
 */
import * as NodePorts from "../../src/host/node/NodePorts.ts"
import { layer as portable } from "../../src/host/port/portable.ts"

export const ports = process.env["TEST_PORTS"] === "portable" ? portable : NodePorts.layer
