/**
 * What the writer's thread does with its orders: open the database, hold it against the checkpoint
 * beside it, and write until it is told to stop.
 *
 * A database that lost committed groups, as by a damaged log, is a sound database to SQLite. The
 * newest checkpoint beside it names more entries, or another root: then nothing is written, and
 * opening is refused.
 *
 * **Gotchas**
 *
 * - What a log holds at a start may have been written by a commit whose sync failed. So all of it
 *   is moved into the database, and synced there, before anything is said to be on disk.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { randomFillSync } from "node:crypto"
import { readFileSync } from "node:fs"
import { performance } from "node:perf_hooks"
import { nodeAead } from "../../host/node/NodeAead.ts"
import * as NodeHash from "../../host/node/NodeHash.ts"
import { Hash } from "../../host/port/Hash.ts"
import { EncryptionError } from "../encryption/EncryptionError.ts"
import { readNote, signerOf } from "./CheckpointNote.ts"
import { Reserve } from "./DurableFile.ts"
import { GroupWriter } from "./GroupWriter.ts"
import type { KeyAnswer } from "./KeyMessages.ts"
import { DamagedStore, sizeOf, treeAt, type TreeHash } from "./LedgerTree.ts"
import { Readings } from "./Readings.ts"
import { RingConsumer } from "./Ring.ts"
import { arraysOf, type DatabaseSync, numberOf, openWriter } from "./Sqlite.ts"
import { refusalOf, type StoreOpenError, wordsOf } from "./StoreErrors.ts"
import { migrate } from "./StoreSchema.ts"
import { WriterKeys } from "./WriterKeys.ts"
import { WriterLoop } from "./WriterLoop.ts"
import type { WriterOrders, WriterReport } from "./WriterMessages.ts"

type Refused = Extract<WriterReport, { readonly kind: "refused" }>

const refused = (reason: StoreOpenError["reason"], message: string): Refused => ({ kind: "refused", reason, message })

const refusedBy = (cause: unknown): Refused => {
  if (cause instanceof EncryptionError) return refused(cause.reason === "io" ? "io" : "keys", cause.message)
  const reason = cause instanceof DamagedStore ? "damaged" : refusalOf(cause)
  return refused(reason === "busy" ? "io" : reason, wordsOf(cause))
}

/** Writes until the ring is stopped, or the store is damaged. Reports all there is to say. */
export const runWriter = (
  orders: WriterOrders,
  report: (report: WriterReport) => void,
  ring = new RingConsumer(orders.shared)
): void => {
  const hash = Effect.runSync(Effect.scoped(Effect.map(Layer.build(NodeHash.layer), Context.get(Hash))))
  let db: DatabaseSync
  try {
    db = openWriter(orders.paths.database)
  } catch (cause) {
    report(refusedBy(cause))
    return
  }
  try {
    const opened = prepared(db, hash, orders)
    if (opened !== null) report(opened)
    else write({ db, hash, orders, report, ring })
  } catch (cause) {
    report(refusedBy(cause))
  } finally {
    orders.signer.seed.fill(0)
    db.close()
  }
}

/**
 * Brings tables up to date and looks whether all is there; why it must not be written, else null.
 */
const prepared = (db: DatabaseSync, hash: TreeHash, { isFirst, paths, secrets }: WriterOrders): Refused | null => {
  const migrated = migrate(db)
  if (migrated === "foreign") return refused("foreign", `${paths.database} is the database of another program`)
  if (migrated === "newer") return refused("newer", `${paths.database} was written by a newer version`)
  if (!isLogMoved(db)) return refused("io", `another program reads ${paths.database} and does not let go of it`)
  if (isFirst) db.exec("UPDATE writer SET frame = 0 WHERE frame <> 0")
  if (secrets === null && numberOf(db, "SELECT count(*) FROM evidence WHERE slot IS NOT NULL") > 0)
    return refused("keys", "the evidence of this directory is sealed: give the master secret that it was sealed under")
  const why = contradiction(db, hash, noteIn(paths.checkpoint))
  return why === null ? null : refused("damaged", why)
}

/** Moves the log into the database; false where a reader holds on to what the log has. */
const isLogMoved = (db: DatabaseSync): boolean => {
  const [row] = arraysOf(db.prepare("PRAGMA wal_checkpoint(TRUNCATE)")).all() as unknown as [readonly [number]]
  return row[0] === 0
}

const noteIn = (path: string): string | null => {
  try {
    return readFileSync(path, "utf8")
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null
    throw cause
  }
}

/** How the database contradicts the checkpoint beside it; null where it does not. */
const contradiction = (db: DatabaseSync, hash: TreeHash, note: string | null): string | null => {
  if (note === null) return null
  const checkpoint = readNote(note)
  if (checkpoint === null) return "the checkpoint beside the ledger is no checkpoint"
  const size = sizeOf(db)
  if (size < checkpoint.size) return `the ledger has ${size} entries, and ${checkpoint.size} were signed`
  const root = treeAt(hash, db, checkpoint.size).root()
  return Buffer.compare(root, checkpoint.root) === 0
    ? null
    : `the first ${checkpoint.size} entries are not those that were signed`
}

interface Writing {
  readonly db: DatabaseSync
  readonly hash: TreeHash
  readonly orders: WriterOrders
  readonly report: (report: WriterReport) => void
  readonly ring: RingConsumer
}

const write = ({ db, hash, orders, report, ring }: Writing): void => {
  const { limits, paths, reserveBytes, signer } = orders
  const keys = openKeys(db, orders, report)
  const nowMs = (): number => performance.now()
  const reserve = new Reserve(paths.reserve, reserveBytes)
  reserve.fill()
  const answer = (request: number, answer: KeyAnswer): void => {
    report({ kind: "keys", request, answer })
    wipe(answer)
  }
  try {
    const readTree = () => treeAt(hash, db, sizeOf(db))
    const writer = new GroupWriter({ db, ring, keys, answer, nowMs, readTree, sign: signerOf(signer) }, limits)
    report({ kind: "ready", size: writer.size, head: Buffer.from(writer.last).toString("hex") })
    new WriterLoop({ ring, writer, keys, db, reserve, report, nowMs, checkpointPath: paths.checkpoint }).run()
  } finally {
    keys?.close()
  }
}

const randomness = {
  fill: (target: Uint8Array) => {
    randomFillSync(target)
  }
}

/** The keyring of the directory; null where evidence is not sealed. Throws an EncryptionError. */
const openKeys = (db: DatabaseSync, { paths, secrets }: WriterOrders, report: Writing["report"]): WriterKeys | null => {
  if (secrets === null) return null
  const readings = new Readings(db)
  return WriterKeys.open({
    directory: paths.keys,
    cell: secrets,
    aead: nodeAead,
    randomness,
    readPieces: (after, limit) => readings.pieces(after, limit),
    onLost: (key, message) => report({ kind: "pieceLost", key, message })
  })
}

/** Overwrites what was opened: the message has a copy. */
const wipe = (answer: KeyAnswer): void => {
  if (answer.kind === "opened") answer.plaintext.fill(0)
  if (answer.kind === "pieces") { for (const { content } of answer.pieces) content.fill(0) }
}
