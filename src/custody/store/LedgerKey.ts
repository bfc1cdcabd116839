/**
 * The key that signs a ledger's checkpoints: made at the first start in `keys/` of its directory,
 * mode 0600, and read at each one after that.
 *
 * Two lines: `PRIVATE+KEY+` and the key's name, id, type and seed, as Go's `note` writes a signing
 * key, and the `vkey` for those who verify.
 *
 * **Gotchas**
 *
 * - Who has this file can sign another ledger. Keep checkpoints, or their vkey, somewhere else.
 * - A directory that has a ledger and no key is refused: under another key nobody would believe it.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { randomBytes } from "node:crypto"
import { existsSync, mkdirSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as NodeEd25519 from "../../host/node/NodeEd25519.ts"
import * as NodeHash from "../../host/node/NodeHash.ts"
import { isKeyName, noteSigner, verifierKeyText } from "../ledger/NoteKeys.ts"
import type { SignerKey } from "./CheckpointNote.ts"
import { makeFile } from "./DurableFile.ts"
import { refusalOf, StoreOpenError, wordsOf } from "./StoreErrors.ts"
import { pathsOf } from "./StoreOptions.ts"

/** The key's file. */
const ledgerKeyPath = (directory: string): string => join(directory, "keys", "ledger")

/** A key with the text of its verifier key. */
export interface LedgerKey extends SignerKey {
  readonly vkey: string
}

const signerPrefix = "PRIVATE+KEY+"
/** The type of Ed25519. */
const ed25519Type = 1
const seedBytes = 32

/** The key of a directory, which is made where there is none. */
export const ledgerKey = (directory: string): Effect.Effect<LedgerKey, StoreOpenError> =>
  Effect.suspend(() => {
    const path = ledgerKeyPath(directory)
    const found = Effect.try({
      try: () => readOrNull(path),
      catch: (cause) => keyError(cause, path)
    })
    return Effect.flatMap(found, (text) => text === null ? made(directory, path) : parsed(text, path))
  })

const keyError = (cause: unknown, path: string): StoreOpenError => {
  const refusal = refusalOf(cause)
  return new StoreOpenError({
    reason: refusal === "busy" ? "io" : refusal,
    message: `${path}, the key that signs the ledger, cannot be used: ${wordsOf(cause)}`
  })
}

const readOrNull = (path: string): string | null => {
  try {
    return readFileSync(path, "latin1")
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null
    throw cause
  }
}

/** The text of the verifier key for a seed. */
const vkeyOf = (name: string, seed: Uint8Array): Effect.Effect<string, StoreOpenError> =>
  Effect.mapError(
    Effect.map(
      Effect.provide(noteSigner(name, seed), Layer.merge(NodeEd25519.layer, NodeHash.layer)),
      ({ key }) => verifierKeyText(key)
    ),
    () => new StoreOpenError({ reason: "unsupported", message: "this host has no Ed25519 to sign the ledger with" })
  )

const parsed = (text: string, path: string): Effect.Effect<LedgerKey, StoreOpenError> => {
  const [, name = "", id = "", key = ""] = /^PRIVATE\+KEY\+([^+\n]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)\n/.exec(text) ??
    []
  const bytes = Buffer.from(key, "base64")
  const seed = new Uint8Array(bytes.subarray(1))
  const isKey = isKeyName(name) && bytes[0] === ed25519Type && seed.length === seedBytes
  bytes.fill(0)
  const damaged = new StoreOpenError({
    reason: "damaged",
    message: `${path} is no key of a ledger: put the one back that signed its checkpoints`
  })
  if (!isKey) return Effect.fail(damaged)
  return Effect.flatMap(
    vkeyOf(name, seed),
    (vkey) => vkey.startsWith(`${name}+${id}+`) ? Effect.succeed({ name, seed, vkey }) : Effect.fail(damaged)
  )
}

/** Makes a key under a name that no other ledger has, and has it on the disk before it is used. */
const made = Effect.fnUntraced(function*(directory: string, path: string): Effect.fn.Return<LedgerKey, StoreOpenError> {
  if (existsSync(pathsOf(directory).database)) return yield* missing(path)
  const name = `tracehound/${randomBytes(8).toString("hex")}`
  const seed = new Uint8Array(randomBytes(seedBytes))
  const vkey = yield* vkeyOf(name, seed)
  const id = vkey.slice(name.length + 1, name.length + 9)
  const key = Buffer.concat([Uint8Array.of(ed25519Type), seed]).toString("base64")
  const isOurs = yield* Effect.try({
    try: () => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      return makeFile(path, `${signerPrefix}${name}+${id}+${key}\n${vkey}\n`)
    },
    catch: (cause) => keyError(cause, path)
  })
  // Another process was faster.
  return isOurs ? { name, seed, vkey } : yield* ledgerKey(directory)
})

const missing = (path: string) =>
  new StoreOpenError({ reason: "damaged", message: `${path}, the key that signs the ledger, is missing: put it back` })
