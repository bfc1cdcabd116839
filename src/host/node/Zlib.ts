/**
 * node:zlib, loaded by the first call. With the streams below it, it takes 3 ms of a start, and
 * most programs that embed Tracehound compress nothing until evidence leaves.
 */
import type * as Zlib from "node:zlib"

let loaded: typeof Zlib | undefined

export const zlib = (): typeof Zlib => loaded ??= process.getBuiltinModule("node:zlib")
