/**
 * The master secret: 32 bytes or more that nobody can guess, from which every epoch's key is
 * derived.
 *
 * It comes as text, of which there are two spellings: 64 digits of hexadecimal or more, or base64
 * of 32 bytes or more (`openssl rand -base64 32`). A password is none: the text is decoded, never
 * stretched.
 */
import * as Base64 from "effect/encoding/Base64"
import * as Hex from "effect/encoding/Hex"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { EncryptionError } from "./EncryptionError.ts"

/** The least bytes of a master secret: as many as the keys have. */
const minSecretBytes = 32

/** The most, so that a wrong file is not taken for one. */
const maxSecretBytes = 1_024

const hexadecimal = /^[0-9a-fA-F]+$/

/**
 * Reads a master secret from its text; white space around it is passed over. The error says nothing
 * of the text.
 */
export const parseSecret = (text: Redacted.Redacted): Result.Result<Redacted.Redacted<Uint8Array>, EncryptionError> => {
  const spelled = Redacted.value(text).trim()
  if (spelled.length > maxSecretBytes * 2) return refuse(`more than ${maxSecretBytes} bytes`)
  const isHex = hexadecimal.test(spelled) && spelled.length >= minSecretBytes * 2
  const decoded = isHex ? Hex.decode(spelled) : Base64.decode(spelled)
  if (Result.isFailure(decoded)) return refuse("neither hexadecimal nor base64")
  const bytes = decoded.success
  if (bytes.length < minSecretBytes) return refuse(`${bytes.length} bytes; it takes ${minSecretBytes} at the least`)
  if (bytes.length > maxSecretBytes) return refuse(`more than ${maxSecretBytes} bytes`)
  if (bytes.every((byte) => byte === bytes[0])) return refuse("the same byte again and again")
  return Result.succeed(Redacted.make(bytes, { label: "master secret" }))
}

const refuse = (detail: string): Result.Result<never, EncryptionError> =>
  Result.fail(
    new EncryptionError({
      reason: "bad_secret",
      message: `the master secret is ${detail}: make one with \`openssl rand -base64 32\``
    })
  )
