/**
 * What is asked of the keyring in the writer's thread, and what it answers. An order is a frame of
 * the ring: its JSON, then bytes where it has some. An answer is a message.
 */
import type { EncryptionError } from "../encryption/EncryptionError.ts"
import type { KeyName, OpenedPiece } from "../encryption/Sealed.ts"
import type { JournalPiece } from "../ledger/LedgerStore.ts"

export type KeyOrder =
  /** Seal the bytes that follow as an envelope, under a new key. */
  | { readonly kind: "seal"; readonly tenant: string; readonly signature: string }
  /** Open the sealed envelope that follows. */
  | { readonly kind: "open" }
  | { readonly kind: "destroy"; readonly key: KeyName }
  /** Pieces of the journal with a larger key, opened. */
  | { readonly kind: "pieces"; readonly after: number; readonly limit: number }
  /** Begin a rotation, under the first secret in the cell. */
  | { readonly kind: "rotate" }

export type KeyAnswer =
  | { readonly kind: "failed"; readonly reason: EncryptionError["reason"]; readonly message: string }
  | { readonly kind: "sealed"; readonly key: KeyName; readonly sealed: Uint8Array }
  | ({ readonly kind: "opened" } & OpenedPiece)
  | { readonly kind: "destroyed"; readonly wasThere: boolean }
  | { readonly kind: "pieces"; readonly pieces: ReadonlyArray<JournalPiece> }
  /** More answers follow, the last of which is `rotated` or `failed`. */
  | { readonly kind: "rotating"; readonly left: number }
  | { readonly kind: "rotated"; readonly epoch: number; readonly damaged: number }
