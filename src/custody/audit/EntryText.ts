/**
 * Custody's entries as text: the bytes that a record's hash covers (spec/ledger.md, "Custody's
 * entries"; CONFORMANCE A2).
 *
 * The text is canonical JSON, written byte by byte into one buffer, and a zero byte before it, as
 * RFC 6962 hashes a leaf. Records that follow one another mostly differ in digits alone: then only
 * those are written, and what is around them stays. Allocates nothing once it has seen a length.
 *
 * **Gotchas**
 *
 * - The fields stand in the order of RFC 8785. A field that is added has to be put in its place.
 */
import { digestBytes } from "../../domain/Digest.ts"
import { threatCategories } from "../../domain/Scent.ts"
import { severities } from "../../domain/Severity.ts"
import { type Destination, maxDestinationText } from "./AuditLog.ts"
import { field, getU64, isSoundRow, purgeReasons, type Rows, statuses } from "./AuditRow.ts"

const utf8 = new TextEncoder()
const bytesOf = (text: string): Uint8Array => utf8.encode(text)

/** What stands between the fields whose values change. */
const part = {
  heads: statuses.map((status) => bytesOf(`{"action":"${status}","actor":"tracehound",`)),
  compressedSize: bytesOf("\"compressedSize\":"),
  destination: bytesOf("\"destination\":"),
  comma: bytesOf(","),
  id: bytesOf("\"id\":\""),
  payloadHash: bytesOf("\",\"payloadHash\":\""),
  previous: bytesOf("\",\"previous\":\""),
  quote: bytesOf("\","),
  capacity: bytesOf("\"reason\":\"capacity\","),
  reasons: purgeReasons.map((reason) => bytesOf(`"reason":"${reason}",`)),
  sequence: bytesOf("\"sequence\":"),
  severities: severities.map((severity) => bytesOf(`"severity":"${severity}",`)),
  signatures: threatCategories.map((category) => bytesOf(`"signature":"${category}:`)),
  size: bytesOf("\",\"size\":"),
  time: bytesOf(",\"time\":"),
  end: bytesOf("}")
} as const

/** The two digits of each byte, as one number of 16 bits. */
const digitPairs = Uint16Array.from(
  { length: 256 },
  (_, byte) => {
    const [high = 0, low = 0] = bytesOf(byte.toString(16).padStart(2, "0"))
    return (high << 8) | low
  }
)

/** Places of the hyphens in an id, and its characters. */
const idHyphens = [8, 13, 18, 23, 36]
const idLength = 45

/** More than all that is not the destination. */
const restBytes = 640

/** Texts of up to so many bytes have a view that is kept. */
const keptViews = 1_024

const ZERO = 0x30
const billion = 1_000_000_000

/** Writes one text at a time. */
export class EntryText {
  private readonly bytes = new Uint8Array(restBytes + maxDestinationText)
  private readonly view = new DataView(this.bytes.buffer)
  private readonly views: Array<Uint8Array<ArrayBuffer> | undefined> = []
  // Of the text in the buffer: what it was laid out for, and where its digits are.
  private word = 0
  private destination: Destination | null = null
  private compressedSize = 0
  private sequenceDigits = 0
  /** The least sequence with as many digits, and the least with more. */
  private sequenceFrom = 0
  private sequenceEnd = 0
  private idAt = 0
  private hashAt = 0
  private previousAt = 0
  private sequenceAt = 0
  private digestAt = 0
  private sizeAt = 0
  /** The size and the time in the buffer, and the place behind them. */
  private size = -1
  private time = -1
  private end = 0

  /**
   * A zero byte and the text of the record in the row at `at`, or null where no record has such a
   * row. The bytes are valid until the next call. `previous` has the hash of the record before from
   * `previousAt` on.
   */
  write(
    rows: Rows,
    at: number,
    sequence: number,
    previous: Uint8Array,
    previousAt: number,
    destination: Destination
  ): Uint8Array | null {
    const { rows: source, view } = rows
    if (!this.isLaidOut(rows, at, sequence, destination) && !this.layOut(rows, at, sequence, destination)) return null
    const { idAt } = this
    const id = at + field.id
    this.hex(idAt, source, id, 4)
    this.hex(idAt + 9, source, id + 4, 2)
    this.hex(idAt + 14, source, id + 6, 2)
    this.hex(idAt + 19, source, id + 8, 2)
    this.hex(idAt + 24, source, id + 10, 6)
    this.hex(idAt + 37, source, id + 16, 4)
    this.hex(this.hashAt, source, at + field.hash, digestBytes)
    this.hex(this.previousAt, previous, previousAt, digestBytes)
    this.hex(this.digestAt, source, at + field.digest, digestBytes)
    this.digits(this.sequenceAt, sequence, this.sequenceDigits)
    const size = getU64(view, at + field.size)
    const time = view.getFloat64(at + field.time)
    if (Object.is(time, -0)) return null
    if (size !== this.size || time !== this.time) {
      this.size = size
      this.time = time
      this.end = this.put(this.number(this.put(this.number(this.sizeAt, size), part.time), time), part.end)
    }
    const { end } = this
    if (end >= keptViews) return this.bytes.subarray(0, end)
    return this.views[end] ??= this.bytes.subarray(0, end)
  }

  /** Whether all that is not digits of this record is in the buffer already. */
  private isLaidOut({ view }: Rows, at: number, sequence: number, destination: Destination): boolean {
    return view.getInt32(at) === this.word && destination === this.destination &&
      sequence >= this.sequenceFrom && sequence < this.sequenceEnd &&
      getU64(view, at + field.compressedSize) === this.compressedSize
  }

  /** Writes all that is not digits; false where the row is none. */
  private layOut(rows: Rows, at: number, sequence: number, destination: Destination): boolean {
    if (!isSoundRow(rows, at, destination.text !== null)) return false
    const { rows: source, view } = rows
    const severity = source[at + field.severity] ?? 0
    const reason = source[at + field.reason] ?? 0
    const status = statuses[(source[at + field.status] ?? 0) - 1]
    this.word = view.getInt32(at)
    this.destination = destination
    this.compressedSize = getU64(view, at + field.compressedSize)
    this.sequenceDigits = digitsOf(sequence)
    this.sequenceFrom = this.sequenceDigits === 1 ? 0 : 10 ** (this.sequenceDigits - 1)
    this.sequenceEnd = 10 ** this.sequenceDigits
    this.size = -1
    let end = this.put(1, part.heads[(source[at + field.status] ?? 0) - 1])
    if (status === "evacuated")
      end = this.put(this.number(this.put(end, part.compressedSize), this.compressedSize), part.comma)
    if (status === "evacuated" || severity > 0)
      end = this.put(this.put(this.put(end, part.destination), destination.json), part.comma)
    this.idAt = this.put(end, part.id)
    for (const hyphen of idHyphens) this.bytes[this.idAt + hyphen] = 0x2d
    this.hashAt = this.put(this.idAt + idLength, part.payloadHash)
    this.previousAt = this.put(this.hashAt + 2 * digestBytes, part.previous)
    end = this.put(this.previousAt + 2 * digestBytes, part.quote)
    if (status === "evicted") end = this.put(end, part.capacity)
    if (reason > 0) end = this.put(end, part.reasons[reason - 1])
    this.sequenceAt = this.put(end, part.sequence)
    end = this.put(this.sequenceAt + this.sequenceDigits, part.comma)
    if (severity > 0) end = this.put(end, part.severities[severity - 1])
    this.digestAt = this.put(end, part.signatures[(source[at + field.category] ?? 0) - 1])
    this.sizeAt = this.put(this.digestAt + 2 * digestBytes, part.size)
    return true
  }

  /** Writes bytes, and gives the place behind them. */
  private put(at: number, bytes: Uint8Array = part.comma): number {
    for (let i = 0; i < bytes.length; i++) this.bytes[at + i] = bytes[i] ?? 0
    return at + bytes.length
  }

  /** Writes the digits of bytes. */
  private hex(at: number, source: Uint8Array, from: number, count: number): void {
    const { view } = this
    for (let i = 0; i < count; i++) view.setUint16(at + 2 * i, digitPairs[source[from + i] ?? 0] ?? 0)
  }

  /** Writes a number as JSON has it, and gives the place behind it. */
  private number(at: number, value: number): number {
    if (Number.isSafeInteger(value) && value >= 0) {
      const count = digitsOf(value)
      this.digits(at, value, count)
      return at + count
    }
    return this.put(at, bytesOf(String(value)))
  }

  /** Writes the digits of a whole number from 0 to 2^53 - 1, of which there are so many. */
  private digits(at: number, value: number, count: number): void {
    let end = at + count
    let rest = value
    if (rest >= billion) {
      const high = Math.floor(rest / billion)
      let low = rest - high * billion
      for (let i = 0; i < 9; i++) {
        const tenth = (low / 10) | 0
        this.bytes[--end] = ZERO + low - tenth * 10
        low = tenth
      }
      rest = high
    }
    while (end > at) {
      const tenth = (rest / 10) | 0
      this.bytes[--end] = ZERO + rest - tenth * 10
      rest = tenth
    }
  }
}

/** The digits of a whole number from 0 to 2^53 - 1. */
const digitsOf = (value: number): number => {
  let count = 1
  for (let limit = 10; value >= limit; limit *= 10) count += 1
  return count
}
