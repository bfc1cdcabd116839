/**
 * The ledger: the package export `tracehound/ledger`.
 *
 * `Ledger` is the service that programs and rooms append to; a `kind` is what they append. The rest
 * is for who reads a ledger: verification over any reader, proofs, signed checkpoints and tiles,
 * which need no Tracehound. docs/ledger.md tells the life of an entry, and spec/ledger.md has the
 * format.
 *
 * Signatures need `Ed25519`: `NodeEd25519.layer` of `tracehound/node`, or `layerEd25519`
 * of `tracehound/portable`.
 */
export { type Json, type JsonObject } from "./CanonicalJson.ts"
export { checkpointText, parseCheckpoint, type TreeHead } from "./CheckpointText.ts"
export {
  type Entry,
  type EntryFault,
  type EntryFields,
  entryText,
  genesis,
  maxEntryBytes,
  parseEntry
} from "./Entry.ts"
export { type Kind, kind, type KindEntry, readAs } from "./Kind.ts"
export { LeafHasher } from "./LeafHash.ts"
export { AppendError, type Appended, Ledger, NotDurable } from "./Ledger.ts"
export { type CheckpointRow, type LedgerReader, type LedgerRow } from "./LedgerReader.ts"
export {
  type DeadLetter,
  type JournalPiece,
  LedgerStore,
  LedgerStoreError,
  type StoredCheckpoint
} from "./LedgerStore.ts"
export { type ProofHash, provesConsistency, provesInclusion } from "./Merkle.ts"
export {
  isNoteText,
  NoteError,
  type NoteSignature,
  openNote,
  type OpenedNote,
  signatureLine,
  signNote
} from "./Note.ts"
export {
  isKeyName,
  type NoteKeyType,
  type NoteSigner,
  noteSigner,
  parseVerifierKey,
  type VerifierKey,
  verifierKey,
  type VerifierKeyFault,
  verifierKeyText
} from "./NoteKeys.ts"
export { consistencyProof, inclusionProof, ProofError, type ReadTile, rootOfTree, type StoredTree } from "./Proofs.ts"
export {
  claimOf,
  type PublishedLedger,
  publishedLedger,
  PublishError,
  type Publishing,
  publishLedger
} from "./Published.ts"
export { tilesOverRows } from "./StoredTiles.ts"
export { bundlePath, decodeBundle, encodeBundle, type TilePlace, tilePath, tilesOf } from "./Tiles.ts"
export { parseTlogProof, type TlogProof, tlogProofText } from "./TlogProof.ts"
export { type OnTile, Tree } from "./Tree.ts"
export {
  type LedgerFault,
  type LedgerFinding,
  type LedgerReport,
  type LedgerVerification,
  verifyLedger
} from "./VerifyLedger.ts"
