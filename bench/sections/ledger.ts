/**
 * The ledger on disk: entries acknowledged a second with so many outstanding, beside the same rows
 * in node:sqlite alone, committed as often, on the same thread's turn and without hashes.
 *
 * **Gotchas**
 *
 * - Up to some hundred outstanding the disk's fsync is all of it; beyond that the processor is.
 */
import * as Effect from "effect/Effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setImmediate } from "node:timers/promises"
import { openWriter } from "../../src/custody/store/Sqlite.ts"
import { open } from "../../src/custody/store/Store.ts"
import { migrate } from "../../src/custody/store/StoreSchema.ts"
import { outstandingEntries } from "../catalogue.ts"
import { type Line, type Row, rowOf } from "../goals.ts"
import type { Measure } from "../measure.ts"
import { hostNanoseconds } from "../runner.ts"
import { median, ratiosOf } from "../statistics.ts"

/** An entry of 300 bytes, the size of custody's own. */
const text = JSON.stringify({ action: "evicted", actor: "tracehound", previous: "a".repeat(64), hash: "b".repeat(64) })
  .padEnd(300)
const bytes = new TextEncoder().encode(text)

const withDirectory = async <A>(use: (directory: string) => Promise<A>): Promise<A> => {
  const directory = mkdtempSync(join(tmpdir(), "tracehound-bench-"))
  try {
    return await use(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const perSecond = (count: number, nanoseconds: number): number => count / nanoseconds * 1e9

/** Rows a second of SQLite alone, so many a commit. */
const rawRate = (group: number, total: number): Promise<number> =>
  withDirectory(async (directory) => {
    const db = openWriter(join(directory, "raw.db"))
    migrate(db)
    const insert = db.prepare("INSERT INTO entries VALUES (?, ?)")
    const begun = hostNanoseconds()
    for (let sequence = 0; sequence < total;) {
      db.exec("BEGIN IMMEDIATE")
      for (let i = 0; i < group && sequence < total; i++) insert.run(sequence++, text)
      db.exec("COMMIT")
    }
    const rate = perSecond(total, hostNanoseconds() - begun)
    db.close()
    return rate
  })

/** What a store did: entries acknowledged a second, and nanoseconds of each push. */
interface Stored {
  readonly rate: number
  readonly push: number
}

const storedRate = (outstanding: number, total: number): Promise<Stored> =>
  withDirectory((directory) =>
    Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      const store = yield* open({ directory, signer: { name: "tracehound.bench/ledger", seed: new Uint8Array(32) } })
      let pushing = 0
      const begun = hostNanoseconds()
      for (let sent = 0; store.durableSize() < total;) {
        const from = hostNanoseconds()
        while (sent < total && sent - store.durableSize() < outstanding && store.pushUnsafe(sent, bytes)) sent += 1
        pushing += hostNanoseconds() - from
        yield* Effect.promise(() => setImmediate())
        store.wakeUnsafe()
        const durable = store.durableSize()
        if (durable < sent) yield* store.durable(durable)
      }
      return { rate: perSecond(total, hostNanoseconds() - begun), push: pushing / total }
    })))
  )

/** Rows for each number outstanding: enough for a good second. */
const totals: Readonly<Record<number, number>> = { 1: 500, 16: 6_000, 256: 50_000, 4_096: 150_000 }

export const measure: Measure = async ({ lines, progress, quick }): Promise<ReadonlyArray<Row>> => {
  const rounds = quick ? 3 : 9
  const rows: Array<Row> = []
  for (const outstanding of outstandingEntries) {
    const named = (name: string): Line | undefined => lines.find((line) => line.name === `${name}, ${outstanding}`)
    const wanted = { raw: named("node:sqlite alone"), stored: named("acknowledged"), push: named("a push") }
    if (Object.values(wanted).every((line) => line === undefined)) continue
    progress(`${outstanding} outstanding`)
    const total = (totals[outstanding] ?? 0) / (quick ? 5 : 1)
    const raw: Array<number> = []
    const stored: Array<Stored> = []
    for (let round = 0; round < rounds; round++) {
      raw.push(await rawRate(outstanding, total))
      stored.push(await storedRate(outstanding, total))
    }
    const rates = stored.map(({ rate }) => rate)
    const ratios = ratiosOf(raw, rates)
    const pushes = stored.map(({ push }) => push)
    if (wanted.raw !== undefined) rows.push(rowOf(wanted.raw, { value: median(raw), rounds: raw }))
    if (wanted.stored !== undefined)
      rows.push(rowOf(wanted.stored, { value: median(rates), ratio: median(ratios), rounds: ratios }))
    if (wanted.push !== undefined) rows.push(rowOf(wanted.push, { value: median(pushes), rounds: pushes }))
  }
  return rows
}
