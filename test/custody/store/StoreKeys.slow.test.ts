/**
 * Evidence that is sealed in the writer's thread, and keys that are destroyed there.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { cpSync, readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { EncryptionError } from "../../../src/custody/encryption/EncryptionError.ts"
import type { KeyProvider } from "../../../src/custody/encryption/KeyProvider.ts"
import { readHeader } from "../../../src/custody/encryption/Sealed.ts"
import { slotAt } from "../../../src/custody/encryption/Slots.ts"
import type { LedgerStore } from "../../../src/custody/ledger/LedgerStore.ts"
import { fillCell, secretCell, takeSecrets } from "../../../src/custody/store/SecretCell.ts"
import type { StoreTrouble } from "../../../src/custody/store/Store.ts"
import type { WriterOrders } from "../../../src/custody/store/WriterMessages.ts"
import { startThread, threadOf } from "../../../src/custody/store/WriterThread.ts"
import { noise } from "../../host/port/contract.ts"
import { restOf } from "../../support/tiers.ts"
import { append, bodyOf, openIn, temporaryDirectory } from "./stores.ts"

const rest = restOf(it)

type Store = LedgerStore["Service"]

const utf8 = new TextEncoder()
const master = noise(32, 21)
const other = noise(32, 22)

const keysOf = (current: Uint8Array, ...former: ReadonlyArray<Uint8Array>): KeyProvider["Service"] => ({
  secrets: Effect.sync(() => ({
    current: Redacted.make(current.slice()),
    former: former.map((secret) => Redacted.make(secret.slice()))
  }))
})

const sealed = (directory: string, keys = keysOf(master)) => openIn(directory, { keys })
const cipherOf = ({ cipher }: Store) => cipher ?? assert.fail("the store has no cipher")

const words = (i: number): string => `a payload that nobody may read at rest, number ${i}.`
const put = (store: Store, from: number, to: number) =>
  Effect.suspend(() => {
    for (let key = from; key < to; key++)
      assert.isTrue(store.journal.putUnsafe({ key, facts: `{"n":${key}}`, content: utf8.encode(words(key)) }))
    store.wakeUnsafe()
    return store.journal.durable(to - from)
  })
const contents = (store: Store) =>
  Effect.map(store.journal.pieces(-1, 999), (pieces) => pieces.map(({ content }) => Buffer.from(content).toString()))

/** All bytes of all files of a directory, of which nobody has one open. */
const bytesIn = (directory: string): Buffer =>
  Buffer.concat(
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)))
  )
const slotIn = (directory: string, slot: number): Buffer =>
  readFileSync(join(directory, "keys", "slots")).subarray(slotAt(slot), slotAt(slot) + 60)

/** Entries that end these pieces, on disk. */
const end = Effect.fnUntraced(function*(store: Store, size: number, pieces: ReadonlyArray<number>) {
  for (const [i, piece] of pieces.entries())
    assert.isTrue(store.pushUnsafe(size + i, utf8.encode(bodyOf(size + i)), piece))
  store.wakeUnsafe()
  yield* store.durable(size + pieces.length - 1)
})

describe("a journal that is sealed", () => {
  it.effect("SYS L4 has no word of its evidence in any file, and gives all of it back when it is opened again", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.scoped(Effect.flatMap(sealed(directory), (store) => put(store, 0, 40)))
      assert.strictEqual(bytesIn(directory).indexOf("nobody may read"), -1)
      assert.isAbove(bytesIn(directory).indexOf(`{"n":7}`), 0, "facts are no evidence")
      assert.strictEqual(statSync(join(directory, "keys")).mode & 0o777, 0o700)
      const again = yield* sealed(directory)
      assert.deepStrictEqual(yield* contents(again), Array.from({ length: 40 }, (_, i) => words(i)))
      assert.deepStrictEqual(
        (yield* again.journal.pieces(6, 2)).map(({ facts, key }) => [key, facts]),
        [[7, `{"n":7}`], [8, `{"n":8}`]]
      )
    }))

  rest.effect(
    "SYS L7 destroys a piece's key before the entry that ends it is said to be durable",
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        const store = yield* sealed(directory)
        yield* put(store, 0, 8)
        const before = Array.from({ length: 8 }, (_, i) => Buffer.from(slotIn(directory, i)))
        yield* end(store, 0, [2, 5])
        const kept = before.map((bytes, i) => bytes.equals(slotIn(directory, i)))
        assert.deepStrictEqual(kept, [true, true, false, true, true, false, true, true])
        assert.isTrue(store.journal.removeUnsafe(3))
        yield* append(store, 2, 3)
        assert.isFalse(before[3]?.equals(slotIn(directory, 3)))
        assert.deepStrictEqual(yield* contents(store), [0, 1, 4, 6, 7].map(words))
      })
  )

  rest.effect("SYS L4 opens under its master secret alone, and says which is missing", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.scoped(Effect.flatMap(sealed(directory), (store) => put(store, 0, 3)))
      const before = bytesIn(join(directory, "keys"))
      const wrong = yield* Effect.flip(Effect.scoped(sealed(directory, keysOf(other))))
      assert.strictEqual(wrong.reason, "keys")
      assert.include(wrong.message, "not the one that the keys were wrapped under")
      const none = yield* Effect.flip(Effect.scoped(openIn(directory)))
      assert.strictEqual(none.reason, "keys")
      const unavailable = Effect.fail(new EncryptionError({ reason: "bad_secret", message: "no secret today" }))
      const refused = yield* Effect.flip(Effect.scoped(sealed(directory, { secrets: unavailable })))
      assert.deepStrictEqual([refused.reason, refused.message], ["keys", "no secret today"])
      assert.isTrue(before.equals(bytesIn(join(directory, "keys"))), "a start that was refused changes no key")
      const store = yield* sealed(directory, keysOf(other, master))
      assert.deepStrictEqual(yield* contents(store), [0, 1, 2].map(words))
    }))

  rest.effect(
    "SYS L4 takes over a journal that was not sealed: what was there stays as it is",
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        yield* Effect.scoped(Effect.flatMap(openIn(directory), (store) => put(store, 0, 2)))
        const store = yield* sealed(directory)
        yield* put(store, 2, 4)
        assert.deepStrictEqual(yield* contents(store), [0, 1, 2, 3].map(words))
        yield* end(store, 0, [0, 2])
        assert.deepStrictEqual(yield* contents(store), [1, 3].map(words))
      })
  )

  rest.effect("SYS L4 tells of each piece that does not open, and gives the others", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const troubles: Array<StoreTrouble> = []
      const store = yield* openIn(directory, { keys: keysOf(master), onTrouble: (trouble) => troubles.push(trouble) })
      yield* put(store, 0, 6)
      yield* cipherOf(store).shred({ slot: 4, use: 1 })
      assert.deepStrictEqual(yield* contents(store), [0, 1, 2, 3, 5].map(words))
      assert.deepStrictEqual(
        (yield* store.journal.pieces(2, 2)).map(({ key }) => key),
        [3, 5],
        "as many as were asked for"
      )
      assert.deepStrictEqual(troubles.map((trouble) => trouble.kind === "pieceLost" ? trouble.key : trouble.kind), [
        4,
        4
      ])
    }))

  rest.live(
    "SYS L7 a writer that dies is replaced by one that opens all pieces, and destroys what is gone",
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        const store = yield* openIn(directory, {
          keys: keysOf(master),
          startThread: threadOf(new URL("./dyingWriter.ts", import.meta.url))
        })
        for (let size = 0; size < 50; size += 10) {
          assert.isTrue(store.journal.putUnsafe({ key: size, facts: "{}", content: utf8.encode(words(size)) }))
          yield* append(store, size, size + 10)
        }
        assert.deepStrictEqual(yield* contents(store), [0, 10, 20, 30, 40].map(words))
        const before = Buffer.from(slotIn(directory, 1))
        yield* end(store, 50, [10])
        assert.isFalse(before.equals(slotIn(directory, 1)))
      })
  )
})

describe("a cipher of a store", () => {
  const envelope = utf8.encode("an envelope, which holds a payload")
  const toSeal = { tenant: "acme", signature: "injection:abc", plaintext: envelope }

  it.effect("SYS L4 seals an envelope under a key of its own, and opens it after a start", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const pieces = yield* Effect.scoped(Effect.gen(function*() {
        const cipher = cipherOf(yield* sealed(directory))
        return [yield* cipher.seal(toSeal), yield* cipher.seal(toSeal)] as const
      }))
      assert.notDeepEqual(pieces[0].key, pieces[1].key)
      const header = readHeader(pieces[0].sealed)
      assert.deepInclude(header, { _tag: "Success" })
      assert.strictEqual(Buffer.from(pieces[0].sealed).indexOf("payload"), -1)
      const cipher = cipherOf(yield* sealed(directory))
      const opened = yield* cipher.open(pieces[0].sealed)
      assert.deepStrictEqual(opened.plaintext, envelope)
      assert.deepStrictEqual(opened.header, {
        purpose: "envelope",
        tenant: "acme",
        signature: "injection:abc",
        key: pieces[0].key,
        size: envelope.length
      })
      for (
        const [change, reason] of [
          [(bytes: Uint8Array) => bytes.fill(0, 40, 42), "damaged"],
          [(bytes: Uint8Array) => bytes.fill(2, 5, 6), "wrong_purpose"],
          [(bytes: Uint8Array) => bytes.fill(9, 4, 5), "unknown_version"],
          [(bytes: Uint8Array) => bytes.fill(9, 15, 16), "unknown_key"],
          [(bytes: Uint8Array) => bytes.fill(0, 0, 1), "not_sealed"]
        ] as const
      ) assert.strictEqual((yield* Effect.flip(cipher.open(change(pieces[1].sealed.slice())))).reason, reason)
    }))

  rest.effect(
    "SYS L7 shreds one piece: its key's bytes are in no file, and the others open",
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        const shredded = yield* Effect.scoped(Effect.gen(function*() {
          const store = yield* sealed(directory)
          const cipher = cipherOf(store)
          const [first, second] = [yield* cipher.seal(toSeal), yield* cipher.seal(toSeal)]
          const wrapped = Buffer.from(slotIn(directory, first.key.slot))
          yield* append(store, 0, 300)
          assert.isTrue(yield* cipher.shred(first.key))
          assert.isFalse(yield* cipher.shred(first.key))
          assert.strictEqual((yield* Effect.flip(cipher.open(first.sealed))).reason, "key_destroyed")
          assert.strictEqual((yield* Effect.flip(cipher.shred({ slot: 99, use: 1 }))).reason, "unknown_key")
          assert.deepStrictEqual((yield* cipher.open(second.sealed)).plaintext, envelope)
          return wrapped
        }))
        const left = bytesIn(directory)
        for (const part of [shredded, shredded.subarray(12, 44)]) assert.strictEqual(left.indexOf(part), -1)
      })
  )

  rest.effect(
    "SYS L7 rotates all keys to another master secret, with progress, while it goes on",
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        const copy = yield* temporaryDirectory
        const kept = yield* Effect.scoped(Effect.gen(function*() {
          const store = yield* sealed(directory, keysOf(other, master))
          const cipher = cipherOf(store)
          const kept = yield* cipher.seal(toSeal)
          yield* put(store, 0, 600)
          cpSync(join(directory, "keys"), join(copy, "keys"), { recursive: true })
          const seen: Array<number> = []
          const rotated = yield* cipher.rotate(({ left }) => seen.push(left))
          assert.deepStrictEqual(rotated, { epoch: 2, damaged: 0 })
          assert.deepStrictEqual(seen, [601, 345, 89])
          assert.deepStrictEqual((yield* cipher.open(kept.sealed)).plaintext, envelope)
          assert.strictEqual((yield* store.journal.pieces(-1, 999)).length, 600)
          return kept
        }))
        const store = yield* sealed(directory, keysOf(other))
        assert.deepStrictEqual((yield* cipherOf(store).open(kept.sealed)).plaintext, envelope)
        // Who stole the slots before has no epoch that wraps them.
        cpSync(join(directory, "keys", "epochs"), join(copy, "keys", "epochs"))
        const thief = cipherOf(yield* sealed(copy, keysOf(other, master)))
        assert.strictEqual((yield* Effect.flip(thief.open(kept.sealed))).reason, "slot_damaged")
      })
  )

  rest.effect(
    "SYS L4 refuses an envelope that is larger than half of the ring, and all once it is closed",
    () =>
      Effect.gen(function*() {
        const cipher = yield* Effect.scoped(Effect.gen(function*() {
          const cipher = cipherOf(yield* sealed(yield* temporaryDirectory))
          const refused = yield* Effect.flip(cipher.seal({ ...toSeal, plaintext: new Uint8Array(2 ** 19) }))
          assert.strictEqual(refused.reason, "full")
          return cipher
        }))
        assert.strictEqual((yield* Effect.flip(cipher.seal(toSeal))).reason, "io")
      })
  )
})

describe("the master secret", () => {
  it("SYS L4 is in its cell until it was taken, and no longer", () => {
    const cell = secretCell()
    fillCell(cell, [master, other])
    assert.deepStrictEqual(takeSecrets(cell).map((secret) => [...secret]), [[...master], [...other]])
    assert.isTrue(new Uint8Array(cell).every((byte) => byte === 0))
    assert.deepStrictEqual(takeSecrets(cell), [])
    assert.throws(() => fillCell(cell, [new Uint8Array(1_025)]), RangeError)
    assert.throws(() => fillCell(cell, Array.from({ length: 5 }, () => master)), RangeError)
  })

  rest.effect(
    "SYS L4 is wiped once a store is open and once a rotation has begun, and is in no message",
    () =>
      Effect.gen(function*() {
        const orders: Array<Omit<WriterOrders, "isFirst">> = []
        const store = yield* openIn(yield* temporaryDirectory, {
          keys: keysOf(master),
          startThread: (given) => {
            orders.push(given)
            assert.include(
              Buffer.from(given.secrets ?? assert.fail()).toString("hex"),
              Buffer.from(master).toString("hex")
            )
            return startThread(given)
          }
        })
        const isWiped = () => new Uint8Array(orders[0]?.secrets ?? assert.fail()).every((byte) => byte === 0)
        assert.isTrue(isWiped())
        yield* cipherOf(store).rotate()
        assert.isTrue(isWiped())
        assert.strictEqual(orders.length, 1)
      })
  )
})
