/**
 * Cold storage's directory as a place of evidence: envelopes, plain or sealed, by their ids.
 *
 * Promises that a listing reads at most 4 KiB of each file, and keeps none of it, however many
 * files there are; that only regular files are opened, through no link; and that a name that is no
 * id of ours is passed over unread and unprinted.
 *
 * Cost: some 20 µs a file, on the caller's turn, which it leaves after each batch of names.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs"
import { opendir } from "node:fs/promises"
import { join } from "node:path"
import { extension } from "../../../custody/coldstorage/FileEndpoint.ts"
import { isSealed, maxHeaderBytes, readHeader } from "../../../custody/encryption/Sealed.ts"
import { EnvelopeError, readSummary, summaryBytes } from "../../../custody/evidence/Envelope.ts"
import { threatCategories, type ThreatCategory } from "../../../domain/Scent.ts"
import { type EvidenceBatch, type EvidenceItem, type EvidenceSource, EvidenceUnavailable } from "./EvidenceSource.ts"

/** A secure id: a UUIDv7 and eight more digits (CONFORMANCE D9). */
const ids = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}-[0-9a-f]{8}$/

/** Whether a text may be the id of a piece. */
export const isId = (text: string): boolean => ids.test(text)

/** Names that are read at once. */
const batchNames = 256

/**
 * The most bytes of a file that is opened: evidence of 256 MiB, stored, and what stands around it.
 */
const maxFile = 268_435_456 + 65_536

/** The time in an id, in ms since the epoch. */
const timeOf = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)

/** Opens no link, and waits for no writer of a FIFO. */
const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** Reads up to `most` bytes of a regular file, and its length; throws where it is none. */
const readBeginning = (path: string, most: number): { readonly bytes: Uint8Array; readonly length: number } => {
  const fd = openSync(path, flags)
  try {
    const info = fstatSync(fd)
    if (!info.isFile()) throw new TypeError("it is no regular file")
    const bytes = new Uint8Array(Math.min(most, info.size))
    let at = 0
    while (at < bytes.length) {
      const read = readSync(fd, bytes, at, bytes.length - at, at)
      if (read === 0) break
      at += read
    }
    return { bytes: bytes.subarray(0, at), length: info.size }
  } finally {
    closeSync(fd)
  }
}

const isCategory = (text: string): text is ThreatCategory => threatCategories.some((name) => name === text)

const sealedItem = (id: string, bytes: Uint8Array, length: number): EvidenceItem | string => {
  const header = readHeader(bytes, length)
  if (Result.isFailure(header)) return header.failure.message
  const { signature } = header.success
  const [category = "", hex = ""] = signature.split(":")
  if (!isCategory(category) || !/^[0-9a-f]{64}$/.test(hex)) return "this sealed piece names no signature"
  return {
    id,
    where: "cold",
    isSealed: true,
    time: timeOf(id),
    signature: `${category}:${hex}`,
    category,
    severity: null,
    size: null,
    stored: length,
    hash: null,
    source: null,
    scentId: null,
    codec: null
  }
}

/** What the beginning of a file says of its evidence, or why it says nothing. Pure. */
const itemOf = (id: string, bytes: Uint8Array, length: number): EvidenceItem | string => {
  if (isSealed(bytes)) return sealedItem(id, bytes, length)
  const summary = readSummary(bytes, length)
  if (summary instanceof EnvelopeError) return summary.message
  const { codec, record: { captured, category, hash, scent, severity, signature, size } } = summary
  return {
    id,
    where: "cold",
    isSealed: false,
    time: captured,
    signature,
    category,
    severity,
    size,
    stored: length,
    hash,
    source: scent.source,
    scentId: scent.id,
    codec
  }
}

const beginning = Math.max(summaryBytes, maxHeaderBytes)

/** The host's code in what a file operation threw. */
const codeOf = (thrown: unknown): string =>
  thrown instanceof Error && "code" in thrown ? String(thrown.code) : "it is no regular file"

async function* batchesOf(directory: string): AsyncGenerator<EvidenceBatch> {
  let items: Array<EvidenceItem> = []
  let unreadable = 0
  let names = 0
  for await (const { name } of await opendir(directory, { bufferSize: batchNames })) {
    const id = name.slice(0, -extension.length)
    if (name.endsWith(extension) && isId(id)) {
      const item = tryRead(directory, id)
      if (typeof item === "string") unreadable += 1
      else items.push(item)
    }
    names += 1
    if (names < batchNames) continue
    yield { items, unreadable }
    items = []
    unreadable = 0
    names = 0
  }
  yield { items, unreadable }
}

const tryRead = (directory: string, id: string): EvidenceItem | string => {
  try {
    const { bytes, length } = readBeginning(join(directory, `${id}${extension}`), beginning)
    return itemOf(id, bytes, length)
  } catch (thrown) {
    return codeOf(thrown)
  }
}

const notFound = (id: string) =>
  new EvidenceUnavailable({
    reason: "not_found",
    message: `there is no evidence ${id}: \`evidence list\` shows what there is`
  })

/** Evidence in this directory, which `make` does not look at. */
export const make = (directory: string): EvidenceSource => {
  const read = (id: string, most: number) =>
    Effect.try({
      try: () => readBeginning(join(directory, `${id}${extension}`), most),
      catch: (thrown) =>
        codeOf(thrown) === "ENOENT"
          ? notFound(id)
          : new EvidenceUnavailable({ reason: "io", message: `the file of ${id} cannot be read: ${codeOf(thrown)}` })
    })
  return {
    batches: Stream.fromAsyncIterable(
      batchesOf(directory),
      (thrown) =>
        new EvidenceUnavailable({ reason: "io", message: `the directory cannot be read to its end: ${codeOf(thrown)}` })
    ),
    find: Effect.fn("ColdDirectory.find")(function*(id) {
      if (!isId(id)) return yield* notFound("of this id")
      const { bytes, length } = yield* read(id, beginning)
      const item = itemOf(id, bytes, length)
      return typeof item === "string" ? yield* new EvidenceUnavailable({ reason: "refused", message: item }) : item
    }),
    open: Effect.fn("ColdDirectory.open")(function*(id) {
      if (!isId(id)) return yield* notFound("of this id")
      const { bytes, length } = yield* read(id, maxFile)
      if (length > maxFile) {
        const message = `the file of ${id} is larger than any envelope: ${length} bytes`
        return yield* new EvidenceUnavailable({ reason: "refused", message })
      }
      if (isSealed(bytes)) {
        const message = "this evidence is encrypted: only a program with its keys can open it"
        return yield* new EvidenceUnavailable({ reason: "sealed", message })
      }
      // With the codecs of this host, which a listing does without.
      const { openEnvelopeEffect } = yield* Effect.promise(() => import("../../../runtime/openEnvelope.ts"))
      return yield* openEnvelopeEffect(bytes).pipe(
        Effect.mapError(({ message }) => new EvidenceUnavailable({ reason: "refused", message })),
        // The body of a stored envelope is the evidence itself.
        Effect.ensuring(Effect.sync(() => bytes.fill(0)))
      )
    })
  }
}
