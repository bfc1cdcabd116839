/**
 * The text of a checkpoint (C2SP tlog-checkpoint): the ledger's origin, its size, and the root of
 * its tree (spec/ledger.md, "Checkpoints").
 */
import { base64, fromBase64 } from "./Base64.ts"
import { hashBytes } from "./Merkle.ts"

/** A ledger as it was when it had `size` entries. */
export interface TreeHead {
  /** Names the ledger: a URL without scheme, no white space, no `+`. */
  readonly origin: string
  readonly size: number
  /** The root of the tree over them: 32 bytes. */
  readonly root: Uint8Array
}

/** The text to be signed: three lines. */
export const checkpointText = ({ origin, root, size }: TreeHead): string => `${origin}\n${size}\n${base64(root)}\n`

/**
 * Reads the text of a checkpoint; lines behind the first three are passed over, as the
 * specification has it. Null where it is none. Never throws.
 */
export const parseCheckpoint = (text: string): TreeHead | null => {
  const [origin = "", count = "", hash = "", ...rest] = text.split("\n")
  const size = Number(count)
  const root = fromBase64(hash)
  const isWhole = /^(?:0|[1-9][0-9]*)$/.test(count) && Number.isSafeInteger(size)
  // The last line ends too, so that there is something behind its end.
  const isText = rest.at(-1) === "" && rest.slice(0, -1).every((line) => line !== "")
  return origin !== "" && isWhole && isText && root?.length === hashBytes ? { origin, size, root } : null
}
