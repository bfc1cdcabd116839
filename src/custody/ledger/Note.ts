/**
 * Signed notes (C2SP signed-note): a text, and under it lines of signatures (spec/ledger.md,
 * "Signed notes").
 *
 * **Gotchas**
 *
 * - A note says nothing until it is opened with keys that were had from elsewhere.
 * - One signature of a known key that does not hold refuses the whole note. Those of unknown keys
 *   are passed over, whatever they are: so that somebody can sign beside.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Ed25519, Ed25519Error } from "../../host/port/Ed25519.ts"
import { base64, fromBase64 } from "./Base64.ts"
import { type NoteSigner, secondsOf, type VerifierKey, verifiesNote } from "./NoteKeys.ts"

/** Bounds on notes that others give: UTF-16 code units, and lines of signatures. */
export const maxNoteLength = 65_536
const maxSignatures = 64

/**
 * Why a note was not opened: `malformed`, it is no signed note; `signature`, one of a known key
 * does not hold; `unsigned`, no known key signed it.
 */
export class NoteError extends Schema.TaggedError<NoteError>()("NoteError", {
  reason: Schema.Literals(["malformed", "signature", "unsigned"]),
  message: Schema.String
}) {}

/** A signature that holds. */
export interface NoteSignature {
  readonly key: VerifierKey
  /** For a witness, the seconds since the epoch that it vouches for; null for others. */
  readonly seconds: bigint | null
}

/** A note that at least one known key signed. */
export interface OpenedNote {
  /** Ends in a line feed. */
  readonly text: string
  /** At least one, in the order of their lines; of one key the first alone. */
  readonly signatures: ReadonlyArray<NoteSignature>
}

/** A line of signatures, taken apart. */
interface SignatureLine {
  readonly name: string
  readonly id: string
  readonly signature: Uint8Array
}

const idBytes = 4

/** Whether a text can be signed: it ends in a line feed and has no other control character. */
export const isNoteText = (text: string): boolean => text.isWellFormed() && text.endsWith("\n") && !hasControls(text)

const hasControls = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20 && text[i] !== "\n") return true
  return false
}

/** The line of a signature, which ends in a line feed: append it to a note to sign it besides. */
export const signatureLine = (text: string, { key, sign }: NoteSigner): Effect.Effect<string, Ed25519Error> =>
  Effect.map(sign(text), (signature) => {
    const bytes = Uint8Array.of(...idBytesOf(key.id), ...signature)
    return `\u2014 ${key.name} ${base64(bytes)}\n`
  })

const idBytesOf = (id: string): ReadonlyArray<number> =>
  Array.from({ length: idBytes }, (_, i) => Number.parseInt(id.slice(2 * i, 2 * i + 2), 16))

/** A text that `isNoteText` allows, signed by at least one signer, in their order. */
export const signNote = (
  text: string,
  signers: readonly [NoteSigner, ...ReadonlyArray<NoteSigner>]
): Effect.Effect<string, Ed25519Error> =>
  Effect.map(
    Effect.forEach(signers, (signer) => signatureLine(text, signer)),
    (lines) => `${text}\n${lines.join("")}`
  )

const parseLine = (line: string): SignatureLine | null => {
  const [, name = "", text = ""] = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line) ?? []
  const bytes = fromBase64(text)
  if (name === "" || bytes === null || bytes.length <= idBytes) return null
  const id = Array.from(bytes.subarray(0, idBytes), (byte) => byte.toString(16).padStart(2, "0")).join("")
  return { name, id, signature: bytes.subarray(idBytes) }
}

const malformed = (message: string): NoteError => new NoteError({ reason: "malformed", message })

/** The text and the lines of a note, of which nothing is checked yet. */
const splitNote = (note: string): { readonly text: string; readonly lines: ReadonlyArray<SignatureLine> } | string => {
  if (note.length > maxNoteLength) return `it has more than ${maxNoteLength} characters`
  if (!isNoteText(note)) return "it has control characters, or does not end in a line feed"
  const split = note.lastIndexOf("\n\n")
  if (split < 0) return "it has no blank line before its signatures"
  const text = note.slice(0, split + 1)
  const found = note.slice(split + 2).split("\n").slice(0, -1)
  if (found.length === 0 || found.length > maxSignatures) return `it has no signature, or more than ${maxSignatures}`
  const lines = found.map(parseLine)
  return lines.every((line) => line !== null) ? { text, lines } : "a line of its signatures is none"
}

/** Opens a note with the keys that are known. At most 64 signatures are looked at. */
export const openNote = Effect.fnUntraced(function*(
  note: string,
  keys: ReadonlyArray<VerifierKey>
): Effect.fn.Return<OpenedNote, NoteError | Ed25519Error, Ed25519> {
  const split = splitNote(note)
  if (typeof split === "string") return yield* malformed(`this is no signed note: ${split}`)
  const signatures: Array<NoteSignature> = []
  for (const { id, name, signature } of split.lines) {
    for (const key of keys) {
      if (key.name !== name || key.id !== id || signatures.some((other) => other.key === key)) continue
      if (!(yield* verifiesNote(key, split.text, signature))) {
        const message = `the signature of ${name}, key ${id}, does not hold`
        return yield* new NoteError({ reason: "signature", message })
      }
      signatures.push({ key, seconds: key.type === "cosignature" ? secondsOf(signature) : null })
    }
  }
  return signatures.length > 0
    ? { text: split.text, signatures }
    : yield* new NoteError({ reason: "unsigned", message: "no known key signed this note" })
})
