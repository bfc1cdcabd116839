/**
 * Checkpoints as the writer's thread makes and reads them: by Node's Ed25519, on its turn.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as NodeEd25519 from "../../host/node/NodeEd25519.ts"
import * as NodeHash from "../../host/node/NodeHash.ts"
import { checkpointText, parseCheckpoint, type TreeHead } from "../ledger/CheckpointText.ts"
import { signNote } from "../ledger/Note.ts"
import { noteSigner } from "../ledger/NoteKeys.ts"

/** Who signs: the name that is the ledger's origin, and the 32 bytes of an Ed25519 seed. */
export interface SignerKey {
  readonly name: string
  readonly seed: Uint8Array
}

/** The note of a checkpoint over so many entries, about 100 µs. */
export type SignCheckpoint = (size: number, root: Uint8Array) => string

/** Signs with the key for as long as its seed is not wiped. Throws where it is no key. */
export const signerOf = ({ name, seed }: SignerKey): SignCheckpoint => {
  const ports = Layer.merge(NodeEd25519.layer, NodeHash.layer)
  const signer = Effect.runSync(Effect.provide(noteSigner(name, seed), ports))
  return (size, root) => Effect.runSync(signNote(checkpointText({ origin: name, size, root }), [signer]))
}

/** What a note says, whoever signed it; null where it is no checkpoint. */
export const readNote = (note: string): TreeHead | null => {
  const end = note.lastIndexOf("\n\n")
  return end < 0 ? null : parseCheckpoint(note.slice(0, end + 1))
}
