/** A ledger that was published into memory: its files by their paths. */
import { Effect, Layer } from "effect"
import { noteSigner } from "../../../src/custody/ledger/NoteKeys.ts"
import { publishedLedger, publishLedger } from "../../../src/custody/ledger/Published.ts"
import { verifyLedger } from "../../../src/custody/ledger/VerifyLedger.ts"
import * as NodeEd25519 from "../../../src/host/node/NodeEd25519.ts"
import { ports } from "../../support/ports.ts"
import { hash } from "../audit/entries.ts"
import { checkpointOf, readerOf, type StoredLedger } from "./ledgers.ts"

const host = Layer.mergeAll(ports, NodeEd25519.layer)

/** The ledger's key, and one under the same name that is not. */
export const [signer, stranger] = [1, 2].map((seed) =>
  Effect.runSync(Effect.provide(noteSigner("example.com/ledger", new Uint8Array(32).fill(seed)), host))
) as unknown as readonly [ReturnType<typeof signerType>, ReturnType<typeof signerType>]
declare const signerType: () => Effect.Success<ReturnType<typeof noteSigner>>

export type Files = ReadonlyMap<string, Uint8Array>

/** The files of a ledger as a checkpoint of some size signs it. */
export const filesOf = (rows: StoredLedger["rows"], size = rows.length, by = signer): Files => {
  const files = new Map<string, Uint8Array>()
  const write = (path: string, bytes: Uint8Array) => Effect.sync(() => void files.set(path, bytes.slice()))
  const { note } = Effect.runSync(checkpointOf(by, rows, size))
  Effect.runSync(publishLedger({ hash, reader: readerOf({ rows, checkpoints: [] }), note, write }))
  return files
}

/** What a verifier with the ledger's key says of files. */
export const verifyFiles = (files: Files) =>
  Effect.gen(function*() {
    const reader = yield* publishedLedger((path) => Effect.succeed(files.get(path) ?? null))
    if (reader === null) return null
    return yield* verifyLedger({ reader, keys: [signer.key], readTile: reader.readTile })
  }).pipe(Effect.provide(host), Effect.runSync)

/** Whether something is found wrong; a bundle without a checkpoint is none. */
export const isFound = (files: Files): boolean => verifyFiles(files)?.finding !== null
