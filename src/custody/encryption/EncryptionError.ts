/**
 * Why something was not sealed or opened.
 */
import * as Schema from "effect/Schema"

/**
 * What went wrong, and what it says of the bytes and the keys:
 *
 * - `not_sealed`: the bytes do not begin as a sealed piece does.
 * - `unknown_version`: a later version sealed them.
 * - `damaged`: their lengths do not add up, or their tag does not hold. A wrong key gives the same
 *   answer as a changed byte: GCM cannot tell them apart.
 * - `wrong_purpose`: they are whole, and were sealed for another use.
 * - `unknown_key`: the slot that they name was never given out, or to another piece since.
 * - `key_destroyed`: the key was destroyed, and with it the evidence.
 * - `slot_damaged`: the slot's own tag does not hold: it was changed, or moved from another place.
 * - `wrong_master`: the master secret is not the one that the keys were wrapped under.
 * - `bad_secret`: what was given as the master secret is none.
 * - `full`: no further key fits.
 * - `io`: the file of the keys could not be read, written or synced.
 */
export class EncryptionError extends Schema.TaggedError<EncryptionError>()("EncryptionError", {
  reason: Schema.Literals([
    "not_sealed",
    "unknown_version",
    "damaged",
    "wrong_purpose",
    "unknown_key",
    "key_destroyed",
    "slot_damaged",
    "wrong_master",
    "bad_secret",
    "full",
    "io"
  ]),
  message: Schema.String
}) {}
