/**
 * Files and paths on Node, for `file:` endpoints and configuration files. Importing it loads
 * Effect's streams.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import type { FileSystem } from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type { Path } from "effect/Path"

/** By node:fs and node:path. */
export const layer: Layer.Layer<FileSystem | Path> = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer)
