/**
 * What spec/ledger.md says of records, followed by hand: another implementation of the chain, which
 * has nothing of the code that it is compared with.
 */
import { assert, describe, it } from "@effect/vitest"
import { Buffer } from "node:buffer"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "../../..")
const document = readFileSync(join(root, "spec/ledger.md"), "utf8")

interface Checkpoint {
  readonly length: number
  readonly head: string
  readonly hash: string
}

interface Run {
  readonly name: string
  readonly anchor?: string
  readonly from?: number
  readonly records: ReadonlyArray<unknown>
  readonly head?: string
}

interface Good extends Run {
  readonly texts: ReadonlyArray<string>
  readonly head: string
  readonly checkpoint: Checkpoint
}

const vectors = JSON.parse(readFileSync(join(root, "spec/vectors/audit.json"), "utf8")) as {
  readonly version: number
  readonly specification: string
  readonly good: ReadonlyArray<Good>
  readonly bad: ReadonlyArray<Run & { readonly firstBroken: number }>
}

// "Records".

type Fields = Readonly<Record<string, unknown>>
type Check = (value: unknown) => boolean

const genesis = "0".repeat(64)
const categories = ["injection", "ddos", "flood", "spam", "malware", "unknown"]
const severities = ["low", "medium", "high", "critical"]
const statuses = ["neutralized", "evacuated", "transferred", "evicted", "purged"]
const purgeReasons = ["timeout", "error", "abort", "panic"]

const isWhole: Check = (value) => typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 53
const isFinite: Check = (value) => typeof value === "number" && Number.isFinite(value)
const isText: Check = (value) =>
  typeof value === "string" && !/\p{Surrogate}/u.test(value) && Buffer.byteLength(value) <= 4_096
const fits = (pattern: RegExp): Check => (value) => typeof value === "string" && pattern.exec(value)?.[0] === value
const oneOf = (values: ReadonlyArray<unknown>): Check => (value) => values.includes(value)
const isHash = fits(/[0-9a-f]{64}/)

const common = {
  id: fits(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}-[0-9a-f]{8}/),
  signature: fits(/(injection|ddos|flood|spam|malware|unknown):[0-9a-f]{64}/),
  hash: isHash,
  size: isWhole,
  timestamp: isFinite,
  previousHash: isHash,
  status: oneOf(statuses)
}

const further: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  neutralized: {},
  evacuated: { compressedSize: isWhole, destination: isText },
  transferred: {},
  evicted: {
    severity: oneOf(severities),
    reason: oneOf(["capacity"]),
    destination: (value) => value === null || isText(value)
  },
  purged: {
    severity: oneOf(severities),
    reason: oneOf(purgeReasons),
    destination: (value) => value === null || isText(value)
  }
}

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** These fields, each as it must be, and no others. */
const has = (value: Fields, fields: Readonly<Record<string, Check>>): boolean =>
  Object.keys(value).length === Object.keys(fields).length &&
  Object.entries(fields).every(([field, check]) => Object.hasOwn(value, field) && check(value[field]))

const isEntry: Check = (value) =>
  isObject(value) && oneOf(statuses)(value["status"]) &&
  has(value, { ...common, ...further[String(value["status"])] })

interface Entry {
  readonly id: string
  readonly signature: string
  readonly hash: string
  readonly size: number
  readonly timestamp: number
  readonly previousHash: string
  readonly status: string
  readonly compressedSize?: number
  readonly severity?: string
  readonly reason?: string
  readonly destination?: string | null
}

interface Link {
  readonly sequence: number
  readonly previousHash: string
  readonly hash: string
  readonly entry: Entry
}

const isLink = (value: unknown): value is Link =>
  isObject(value) && has(value, { sequence: isWhole, previousHash: isHash, hash: isHash, entry: isEntry })

// "Custody's entries" and "Checkpoints of a chain in memory".

const sha256 = (...parts: ReadonlyArray<Uint8Array>): string =>
  createHash("sha256").update(Buffer.concat(parts)).digest("hex")
const whole = (value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

/** The fields in the order of the alphabet, as the document lists them. */
const textOf = (sequence: number, { hash, previousHash, status, timestamp, ...rest }: Entry): string => {
  const fields = {
    ...rest,
    action: status,
    actor: "tracehound",
    payloadHash: hash,
    previous: previousHash,
    sequence,
    time: timestamp
  }
  return JSON.stringify(Object.fromEntries(Object.entries(fields).toSorted(([a], [b]) => a < b ? -1 : 1)))
}

const hashOf = (text: string): string => sha256(Buffer.of(0), Buffer.from(text))

const checkpointOf = (length: number, head: string): Checkpoint => ({
  length,
  head,
  hash: sha256(Buffer.from("54484b31", "hex"), whole(length), Buffer.from(head, "hex"))
})

// "Verifying".

interface Answer {
  readonly firstBroken: number | null
  /** The head that was found. */
  readonly head: string
}

const verify = ({ anchor = genesis, from = 0, records }: Run, known?: string): Answer => {
  let head = anchor
  let sequence = from
  for (const record of records) {
    if (
      !isLink(record) || record.sequence !== sequence || record.previousHash !== head ||
      record.entry.previousHash !== head || record.hash !== hashOf(textOf(sequence, record.entry))
    ) { return { firstBroken: sequence, head } }
    head = record.hash
    sequence += 1
  }
  return { firstBroken: known === undefined || known === head ? null : sequence, head }
}

const links = ({ records }: Run): ReadonlyArray<Link> =>
  records.map((record) => isLink(record) ? record : assert.fail(JSON.stringify(record)))

/** The document's blocks of this language. */
const blocks = (language: string): ReadonlyArray<string> =>
  [...document.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)\\n^\`\`\``, "gms"))].map(([, inside = ""]) => inside)

describe("spec/ledger.md, followed by hand", () => {
  it.each(vectors.good)("RFC A1 holds: $name", (vector) => {
    assert.deepStrictEqual(verify(vector), { firstBroken: null, head: vector.head })
    assert.deepStrictEqual(verify(vector, vector.head), { firstBroken: null, head: vector.head })
  })

  it.each(vectors.bad)("RFC A1 is broken: $name", (vector) => {
    assert.strictEqual(verify(vector, vector.head).firstBroken, vector.firstBroken)
  })

  it.each(vectors.good)("RFC A2 has these texts and this checkpoint: $name", (vector) => {
    const { checkpoint, from = 0, head, records, texts } = vector
    assert.deepStrictEqual(links(vector).map(({ entry, sequence }) => textOf(sequence, entry)), texts)
    assert.deepStrictEqual(checkpoint, checkpointOf(from + records.length, head))
  })

  it.each(vectors.good)("RFC A1 a run that is cut off is found by a reader who knows the head: $name", (vector) => {
    const { from = 0, head, records } = vector
    for (let length = 0; length < records.length; length++) {
      const cut = { ...vector, records: records.slice(0, length) }
      assert.isNull(verify(cut).firstBroken)
      assert.strictEqual(verify(cut, head).firstBroken, from + length)
    }
  })

  it("RFC A1 every record that begins after a checkpoint can begin a run", () => {
    for (const vector of vectors.good) {
      for (const [at, { previousHash, sequence }] of links(vector).entries()) {
        const run = { name: "", anchor: previousHash, from: sequence, records: vector.records.slice(at) }
        assert.deepStrictEqual(verify(run), { firstBroken: null, head: vector.head })
      }
    }
  })
})

describe("spec/ledger.md", () => {
  const [first] = vectors.good
  const [one, two] = links(first ?? assert.fail("no vector"))

  it("RFC A2 its example is the first of the vectors, to the byte", () => {
    const [text = "", digest] = blocks("text").slice(-2).map((block) => block.trim())
    assert.strictEqual(text, first?.texts[0])
    assert.include(document, `The text of the first has ${Buffer.byteLength(text)} bytes:`)
    assert.strictEqual(digest, hashOf(text))
    assert.strictEqual(digest, one?.hash)
    assert.strictEqual(digest, two?.previousHash)
  })

  it("RFC A2 its example's records and checkpoint are those of the vector, and its evidence has the hash that it names", () => {
    const shown = blocks("json")[0]?.split("\n")
    assert.deepStrictEqual(shown, [one, two, first?.checkpoint].map((value) => JSON.stringify(value)))
    for (const [text, link] of [["' OR 1=1 --", one], ["second", two]] as const) {
      assert.include(document, `\`${text}\`, ${link?.entry.size} bytes,`)
      assert.strictEqual(link?.entry.hash, sha256(Buffer.from(text)))
    }
  })

  it("RFC A2 names every status, category, severity and reason, and the pattern of an id", () => {
    for (const name of [...statuses, ...categories, ...severities, ...purgeReasons])
      assert.include(document, `\`${name}\``)
    const pattern = fits(new RegExp(blocks("text").find((block) => block.startsWith("[0-9a-f]")) ?? ""))
    for (const vector of vectors.good) for (const { entry } of links(vector)) assert.isTrue(pattern(entry.id))
    assert.strictEqual(vectors.specification, "spec/ledger.md")
    assert.include(document, `This is version ${vectors.version} of the format.`)
  })
})
