/**
 * RFC 6962's tree as the RFC writes it down: recursive, over all leaves, and slow. Nothing of the
 * ledger's own code is in it.
 */
import { hash } from "node:crypto"

const sha256 = (...parts: ReadonlyArray<Uint8Array>): Uint8Array =>
  new Uint8Array(Buffer.from(hash("sha256", Buffer.concat(parts), "latin1"), "latin1"))

const leafPrefix = Uint8Array.of(0)
const nodePrefix = Uint8Array.of(1)

export const leafOf = (text: string): Uint8Array => sha256(leafPrefix, Buffer.from(text))

const split = (count: number): number => 2 ** Math.ceil(Math.log2(count) - 1)

/** 2.1, MTH, over the hashes of leaves. */
export const rootOf = (leaves: ReadonlyArray<Uint8Array>): Uint8Array => {
  const [leaf] = leaves
  if (leaf === undefined) return sha256()
  if (leaves.length === 1) return leaf
  const k = split(leaves.length)
  return sha256(nodePrefix, rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)))
}

/** 2.1.1, PATH. */
export const pathOf = (index: number, leaves: ReadonlyArray<Uint8Array>): ReadonlyArray<Uint8Array> => {
  if (leaves.length <= 1) return []
  const k = split(leaves.length)
  return index < k
    ? [...pathOf(index, leaves.slice(0, k)), rootOf(leaves.slice(k))]
    : [...pathOf(index - k, leaves.slice(k)), rootOf(leaves.slice(0, k))]
}

/** 2.1.2, PROOF. */
export const proofOf = (from: number, leaves: ReadonlyArray<Uint8Array>): ReadonlyArray<Uint8Array> =>
  subproof(from, leaves, true)

const subproof = (from: number, leaves: ReadonlyArray<Uint8Array>, isWhole: boolean): ReadonlyArray<Uint8Array> => {
  if (from === leaves.length) return isWhole ? [] : [rootOf(leaves)]
  const k = split(leaves.length)
  return from <= k
    ? [...subproof(from, leaves.slice(0, k), isWhole), rootOf(leaves.slice(k))]
    : [...subproof(from - k, leaves.slice(k), false), rootOf(leaves.slice(0, k))]
}
