/**
 * Shreds evidence in a directory of cold storage: destroys the key that sealed an envelope, and
 * records it in the ledger (CONFORMANCE SYS L7).
 *
 * The envelope stays where it is, and opens for nobody. First the key is destroyed, on the disk,
 * and then it is recorded: whoever ends in between shreds again.
 *
 * **Gotchas**
 *
 * - Nothing in front of a sealed envelope is proven before it opens, so each is opened first: who
 *   can only write into the directory cannot have another piece's key destroyed.
 * - Evidence that is in the journal is not looked at: it leaves that when it leaves custody, and
 *   its key with it.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { EncryptionError } from "../encryption/EncryptionError.ts"
import { EvidenceCipher } from "../encryption/EvidenceCipher.ts"
import { isSealed, readHeader, type SealedHeader } from "../encryption/Sealed.ts"
import { kind } from "../ledger/Kind.ts"
import { type Appended, type AppendError, Ledger, type NotDurable } from "../ledger/Ledger.ts"
import type { LedgerStoreError } from "../ledger/LedgerStore.ts"
import { extension } from "./FileEndpoint.ts"

/**
 * The entry of a key that was destroyed: nothing that was sealed under it can be opened any more.
 */
export const keyDestroyed = kind({
  action: "key.destroyed",
  payload: Schema.Struct({
    /** The name of the envelope, which is the evidence's id. */
    evidence: Schema.String,
    signature: Schema.String,
    slot: Schema.Natural,
    use: Schema.Natural
  })
})

/** What a key that was destroyed promises, and what it does not: to be shown to who asks for it. */
export const shredPromise = {
  holds: "the key is overwritten where it lay, on the disk: this directory does not open the evidence any more",
  holdsNot:
    "snapshots, backups, file systems that copy on write and spare blocks of a flash disk may keep the old slot: " +
    "rotate the keys against these"
} as const

/**
 * Nothing was shredded: `not_found`, no envelope has the id or the signature; `not_sealed`, it is
 * not sealed, so that there is no key: delete the file; `unreadable`, a file could not be read.
 */
export class ShredError extends Schema.TaggedError<ShredError>()("ShredError", {
  reason: Schema.Literals(["not_found", "not_sealed", "unreadable"]),
  message: Schema.String
}) {}

export interface Shredded {
  /** The evidence's id. */
  readonly evidence: string
  readonly signature: string
  /** False where the key was destroyed before. */
  readonly wasThere: boolean
  /** The entry that records it, which is on disk. */
  readonly entry: Appended
}

/** How shredding fails. What was shredded before that stays so. */
export type ShredFailure = ShredError | EncryptionError | AppendError | NotDurable | LedgerStoreError

/** An envelope that was found. */
interface Found {
  readonly evidence: string
  readonly sealed: Uint8Array
  readonly header: SealedHeader
}

/**
 * Shreds the envelope with this id, or all with this signature, in the name of `actor`. By a
 * signature each envelope of the directory is read, one after another.
 */
export const shred = Effect.fnUntraced(function*(
  directory: string,
  idOrSignature: string,
  actor: string
): Effect.fn.Return<
  ReadonlyArray<Shredded>,
  ShredFailure,
  EvidenceCipher | Ledger | FileSystem.FileSystem | Path.Path
> {
  const isSignature = idOrSignature.includes(":")
  const names = isSignature ? yield* namesIn(directory) : [idOrSignature]
  const shredded: Array<Shredded> = []
  for (const name of names) {
    const found = yield* envelopeIn(directory, name)
    if (found === "not_sealed" && !isSignature)
      return yield* refuse("not_sealed", `the envelope ${name} is not sealed: there is no key`)
    if (typeof found === "string" || isSignature && found.header.signature !== idOrSignature) continue
    shredded.push(yield* shredOne(found, actor))
  }
  if (shredded.length === 0) return yield* refuse("not_found", `no sealed envelope here is of ${idOrSignature}`)
  return shredded
})

const shredOne = Effect.fnUntraced(function*({ evidence, header: { key, signature }, sealed }: Found, actor: string) {
  const cipher = yield* EvidenceCipher
  const ledger = yield* Ledger
  const wasThere = yield* cipher.open(sealed).pipe(
    Effect.map(({ plaintext }) => {
      plaintext.fill(0)
      return true
    }),
    Effect.catch((error) => error.reason === "key_destroyed" ? Effect.succeed(false) : Effect.fail(error))
  )
  if (wasThere) yield* cipher.shred(key)
  const entry = yield* Effect.fromResult(
    ledger.appendUnsafe(keyDestroyed, actor, { evidence, signature, slot: key.slot, use: key.use })
  )
  yield* ledger.durable(entry.sequence)
  return { evidence, signature, wasThere, entry }
})

/** The ids of the envelopes in a directory, in their order. */
const namesIn = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  const files = yield* Effect.mapError(fs.readDirectory(directory), unreadable)
  return files.filter((file) => file.endsWith(extension)).map((file) => file.slice(0, -extension.length)).toSorted()
})

/** An envelope by its id, or why there is none; one that is damaged names no evidence. */
const envelopeIn = Effect.fnUntraced(function*(
  directory: string,
  evidence: string
): Effect.fn.Return<Found | "none" | "not_sealed", ShredError, FileSystem.FileSystem | Path.Path> {
  if (!/^[\w-]+$/.test(evidence)) return "none"
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const sealed = yield* fs.readFile(path.join(directory, `${evidence}${extension}`)).pipe(
    Effect.catch((error) => error.reason._tag === "NotFound" ? Effect.succeed(null) : Effect.fail(unreadable(error)))
  )
  if (sealed === null) return "none"
  if (!isSealed(sealed)) return "not_sealed"
  const header = readHeader(sealed)
  return Result.isSuccess(header) ? { evidence, sealed, header: header.success } : "none"
})

const refuse = (reason: ShredError["reason"], message: string): ShredError => new ShredError({ reason, message })

const unreadable = ({ message }: { readonly message: string }): ShredError => refuse("unreadable", message)
