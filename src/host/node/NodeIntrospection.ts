/**
 * Introspection by node:util: some 20 ns a question, which nothing can fool.
 */
import * as Layer from "effect/Layer"
import { types } from "node:util"
import { Introspection } from "../port/Introspection.ts"

const {
  isArrayBuffer,
  isBigIntObject,
  isBooleanObject,
  isBoxedPrimitive,
  isDate,
  isMap,
  isNativeError,
  isNumberObject,
  isProxy,
  isRegExp,
  isSet,
  isSharedArrayBuffer,
  isStringObject,
  isSymbolObject
} = types

/** The questions themselves. */
export const introspection: Introspection["Service"] = {
  isProxy,
  slots: {
    isArrayBuffer,
    isBigIntObject,
    isBooleanObject,
    isBoxedPrimitive,
    isDate,
    isMap,
    isNativeError,
    isNumberObject,
    isRegExp,
    isSet,
    isSharedArrayBuffer,
    isStringObject,
    isSymbolObject
  }
}

/** The Node implementation of `Introspection`. */
export const layer: Layer.Layer<Introspection> = Layer.succeed(Introspection, introspection)
