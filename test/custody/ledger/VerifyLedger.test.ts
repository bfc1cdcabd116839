import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Result } from "effect"
import { makeEncoder } from "../../../src/custody/audit/Verify.ts"
import { parseEntry } from "../../../src/custody/ledger/Entry.ts"
import { CustodyEntries } from "../../../src/custody/ledger/EntryLinks.ts"
import { noteSigner } from "../../../src/custody/ledger/NoteKeys.ts"
import { type LedgerFinding, verifyLedger } from "../../../src/custody/ledger/VerifyLedger.ts"
import * as NodeEd25519 from "../../../src/host/node/NodeEd25519.ts"
import { ports } from "../../support/ports.ts"
import { chainOf, entries as custodyEntries } from "../audit/entries.ts"
import { checkpointOf, hashOf, readerOf, rowsOf, type StoredLedger } from "./ledgers.ts"

const host = Layer.mergeAll(ports, NodeEd25519.layer)
const signer = Effect.runSync(Effect.provide(noteSigner("example.com/ledger", new Uint8Array(32).fill(1)), host))
const stranger = Effect.runSync(Effect.provide(noteSigner("example.com/ledger", new Uint8Array(32).fill(2)), host))
const signedAt = (rows: StoredLedger["rows"], sizes: ReadonlyArray<number>, by = signer) =>
  Effect.runSync(Effect.forEach(sizes, (size) => checkpointOf(by, rows, size)))

const rows = rowsOf(40, "mine")
const ledger: StoredLedger = { rows, checkpoints: signedAt(rows, [10, 25, 38]) }

const verify = (given: StoredLedger, known: ReadonlyArray<string> = []) =>
  Effect.runSync(Effect.provide(verifyLedger({ reader: readerOf(given), keys: [signer.key], known }), host))

const found = (given: StoredLedger, known: ReadonlyArray<string> = []): readonly [string, number] | null => {
  const { finding } = verify(given, known)
  return finding === null ? null : [finding.fault, finding.sequence]
}

/** Rows as an attacker without the key numbers and chains them again. */
const renumbered = (given: StoredLedger["rows"]): StoredLedger["rows"] =>
  given.map((row, sequence) => ({ ...row, sequence }))
const rechained = (bodies: ReadonlyArray<string>, from: number): StoredLedger["rows"] => {
  let head = ""
  return bodies.map((body, sequence) => {
    const entry = JSON.parse(body) as Record<string, unknown>
    const fields = sequence < from ? entry : { ...entry, sequence, ...(sequence === 0 ? {} : { previous: head }) }
    const text = JSON.stringify(Object.fromEntries(Object.entries(fields).toSorted(([a], [b]) => a < b ? -1 : 1)))
    head = hashOf(text)
    return { sequence, body: text }
  })
}
const bodies = rows.map(({ body }) => body)
const edited = (body: string): string => body.replace("\"time\":", "\"time\":1")

describe("verifyLedger", () => {
  it("SYS L8 finds nothing wrong with a ledger, and says how much of it is signed", () => {
    const report = verify(ledger)
    assert.deepStrictEqual(
      { ...report, root: undefined },
      { finding: null, entries: 40, head: hashOf(bodies[39] ?? ""), root: undefined, signed: 38, checkpoints: 3 }
    )
    assert.isNull(found({ rows: [], checkpoints: [] }))
    assert.isNull(found({ rows: [], checkpoints: signedAt([], [0]) }))
    assert.isNull(found({ rows: rows.slice(0, 38), checkpoints: ledger.checkpoints }))
    assert.isNull(found(ledger, [...ledger.checkpoints, ...signedAt(rows, [40, 3, 0])].map(({ note }) => note)))
  })

  it("SYS L8 finds an edit of any entry but the last unsigned one, at that entry", () => {
    for (let at = 0; at < 39; at++) {
      const bent = rows.with(at, { sequence: at, body: edited(bodies[at] ?? "") })
      assert.deepStrictEqual(found({ ...ledger, rows: bent }), ["edited", at])
    }
  })

  it("SYS L8 finds an edit of where an entry stands, and of what it names, at that entry", () => {
    for (let at = 0; at < 40; at++) {
      const flipped = (bodies[at] ?? "").replace(
        /"previous":"(.)/,
        (_, digit) => `"previous":"${digit === "0" ? 1 : 0}`
      )
      const [fault, sequence = -1] = found({ ...ledger, rows: rows.with(at, { sequence: at, body: flipped }) }) ?? []
      assert.strictEqual(fault, "edited")
      // Of the last entry nothing tells whether it was changed or the one before it.
      assert.isTrue(sequence === at || (at === 39 && sequence === 38), `${at}: ${sequence}`)
      const numbered = (bodies[at] ?? "").replace(`"sequence":${at}`, `"sequence":${at + 1}`)
      const moved = found({ ...ledger, rows: rows.with(at, { sequence: at, body: numbered }) })
      assert.deepStrictEqual(moved, ["deleted", at])
      for (const body of ["", "{}", `${bodies[at]} `, (bodies[at] ?? "").replace(":", ": ")])
        assert.deepStrictEqual(found({ ...ledger, rows: rows.with(at, { sequence: at, body }) }), ["edited", at])
    }
  })

  it("SYS L8 finds the deletion of any entry, at its place", () => {
    for (let at = 0; at < 39; at++) {
      const cut = rows.toSpliced(at, 1)
      assert.deepStrictEqual(found({ ...ledger, rows: cut }), ["deleted", at])
      assert.deepStrictEqual(found({ ...ledger, rows: renumbered(cut) }), ["deleted", at])
    }
  })

  it("SYS L8 finds entries in another order, at the first of them", () => {
    for (let at = 0; at < 39; at++) {
      for (const other of [at + 1, 39]) {
        if (other === at) continue
        const [a, b] = [rows[at], rows[other]]
        if (a === undefined || b === undefined) assert.fail()
        const swapped = rows.with(at, b).with(other, a)
        assert.deepStrictEqual(found({ ...ledger, rows: swapped }), ["reordered", at])
        assert.deepStrictEqual(found({ ...ledger, rows: renumbered(swapped) }), ["reordered", at])
      }
    }
  })

  it("SYS L8 finds an entry that is there twice, and one that was put in", () => {
    const foreign = rowsOf(40, "theirs")
    for (let at = 0; at < 39; at++) {
      const [row, other] = [rows[at], foreign[at]]
      if (row === undefined || other === undefined) assert.fail()
      const twice = rows.toSpliced(at + 1, 0, row)
      assert.deepStrictEqual(found({ ...ledger, rows: twice }), ["inserted", at + 1])
      assert.deepStrictEqual(found({ ...ledger, rows: renumbered(twice) }), ["inserted", at + 1])
      // One that is made for its place. Where a checkpoint ends with it, that finds it first.
      const links = { ...(JSON.parse(row.body) as object), note: "theirs" }
      const made = JSON.stringify(Object.fromEntries(Object.entries(links).toSorted(([a], [b]) => a < b ? -1 : 1)))
      const wide = renumbered(rows.toSpliced(at, 0, { sequence: at, body: made }))
      const [fault = "", place] = found({ ...ledger, rows: wide }) ?? []
      assert.include(["inserted", "edited"], fault)
      assert.include([at, at + 1], place)
    }
  })

  it("SYS L8 finds what was written anew with all hashes by who has no key, between two checkpoints", () => {
    for (let at = 0; at < 38; at++) {
      const forged = rechained(bodies.with(at, edited(bodies[at] ?? "")), at)
      const [from, to] = at < 10 ? [0, 10] : at < 25 ? [10, 25] : [25, 38]
      assert.deepStrictEqual(found({ ...ledger, rows: forged }), ["forked", from], `${at} of ${to}`)
    }
    const last = rechained(bodies.with(39, edited(bodies[39] ?? "")), 39)
    assert.isNull(found({ ...ledger, rows: last }))
    assert.deepStrictEqual(found({ ...ledger, rows: last }, signedAt(rows, [39, 40]).map(({ note }) => note)), [
      "edited",
      39
    ])
    assert.deepStrictEqual(found({ ...ledger, rows: rechained(bodies.toSpliced(30, 1), 30) }), ["forked", 25])
    assert.deepStrictEqual(found({ ...ledger, rows: rechained(bodies.toSpliced(30, 0, bodies[3] ?? ""), 30) }), [
      "forked",
      25
    ])
  })

  it("SYS L8 finds a tail that is missing, behind a checkpoint that is stored or known", () => {
    for (let size = 0; size < 38; size++) {
      const cut = { ...ledger, rows: rows.slice(0, size) }
      assert.deepStrictEqual(found(cut), ["truncated", size])
      const both = { rows: cut.rows, checkpoints: ledger.checkpoints.filter((each) => each.size <= size) }
      assert.isNull(found(both))
      assert.deepStrictEqual(found(both, signedAt(rows, [39]).map(({ note }) => note)), ["truncated", size])
    }
  })

  it("SYS L8 finds a fork: two checkpoints of one ledger that no list of entries can both be under", () => {
    const other = rowsOf(30, "theirs", 10, hashOf(bodies[9] ?? ""))
    const theirs = [...rows.slice(0, 10), ...other]
    const known = signedAt(theirs, [30]).map(({ note }) => note)
    assert.deepStrictEqual(found(ledger, known), ["forked", 25])
    assert.deepStrictEqual(found({ ...ledger, rows: theirs }, known), ["forked", 10])
  })

  it("SYS L8 finds checkpoints of another key, of witnesses alone, changed ones, and those in no order", () => {
    const [first, second, third] = ledger.checkpoints
    if (first === undefined || second === undefined || third === undefined) assert.fail()
    const foreign = signedAt(rows, [25], stranger)
    assert.deepStrictEqual(found({ ...ledger, checkpoints: [first, ...foreign, third] }), ["wrong_key", 25])
    assert.deepStrictEqual(found({ ...ledger, checkpoints: foreign }), ["wrong_key", 25])
    assert.deepStrictEqual(found(ledger, foreign.map(({ note }) => note)), ["wrong_key", 0])
    const bent = { ...second, note: second.note.replace("\n25\n", "\n26\n") }
    assert.deepStrictEqual(found({ ...ledger, checkpoints: [first, bent, third] }), ["checkpoint", 25])
    assert.deepStrictEqual(found({ ...ledger, checkpoints: [{ ...second, size: 12 }] }), ["checkpoint", 12])
    assert.deepStrictEqual(found({ ...ledger, checkpoints: [{ size: 5, note: "" }] }), ["checkpoint", 5])
    const unordered = { ...readerOf(ledger), checkpoints: () => Effect.succeed([third, first, second]) }
    const report = Effect.runSync(Effect.provide(verifyLedger({ reader: unordered, keys: [signer.key] }), host))
    assert.strictEqual(report.finding?.fault, "checkpoint")
    const elsewhere = { ...signer, key: { ...signer.key, name: "example.com/other" } }
    const otherName = signedAt(rows, [10], elsewhere)
    assert.deepStrictEqual(found({ ...ledger, checkpoints: otherName }), ["wrong_key", 10])
  })

  it("SYS L8 finds any flipped bit of any stored entry and checkpoint", () => {
    const small = { rows: rows.slice(0, 2), checkpoints: signedAt(rows, [2]) }
    const flips = (text: string): ReadonlyArray<string> =>
      Array.from(
        text,
        (character, at) =>
          `${text.slice(0, at)}${String.fromCharCode(character.charCodeAt(0) ^ 1)}${text.slice(at + 1)}`
      )
    for (const [at, { body, sequence }] of small.rows.entries()) {
      for (const bent of flips(body)) {
        const finding: LedgerFinding | null =
          verify({ ...small, rows: small.rows.with(at, { sequence, body: bent }) }).finding
        assert.isNotNull(finding, bent)
      }
    }
    for (const [at, { note, size }] of small.checkpoints.entries()) {
      for (const bent of flips(note))
        assert.isNotNull(found({ ...small, checkpoints: small.checkpoints.with(at, { size, note: bent }) }), bent)
    }
  })

  it.effect("SYS L8 streams: 256 entries at a time, each hashed once, with progress after each batch", () =>
    Effect.gen(function*() {
      const long = rowsOf(1_000)
      const reads: Array<number> = []
      const told: Array<number> = []
      const report = yield* verifyLedger({
        reader: readerOf({ rows: long, checkpoints: signedAt(long, [300, 1_000]) }, reads),
        keys: [signer.key],
        progress: (entries) => Effect.sync(() => told.push(entries))
      })
      assert.deepStrictEqual([report.finding, report.signed], [null, 1_000])
      assert.deepStrictEqual(told, [256, 512, 768, 1_000])
      assert.deepStrictEqual(reads, [256, 256, 256, 256, 256])
    }).pipe(Effect.provide(host)))

  it.effect("SYS L8 what the reader fails with is the caller's", () =>
    Effect.gen(function*() {
      const broken = { ...readerOf(ledger), rows: () => Effect.fail("gone" as const) }
      assert.strictEqual(yield* Effect.flip(verifyLedger({ reader: broken, keys: [signer.key] })), "gone")
    }).pipe(Effect.provide(host)))
})

describe("custody's entries, compared byte by byte", () => {
  const buffer = new Uint8Array(65_537)
  const entries = new CustodyEntries(buffer)
  const taken = (text: string, sequence: number, previous: string): boolean => {
    buffer.fill(0x7d)
    const { written } = new TextEncoder().encodeInto(text, buffer.subarray(1))
    return entries.has(1, 1 + written, sequence, new Uint8Array(Buffer.from(previous, "hex")))
  }

  it.prop("SYS L8 are taken where they say what they must, and are canonical", [custodyEntries(8)], ([given]) => {
    const encode = makeEncoder()
    for (const { entry, previousHash, sequence } of chainOf(given).records()) {
      const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(encode(sequence, entry)).slice(1)
      const isPlain = Number.isInteger(entry.timestamp) && entry.timestamp >= 0 && entry.timestamp < 1e15 &&
        entry.size < 1e15 && !("compressedSize" in entry && entry.compressedSize >= 1e15) &&
        !("destination" in entry && !/^[ !#-[\]-~]*$/.test(entry.destination ?? ""))
      assert.strictEqual(taken(text, sequence, previousHash), isPlain, text)
      assert.isFalse(taken(text, sequence + 1, previousHash))
      assert.isFalse(taken(text, sequence, previousHash.replace(/.$/, (last) => last === "0" ? "1" : "0")))
    }
  }, { arbitrary: { runs: 50 } })

  it("SYS L8 no bent text is taken that is not canonical, or says another place or another entry before", () => {
    let count = 0
    for (const at of [0, 8]) {
      const body = bodies[at] ?? ""
      const { previous } = JSON.parse(body) as { readonly previous: string }
      assert.isTrue(taken(body, at, previous))
      for (let place = 0; place <= body.length; place++) {
        for (const put of ["", " ", "\"", "\\", "0", "9", "-", ".", "e", "\n", "é", "{", "}", ","]) {
          for (const cut of [0, 1]) {
            const bent = body.slice(0, place) + put + body.slice(place + cut)
            if (!taken(bent, at, previous)) continue
            count += 1
            const entry = Result.getOrThrow(parseEntry(bent))
            assert.deepStrictEqual([entry.previous, entry.sequence], [previous, at])
          }
        }
      }
    }
    assert.isAbove(count, 100)
  })
})
