/** Ledgers for verifiers: rows and checkpoints that a test can bend, and a reader of them. */
import { Effect, Result } from "effect"
import { hash as oneHash } from "node:crypto"
import { checkpointText } from "../../../src/custody/ledger/CheckpointText.ts"
import { type Entry, entryText, genesis } from "../../../src/custody/ledger/Entry.ts"
import type { CheckpointRow, LedgerReader, LedgerRow } from "../../../src/custody/ledger/LedgerReader.ts"
import { signNote } from "../../../src/custody/ledger/Note.ts"
import type { NoteSigner } from "../../../src/custody/ledger/NoteKeys.ts"
import { leafOf } from "./reference.ts"
import { grown } from "./trees.ts"

export interface StoredLedger {
  readonly rows: ReadonlyArray<LedgerRow>
  readonly checkpoints: ReadonlyArray<CheckpointRow>
}

export const hashOf = (body: string): string => oneHash("sha256", `\0${body}`, "hex")

/** Of every fourth entry the plain form of custody's, which a verifier reads in another way. */
const fieldsOf = (sequence: number, note: string): Omit<Entry, "sequence" | "previous"> =>
  sequence % 4 === 0
    ? {
      time: 1_760_000_000_000 + sequence,
      actor: "tracehound",
      action: "evicted",
      destination: sequence % 8 === 0 ? null : `file:./${note}`,
      id: `0199c82c-c000-7a5c-b7cc-a2bcc94aba60-${String(sequence).padStart(8, "0")}`,
      payloadHash: "ab".repeat(32),
      reason: "capacity",
      severity: "low",
      signature: `injection:${"cd".repeat(32)}`,
      size: sequence
    }
    : { time: sequence / 2, actor: "tester", action: "noted", note }

/** The rows of entries from `from` on, behind a hash. */
export const rowsOf = (count: number, note = "", from = 0, previous = genesis): ReadonlyArray<LedgerRow> => {
  let head = previous
  return Array.from({ length: count }, (_, at) => {
    const sequence = from + at
    const entry = { ...fieldsOf(sequence, note), sequence, previous: head } as Entry
    const body = Result.getOrThrow(entryText(entry))
    head = hashOf(body)
    return { sequence, body }
  })
}

/** Signs what the first rows are. */
export const checkpointOf = (signer: NoteSigner, rows: ReadonlyArray<LedgerRow>, size: number) => {
  const root = grown(rows.slice(0, size).map(({ body }) => leafOf(body))).tree.root()
  const text = checkpointText({ origin: signer.key.name, size, root })
  return Effect.map(signNote(text, [signer]), (note): CheckpointRow => ({ size, note }))
}

export const readerOf = ({ checkpoints, rows }: StoredLedger, reads: Array<number> = []): LedgerReader => ({
  rows: (from, limit) =>
    Effect.sync(() => {
      reads.push(limit)
      return rows.slice(from, from + limit)
    }),
  checkpoints: (after, limit) => Effect.sync(() => checkpoints.filter(({ size }) => size > after).slice(0, limit))
})
