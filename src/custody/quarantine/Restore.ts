/**
 * Takes the evidence of an earlier process back into custody, out of the journal (CONFORMANCE E9).
 *
 * All that the journal has comes back with its severity, its place in the order of eviction, the
 * facts of its scent and the beginning of its custody, as far as the bounds of the quarantine
 * allow: what has no room is evicted as an arrival is, with a record. A piece whose content is not
 * what its facts say stays in the journal, and is counted.
 *
 * Cost: some 10 µs a piece, 256 pieces a turn.
 *
 * **Gotchas**
 *
 * - Evidence that came before, in this process, is newer. Where it has the signature of a piece,
 *   it takes the piece over, and the worse severity of both.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { SeverityRank } from "../../domain/Severity.ts"
import type { Hash } from "../../host/port/Hash.ts"
import type { Alerts } from "../../safety/alert/Alerts.ts"
import type { JournalPiece, LedgerStoreError } from "../ledger/LedgerStore.ts"
import type { StoreTurns } from "../ledger/StoreTurns.ts"
import type { Capacity } from "./Capacity.ts"
import type { Evictions } from "./Evictions.ts"
import type { Journal, JournalStore } from "./Journal.ts"
import { restorable } from "./JournalFacts.ts"
import * as Notices from "./Notices.ts"
import type { Vault } from "./Vault.ts"

const piecesPerTurn = 256

export interface RestoreParts {
  readonly vault: Vault
  readonly journal: Journal
  readonly hash: Pick<Hash["Service"], "sha256Into">
  readonly clock: Pick<Clock.Clock, "currentTimeMillisUnsafe">
  readonly capacity: Pick<Capacity, "makeRoom">
  readonly evictions: Pick<Evictions, "turnAway">
  readonly alerts: Pick<Alerts["Service"], "errorUnsafe">
}

/** Pieces that are in custody again, and pieces that were not what they say. */
export interface Restored {
  readonly restored: number
  readonly unreadable: number
}

/** Restores all that the journal of a store has; from then on evidence goes there. */
export const restore = Effect.fnUntraced(
  function*(
    parts: RestoreParts,
    store: JournalStore,
    turns: StoreTurns
  ): Effect.fn.Return<Restored, LedgerStoreError> {
    const restoring = new Restoring(parts, store)
    for (;;) {
      const pieces = yield* store.journal.pieces(restoring.last, piecesPerTurn)
      for (const piece of pieces) restoring.take(piece)
      if (pieces.length < piecesPerTurn) break
      yield* Effect.yieldNow
    }
    restoring.sort()
    parts.journal.attach(store, turns)
    const { restored, unreadable } = restoring
    if (unreadable > 0) parts.alerts.errorUnsafe(Notices.unreadable)
    return { restored, unreadable }
  }
)

class Restoring {
  readonly #parts: RestoreParts
  readonly #store: JournalStore
  /** The key of the last piece. */
  last = -1
  restored = 0
  unreadable = 0
  #lastOrder = 0
  /** What came before with the signature of a piece. */
  readonly #takenOver: Array<number> = []

  constructor(parts: RestoreParts, store: JournalStore) {
    this.#parts = parts
    this.#store = store
  }

  /** Takes a piece into custody, where it is what it says. */
  take(piece: JournalPiece): void {
    const { capacity, clock, evictions, hash, journal, vault } = this.#parts
    this.last = piece.key
    const read = restorable(piece, { hash, keyed: vault.keyed })
    if (read === null) {
      this.unreadable += 1
      return
    }
    this.restored += 1
    const { arrival, order } = read
    this.#lastOrder = Math.max(this.#lastOrder, order)
    const held = vault.find(vault.read(arrival.signed), arrival.category)
    if (held >= 0) {
      this.#takeOver(held, piece.key, arrival.severity)
      return
    }
    const now = clock.currentTimeMillisUnsafe()
    if (capacity.makeRoom(arrival.severity, arrival.size, now)) journal.adopt(vault.insert(arrival), piece.key, order)
    else evictions.turnAway({ ...arrival, piece: piece.key }, now)
  }

  #takeOver(held: number, key: number, severity: SeverityRank): void {
    const { journal, vault } = this.#parts
    const other = journal.pieceOf(held)
    if (other === key) return
    if (other !== undefined) {
      this.#store.journal.removeUnsafe(key)
      return
    }
    if (severity > vault.severityRankOf(held)) vault.raise(held, severity)
    journal.adopt(held, key, 0)
    this.#takenOver.push(held)
  }

  /** Puts all that is held into the order of its places: what came in this process is newest. */
  sort(): void {
    const { journal, vault } = this.#parts
    journal.begin(Math.max(this.last, this.#lastOrder))
    const newest = (slot: number): void => vault.raise(slot, vault.severityRankOf(slot))
    const isNew = new Set(this.#takenOver)
    const slots = [...vault.all()]
    const before = slots.filter((slot) => journal.pieceOf(slot) !== undefined && !isNew.has(slot))
    before.sort((a, b) => journal.orderOf(a) - journal.orderOf(b))
    for (const slot of before) newest(slot)
    for (const slot of slots) {
      if (journal.pieceOf(slot) !== undefined && !isNew.has(slot)) continue
      newest(slot)
      journal.changed(slot)
    }
  }
}
