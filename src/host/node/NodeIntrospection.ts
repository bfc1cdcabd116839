/**
 * Introspection by node:util.
 */
import * as Layer from "effect/Layer"
import { types } from "node:util"
import { Introspection } from "../port/Introspection.ts"

/** The Node implementation of `Introspection`. */
export const layer: Layer.Layer<Introspection> = Layer.succeed(Introspection, { isProxy: types.isProxy })
