/**
 * Growing columns: a typed array cannot grow, so its owner makes a longer one and copies.
 */

/** Copies `from` to the front of the longer `to`, and gives `to` back. O(length of `from`). */
export const grown = <A extends Int32Array | Uint32Array | Int16Array | Uint8Array | Float64Array>(
  from: A,
  to: A
): A => {
  to.set(from)
  return to
}
