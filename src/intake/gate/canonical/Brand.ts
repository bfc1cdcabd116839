/**
 * What an object is for canonical bytes: small numbers, so that asking costs nothing
 * (spec/canonical.md, "Telling what an object is").
 */

/** No class that canonical bytes know: an object of names and values. */
export const ORDINARY = 0
export const MAP = 1
export const SET = 2
export const DATE = 3
export const ARRAY_BUFFER = 4
export const SHARED_ARRAY_BUFFER = 5
/** A typed array or a DataView. */
export const VIEW = 6
/** Objects that wrap one value. */
export const NUMBER = 7
export const STRING = 8
export const BOOLEAN = 9
export const BIGINT = 10
export const SYMBOL = 11
export const REGEXP = 12
export const ERROR = 13
export const ADDRESS = 14
export const PARAMS = 15
export const HEADERS = 16
export const TEMPORAL = 17
/** It has content that cannot be read without running code. */
export const OPAQUE = 18

export type Brand = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16 | 17 | 18
