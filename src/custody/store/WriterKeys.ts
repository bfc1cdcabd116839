/**
 * The keyring in the writer's thread: seals pieces of the journal before they are inserted,
 * destroys their keys once they are gone, and does what is asked of it by frames (KeyMessages.ts).
 *
 * Promises that keys are on the disk before the commit that names them, and that a piece's removal
 * is not said to be durable before its key is overwritten on the disk. Between the commit and that,
 * the table `doomed` names the key: whoever opens the database next destroys it.
 *
 * Cost: some 30 µs a piece, and one fsync of the slots for each group that made keys, one for each
 * that destroyed some.
 *
 * **Gotchas**
 *
 * - A process that dies between the sync and the commit leaves keys in use that nothing names: at
 *   most a group of 72 bytes each.
 * - A piece is not authenticated together with its facts: custody holds its hash against them.
 */
import * as Result from "effect/Result"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import type { Aead } from "../../host/port/Aead.ts"
import type { Randomness } from "../../host/port/Randomness.ts"
import { EncryptionError } from "../encryption/EncryptionError.ts"
import { Keyring } from "../encryption/Keyring.ts"
import { type KeyName, open, type Purpose, seal } from "../encryption/Sealed.ts"
import type { JournalPiece } from "../ledger/LedgerStore.ts"
import { syncDirectory } from "./DurableFile.ts"
import { type KeyFile, openKeyFile } from "./KeyFile.ts"
import type { KeyAnswer, KeyOrder } from "./KeyMessages.ts"
import type { StoredPiece } from "./Readings.ts"
import { takeSecrets } from "./SecretCell.ts"

/** Slots that a rotation looks at between two groups: some 5 ms. */
const slotsAtOnce = 256

export interface WriterKeysParts {
  /** Where the files are; made with mode 0700 where it is not there. */
  readonly directory: string
  /** The master secrets; empty but when a thread starts or a rotation is ordered. */
  readonly cell: SharedArrayBuffer
  readonly aead: Aead["Service"]
  readonly randomness: Randomness["Service"]
  /** Rows of the journal with a larger key. */
  readonly readPieces: (after: number, limit: number) => ReadonlyArray<StoredPiece>
  /** A piece that is lost to its key: it was destroyed, or does not open it. */
  readonly onLost: (key: number, message: string) => void
  /** Of a test: the most slots. */
  readonly limit?: number
}

/** A piece's content as its row has it. */
export interface SealedContent {
  readonly content: Uint8Array
  readonly name: KeyName
}

export class WriterKeys {
  readonly #parts: WriterKeysParts
  readonly #ring: Keyring
  readonly #files: ReadonlyArray<KeyFile>
  /** Keys that were made since the last commit: nothing names them where it does not come. */
  readonly #made: Array<KeyName> = []
  /** The order of the rotation that goes on, and the keys that did not open in it. */
  #rotation: { readonly request: number | null; damaged: number } | null

  private constructor(parts: WriterKeysParts, ring: Keyring, files: ReadonlyArray<KeyFile>) {
    this.#parts = parts
    this.#ring = ring
    this.#files = files
    this.#rotation = ring.isRotating ? { request: null, damaged: 0 } : null
  }

  /** Opens the files under the secrets in the cell, which is wiped. Throws an EncryptionError. */
  static open(parts: WriterKeysParts): WriterKeys {
    const [current, ...former] = takeSecrets(parts.cell)
    if (current === undefined) throw noSecret
    const files: Array<KeyFile> = []
    try {
      mkdirSync(parts.directory, { recursive: true, mode: 0o700 })
      syncDirectory(join(parts.directory, ".."))
      const [slots, epochs] = ["slots", "epochs"].map((name) => {
        const file = openKeyFile(join(parts.directory, name))
        files.push(file)
        return file
      }) as [KeyFile, KeyFile]
      return new WriterKeys(parts, thrown(Keyring.open({ ...parts, slots, epochs }, [current, ...former])), files)
    } catch (cause) {
      for (const { close } of files) close()
      throw cause
    } finally {
      for (const secret of [current, ...former]) secret.fill(0)
    }
  }

  /** Seals a piece under a new key; null where no further key fits. Throws an EncryptionError. */
  sealPiece(key: number, content: Uint8Array): SealedContent | null {
    const made = this.#seal("journal", { tenant: "", signature: String(key) }, content)
    if (Result.isSuccess(made)) return made.success
    if (made.failure.reason !== "full") throw made.failure
    this.#parts.onLost(key, made.failure.message)
    return null
  }

  /** Has the keys that were made on the disk. To be called before the commit that names them. */
  syncMade(): void {
    if (this.#made.length > 0) thrown(this.#ring.sync())
  }

  /** The commit that names the keys was made. */
  keepMade(): void {
    this.#made.length = 0
  }

  /** The commit was not made. Throws nothing: a key that stays in use is named by nobody. */
  destroyMade(): void {
    for (const name of this.#made) this.#ring.destroy(name)
    this.#made.length = 0
  }

  /** Destroys keys, which are overwritten on the disk when this returns. */
  destroy(names: ReadonlyArray<KeyName>): void {
    for (const name of names) {
      const destroyed = this.#ring.destroy(name)
      // A slot that was never given out has no key: somebody else's file was put here.
      if (Result.isFailure(destroyed) && destroyed.failure.reason !== "unknown_key") throw destroyed.failure
    }
    thrown(this.#ring.sync())
  }

  /** Does what a frame asks for. What fails is an answer; of a rotation more of them follow. */
  answer(request: number, order: KeyOrder, bytes: Uint8Array): KeyAnswer {
    switch (order.kind) {
      case "seal": {
        const made = Result.flatMap(
          this.#seal("envelope", order, bytes),
          (sealed) => Result.map(this.#ring.sync(), () => sealed)
        )
        if (Result.isSuccess(made)) this.keepMade()
        else this.destroyMade()
        return answerOf(made, ({ content, name }) => ({ kind: "sealed", key: name, sealed: content }))
      }
      case "open":
        return answerOf(
          open(bytes, "envelope", (name) => this.#ring.find(name), this.#parts.aead),
          (opened) => ({ kind: "opened", ...opened })
        )
      case "destroy": {
        const destroyed = Result.flatMap(
          this.#ring.destroy(order.key),
          (wasThere) => Result.map(this.#ring.sync(), () => wasThere)
        )
        return answerOf(destroyed, (wasThere) => ({ kind: "destroyed", wasThere }))
      }
      case "pieces":
        return { kind: "pieces", pieces: this.#pieces(order.after, order.limit) }
      case "rotate":
        return this.#beginRotation(request)
    }
  }

  /** Keys in use. */
  get living(): number {
    return this.#ring.living
  }

  /** Whether `step` has work. */
  get isRotating(): boolean {
    return this.#rotation !== null
  }

  /** Goes on with a rotation: what to say to whom, if anybody asked for it. */
  step(): { readonly request: number; readonly answer: KeyAnswer } | null {
    const rotation = this.#rotation
    if (rotation === null) return null
    const rewrapped = this.#ring.rewrap(slotsAtOnce)
    if (Result.isFailure(rewrapped) || rewrapped.success.left === 0) this.#rotation = null
    if (Result.isSuccess(rewrapped)) rotation.damaged += rewrapped.success.damaged
    if (rotation.request === null) return null
    const answer = answerOf(
      rewrapped,
      ({ left }): KeyAnswer =>
        left > 0 ? { kind: "rotating", left } : { kind: "rotated", epoch: this.#ring.epoch, damaged: rotation.damaged }
    )
    return { request: rotation.request, answer }
  }

  close(): void {
    this.#ring.close()
    for (const { close } of this.#files) close()
  }

  #seal(
    purpose: Purpose,
    { signature, tenant }: { readonly tenant: string; readonly signature: string },
    content: Uint8Array
  ): Result.Result<SealedContent, EncryptionError> {
    return Result.map(this.#ring.create(), ({ key, name }) => {
      this.#made.push(name)
      try {
        return { name, content: seal({ purpose, tenant, signature, key: name }, key, content, this.#parts) }
      } finally {
        key.fill(0)
      }
    })
  }

  #beginRotation(request: number): KeyAnswer {
    const secrets = takeSecrets(this.#parts.cell)
    const [current] = secrets
    const begun = current === undefined ? Result.fail(noSecret) : this.#ring.beginRotation(current)
    for (const secret of secrets) secret.fill(0)
    if (Result.isSuccess(begun)) this.#rotation = { request, damaged: 0 }
    return answerOf(begun, () => ({ kind: "rotating", left: this.#ring.living }))
  }

  /** Rows that open, until there are `limit` of them; the others are told of. */
  #pieces(after: number, limit: number): ReadonlyArray<JournalPiece> {
    const found: Array<JournalPiece> = []
    for (let last = after; found.length < limit;) {
      const rows = this.#parts.readPieces(last, limit - found.length)
      for (const row of rows) {
        last = row.key
        const content = row.name === null ? row.content : this.#openPiece(row)
        if (content !== null) found.push({ key: row.key, facts: row.facts, content })
      }
      if (rows.length === 0) break
    }
    return found
  }

  #openPiece({ content, key }: StoredPiece): Uint8Array | null {
    const opened = open(content, "journal", (name) => this.#ring.find(name), this.#parts.aead)
    if (Result.isSuccess(opened) && opened.success.header.signature === String(key)) return opened.success.plaintext
    this.#parts.onLost(key, Result.isFailure(opened) ? opened.failure.message : "it was sealed as another piece")
    return null
  }
}

const noSecret = new EncryptionError({
  reason: "bad_secret",
  message: "the master secret did not reach the writer: ask again"
})

const answerOf = <A>(result: Result.Result<A, EncryptionError>, answer: (value: A) => KeyAnswer): KeyAnswer => {
  if (Result.isSuccess(result)) return answer(result.success)
  const { message, reason } = result.failure
  return { kind: "failed", reason, message }
}

/** The value, or the failure thrown: a group goes back by it. */
const thrown = <A>(result: Result.Result<A, EncryptionError>): A => {
  if (Result.isSuccess(result)) return result.success
  throw result.failure
}
