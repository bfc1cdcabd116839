/**
 * Seals evidence that is kept outside the journal, opens it, and destroys its keys: the face of the
 * keyring, which another thread may own.
 *
 * Promises that a key is on the disk before what it sealed is given out, and overwritten on the
 * disk before it is said to be destroyed.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { EncryptionError } from "./EncryptionError.ts"
import type { KeyName, OpenedPiece, SealedHeader } from "./Sealed.ts"

/** An envelope to be sealed. */
export interface ToSeal extends Pick<SealedHeader, "signature" | "tenant"> {
  /** Read during the call: an envelope of spec/envelope.md. */
  readonly plaintext: Uint8Array
}

/** A sealed envelope, and the key that nothing but it has. */
export interface SealedPiece {
  readonly key: KeyName
  readonly sealed: Uint8Array
}

/** How far a rotation is: keys that are still to be looked at. */
export interface RotationProgress {
  readonly left: number
}

/** A rotation that has ended: all older epochs are destroyed. */
export interface Rotated {
  /** The id of the epoch that wraps all keys now. */
  readonly epoch: number
  /** Keys that did not open. They are lost with the epoch that they were under. */
  readonly damaged: number
}

export class EvidenceCipher extends Context.Service<EvidenceCipher, {
  /** Seals an envelope under a new key. `full` where it is too large, or no further key fits. */
  readonly seal: (piece: ToSeal) => Effect.Effect<SealedPiece, EncryptionError>
  /** Opens a sealed envelope. Nothing is given out before the tag holds. */
  readonly open: (sealed: Uint8Array) => Effect.Effect<OpenedPiece, EncryptionError>
  /**
   * Destroys one key, and with it what it sealed; false where it was destroyed before. What that
   * promises, and what not, is in spec/encryption.md.
   */
  readonly shred: (key: KeyName) => Effect.Effect<boolean, EncryptionError>
  /**
   * Wraps all keys anew, under a new epoch of the current master secret, and destroys the older
   * epochs. Goes on beside all other work; once begun it is gone on with after any end of the
   * process, but tells nobody then. Envelopes and the journal stay as they are.
   */
  readonly rotate: (
    onProgress?: (progress: RotationProgress) => void
  ) => Effect.Effect<Rotated, EncryptionError>
}>()("tracehound/custody/encryption/EvidenceCipher") {}
