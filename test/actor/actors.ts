/**
 * Small things that the tests of actors share.
 */

/** The ids from one number up to, not including, another. */
export const ids = (from: number, to: number): Array<number> => Array.from({ length: to - from }, (_, i) => from + i)
