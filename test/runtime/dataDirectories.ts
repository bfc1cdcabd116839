/**
 * Tracehounds of tests that have a data directory, and what a stranger finds in it.
 */
import { Context, Effect, Layer, type Scope } from "effect"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { parseVerifierKey } from "../../src/custody/ledger/NoteKeys.ts"
import { verifyLedger } from "../../src/custody/ledger/VerifyLedger.ts"
import { Readings } from "../../src/custody/store/Readings.ts"
import { NodeEd25519, NodePorts } from "../../src/host/node/index.ts"
import { Hash } from "../../src/host/port/Hash.ts"
import { Tracehound, type TracehoundConfigInput } from "../../src/index.ts"

/** The path of a directory that is not there yet, and is gone with the scope. */
export const temporaryDirectory: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => join(mkdtempSync(join(tmpdir(), "tracehound-durable-")), "data")),
  (directory) => Effect.sync(() => rmSync(join(directory, ".."), { recursive: true, force: true }))
)

/** A Tracehound of this directory, until the effect has ended. */
export const inDirectory = <A, E>(
  dataDirectory: string,
  use: (tracehound: Tracehound["Service"]) => Effect.Effect<A, E>,
  config: TracehoundConfigInput = {}
) =>
  Effect.scoped(Effect.gen(function*() {
    const layer = Tracehound.layer({
      hound: { enabled: false },
      rateLimit: { maxRequests: 1_000_000 },
      ...config,
      dataDirectory
    })
    return yield* use(Context.get(yield* Layer.build(layer), Tracehound))
  }))

/** What the ledger of a closed directory says of itself, and who signed it. */
export const verified = (directory: string) =>
  Effect.gen(function*() {
    const db = yield* Effect.acquireRelease(
      Effect.sync(() => new DatabaseSync(join(directory, "ledger.db"), { readOnly: true })),
      (db) => Effect.sync(() => db.close())
    )
    const readings = new Readings(db)
    const vkey = readFileSync(join(directory, "keys", "ledger"), "utf8").split("\n")[1] ?? ""
    const key = yield* Effect.fromResult(parseVerifierKey(yield* Hash, vkey))
    const reader = {
      rows: (from: number, limit: number) => Effect.sync(() => readings.rows(from, limit)),
      checkpoints: (after: number, limit: number) => Effect.sync(() => readings.checkpoints(after, limit))
    }
    return yield* verifyLedger({ reader, keys: [key] })
  }).pipe(Effect.scoped, Effect.provide(Layer.mergeAll(NodePorts.layer, NodeEd25519.layer)))
