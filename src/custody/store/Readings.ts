/**
 * What is read of a ledger's database, by whoever opened it: rows as plain values.
 */
import type { KeyName } from "../encryption/Sealed.ts"
import type { CheckpointRow, LedgerRow } from "../ledger/LedgerReader.ts"
import type { DeadLetter, JournalPiece } from "../ledger/LedgerStore.ts"
import { arraysOf, type DatabaseSync } from "./Sqlite.ts"

/** A piece as its row has it. */
export interface StoredPiece extends JournalPiece {
  /** The key that sealed the content; null where it is not sealed. */
  readonly name: KeyName | null
}

/** Queries over one connection. Each reads its rows at once; all throw what SQLite throws. */
export class Readings {
  readonly #rows
  readonly #checkpoints
  readonly #tile
  readonly #pieces
  readonly #letters

  constructor(db: DatabaseSync) {
    this.#rows = arraysOf(
      db.prepare("SELECT sequence, body FROM entries WHERE sequence >= ? ORDER BY sequence LIMIT ?")
    )
    this.#checkpoints = arraysOf(
      db.prepare("SELECT size, note FROM checkpoints WHERE size > ? ORDER BY size LIMIT ?")
    )
    this.#tile = arraysOf(db.prepare("SELECT hashes FROM tiles WHERE level = ? AND number = ?"))
    this.#pieces = arraysOf(
      db.prepare("SELECT key, facts, content, slot, use FROM evidence WHERE key > ? ORDER BY key LIMIT ?")
    )
    this.#letters = arraysOf(
      db.prepare("SELECT name, endpoint, reason, time, envelope FROM deadletters WHERE name > ? ORDER BY name LIMIT ?")
    )
  }

  rows(from: number, limit: number): ReadonlyArray<LedgerRow> {
    const found = this.#rows.all(from, limit) as unknown as ReadonlyArray<readonly [number, string]>
    return found.map(([sequence, body]) => ({ sequence, body }))
  }

  /** Checkpoints of a larger size. */
  checkpoints(after: number, limit: number): ReadonlyArray<CheckpointRow> {
    const found = this.#checkpoints.all(after, limit) as unknown as ReadonlyArray<readonly [number, string]>
    return found.map(([size, note]) => ({ size, note }))
  }

  /** The hashes of a full tile, or null. */
  tile(level: number, number: number): Uint8Array | null {
    const [hashes] = (this.#tile.get(level, number) ?? []) as unknown as readonly [Uint8Array?]
    return hashes ?? null
  }

  /** Pieces with a larger key. The content of one that is sealed is the sealed piece. */
  pieces(after: number, limit: number): ReadonlyArray<StoredPiece> {
    const found = this.#pieces.all(after, limit) as unknown as ReadonlyArray<
      readonly [number, string, Uint8Array, number | null, number | null]
    >
    return found.map(([key, facts, content, slot, use]) => ({
      key,
      facts,
      content,
      name: slot === null || use === null ? null : { slot, use }
    }))
  }

  /** Letters with a larger name. */
  letters(after: string, limit: number): ReadonlyArray<DeadLetter> {
    const found = this.#letters.all(after, limit) as unknown as ReadonlyArray<
      readonly [string, string, string, number, Uint8Array]
    >
    return found.map(([name, endpoint, reason, time, envelope]) => ({ name, endpoint, reason, time, envelope }))
  }
}
