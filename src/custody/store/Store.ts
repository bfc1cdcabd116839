/**
 * The ledger of a directory, on disk: `ledger.db`, written by a thread of its own (SYS L1, L2).
 *
 * Promises
 *
 * - that what it says to be on disk survives the process and a loss of power, in order and without
 *   a gap;
 * - that who appends waits for nothing: a full ring, and a full window of evidence, are answers;
 * - that a writer that dies is replaced, and a disk that refuses is tried again;
 * - that a directory has one owner, and one that lost signed entries none.
 *
 * **The life of an entry.** Who appends writes its text into the ring (`Outbox.ts`), in under a
 * microsecond, and wakes the writer once a turn. The writer (`WriterLoop.ts`, `GroupWriter.ts`)
 * takes all that waits, inserts it, adds it to the tree, and commits once: SQLite writes its log
 * and has the system put it on disk. Then the ring's tail and counts move, and who waits is told
 * (`DurableWaits.ts`). Within a second one of these commits has a signed checkpoint too, which is
 * put into a file beside the database. Later SQLite moves its log into the database.
 *
 * **Gotchas**
 *
 * - Reading (`rows`, `journal.pieces`, `deadLetters.list`) takes the caller's turn: 1 µs a row.
 * - The ring's memory becomes resident as it is used, all of it in the end.
 * - Who waits for something is told when a try fails, and may wait again: the next try has it too.
 * - Importing this loads node:sqlite, which some hosts do not have: `StoreLayer.ts` looks first.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { mkdirSync } from "node:fs"
import { type DeadLetter, type JournalPiece, type LedgerStore, LedgerStoreError } from "../ledger/LedgerStore.ts"
import { Outbox } from "./Outbox.ts"
import { OwnerLock } from "./OwnerLock.ts"
import { Readings, type StoredPiece } from "./Readings.ts"
import { type DatabaseSync, openReader } from "./Sqlite.ts"
import { storeCipher } from "./StoreCipher.ts"
import { refusalOf, storeError, StoreOpenError, wordsOf } from "./StoreErrors.ts"
import { pathsOf, type StoreOptions, withDefaults } from "./StoreOptions.ts"
import { Writing } from "./Writing.ts"

export type { StoreOptions, StoreTrouble } from "./StoreOptions.ts"

/**
 * Opens a directory to write until the scope closes; what was pushed by then is committed first.
 */
export const open = Effect.fnUntraced(
  function*(options: StoreOptions): Effect.fn.Return<LedgerStore["Service"], StoreOpenError, Scope.Scope> {
    yield* ownership(options.directory)
    const writing = new Writing(options)
    yield* Effect.acquireRelease(Effect.forkDetach(writing.lives), (life) => writing.close(life))
    const opened = yield* writing.opened
    const { waits } = writing
    const outbox = new Outbox(writing.ring, opened.size, withDefaults(options).window, waits)
    const read = yield* reading(options.directory)
    yield* Effect.addFinalizer(() => Effect.sync(() => outbox.close()))
    const letters = lettersBy(writing, outbox)
    const sealing = options.keys === undefined
      ? null
      : storeCipher(writing, outbox, (push) => sent(writing, outbox, push))
    return {
      opened,
      pushUnsafe: (sequence, text, endsPiece) => outbox.entry(sequence, text, endsPiece),
      wakeUnsafe: () => outbox.wake(),
      durableSize: () => waits.entries,
      durable: (sequence) => waits.forEntries(sequence + 1),
      checkpoint: writing.request((request) => sent(writing, outbox, () => outbox.checkpoint(request))),
      rows: (from, limit) => read((readings) => readings.rows(from, limit)),
      journal: {
        putUnsafe: (piece) => outbox.piece(piece),
        amendUnsafe: (key, facts) => outbox.amendment(key, facts),
        removeUnsafe: (key) => outbox.removal(key),
        durableCount: () => waits.pieces,
        durable: waits.forPieces,
        pieces: sealing?.pieces ?? ((after, limit) => read((readings) => readings.pieces(after, limit).map(asPiece)))
      },
      cipher: sealing?.cipher ?? null,
      deadLetters: {
        ...letters,
        list: (after, limit) => read((readings) => readings.letters(after, limit))
      }
    }
  }
)

const asPiece = ({ content, facts, key }: StoredPiece): JournalPiece => ({ key, facts, content })

const closed = new LedgerStoreError({ reason: "closed", message: "the ledger's store is closed" })

const openError = (cause: unknown, directory: string): StoreOpenError => {
  const reason = refusalOf(cause)
  const message = `${directory} cannot be opened as a ledger's: ${wordsOf(cause)}`
  return new StoreOpenError({ reason: reason === "busy" ? "io" : reason, message })
}

/** Makes the directory and takes its lock, until the scope closes. */
const ownership = (directory: string): Effect.Effect<OwnerLock, StoreOpenError, Scope.Scope> => {
  const taken = Effect.try({
    try: () => {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      return OwnerLock.take(directory)
    },
    catch: (cause) => openError(cause, directory)
  })
  const own = Effect.flatMap(taken, (lock) =>
    lock instanceof OwnerLock
      ? Effect.succeed(lock)
      : Effect.fail(new StoreOpenError({ reason: "held", message: `${directory} is held by ${lock.owner}` })))
  return Effect.acquireRelease(own, (lock) => Effect.sync(() => lock.release()))
}

/** Sends a frame as soon as there is room for it, and wakes the writer. */
const sent = (writing: Writing, outbox: Outbox, push: () => boolean): Effect.Effect<void, LedgerStoreError> =>
  Effect.suspend(() => {
    const isSent = push()
    outbox.wake()
    if (isSent) return Effect.void
    if (outbox.isClosed) return Effect.fail(writing.waits.ended ?? closed)
    // There is room for anything once all that is in the ring now is on disk.
    return Effect.andThen(writing.waits.forFrames(outbox.frames), sent(writing, outbox, push))
  })

/** How letters come and go: each effect ends when it is on disk. */
const lettersBy = (
  writing: Writing,
  outbox: Outbox
): Pick<LedgerStore["Service"]["deadLetters"], "put" | "remove"> => {
  const done = (push: () => boolean) =>
    Effect.andThen(sent(writing, outbox, push), Effect.suspend(() => writing.waits.forFrames(outbox.frames)))
  return {
    put: (letter: DeadLetter) =>
      outbox.fitsLetter(letter)
        ? done(() => outbox.letter(letter))
        : Effect.fail(new LedgerStoreError({ reason: "full", message: `the letter ${letter.name} is too large` })),
    remove: (name) => done(() => outbox.letterRemoval(name))
  }
}

/** Reads by a connection of its own, which is opened when it is first needed. */
const reading = (directory: string) => {
  let db: DatabaseSync | null = null
  let readings: Readings | null = null
  const read = <A>(use: (readings: Readings) => A): Effect.Effect<A, LedgerStoreError> =>
    Effect.try({
      try: () => use(readings ??= new Readings(db ??= openReader(pathsOf(directory).database))),
      catch: storeError
    })
  return Effect.acquireRelease(Effect.succeed(read), () => Effect.sync(() => db?.close()))
}
