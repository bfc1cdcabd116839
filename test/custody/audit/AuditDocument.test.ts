/**
 * spec/audit.md followed by hand: another implementation of the chain, which has nothing of the
 * code that it is compared with.
 */
import { assert, describe, it } from "@effect/vitest"
import { Buffer } from "node:buffer"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "../../..")
const document = readFileSync(join(root, "spec/audit.md"), "utf8")

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
  readonly rows: ReadonlyArray<string>
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
const isText: Check = (value) => typeof value === "string" && !/\p{Surrogate}/u.test(value)
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

// "Row" and "Checkpoints".

const sha256 = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex")
const whole = (value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}
const double = (value: number): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return bytes
}

const rowOf = (sequence: number, entry: Entry): Buffer => {
  const [category = "", digest = ""] = entry.signature.split(":")
  const { compressedSize, destination = null, reason = "", severity, status } = entry
  const text = Buffer.from(destination ?? "", "utf8")
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  return Buffer.concat([
    Buffer.from("54484133", "hex"),
    Buffer.from(entry.previousHash, "hex"),
    whole(sequence),
    Buffer.of(
      1 + statuses.indexOf(status),
      1 + categories.indexOf(category),
      severity === undefined ? 0 : 1 + severities.indexOf(severity),
      (compressedSize === undefined ? 0 : 1) + (destination === null ? 0 : 2) +
        16 * (status === "purged" ? 1 + purgeReasons.indexOf(reason) : 0)
    ),
    double(entry.timestamp),
    whole(entry.size),
    whole(compressedSize ?? 0),
    Buffer.from(entry.hash, "hex"),
    Buffer.from(digest, "hex"),
    Buffer.from(entry.id.replaceAll("-", ""), "hex"),
    length,
    text
  ])
}

const checkpointOf = (length: number, head: string): Checkpoint => ({
  length,
  head,
  hash: sha256(Buffer.concat([Buffer.from("54484b31", "hex"), whole(length), Buffer.from(head, "hex")]))
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
      record.entry.previousHash !== head || record.hash !== sha256(rowOf(sequence, record.entry))
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

/** The bytes of a dump: lines of an offset, up to 16 bytes in hexadecimal, and words. */
const undump = (dump: string): Buffer => {
  let bytes = Buffer.alloc(0)
  for (const line of dump.split("\n")) {
    const [, offset, hex = ""] = /^ *(\d+) {2}((?:[0-9a-f]{2} ?){1,16})/.exec(line) ?? assert.fail(line)
    assert.strictEqual(Number(offset), bytes.length)
    bytes = Buffer.concat([bytes, Buffer.from(hex.replaceAll(" ", ""), "hex")])
  }
  return bytes
}

describe("spec/audit.md, followed by hand", () => {
  it.each(vectors.good)("RFC A1 holds: $name", (vector) => {
    assert.deepStrictEqual(verify(vector), { firstBroken: null, head: vector.head })
    assert.deepStrictEqual(verify(vector, vector.head), { firstBroken: null, head: vector.head })
  })

  it.each(vectors.bad)("RFC A1 is broken: $name", (vector) => {
    assert.strictEqual(verify(vector, vector.head).firstBroken, vector.firstBroken)
  })

  it.each(vectors.good)("RFC A2 has these rows and this checkpoint: $name", (vector) => {
    const { checkpoint, from = 0, head, records, rows } = vector
    assert.deepStrictEqual(links(vector).map(({ entry, sequence }) => rowOf(sequence, entry).toString("hex")), rows)
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

describe("spec/audit.md", () => {
  const [first] = vectors.good
  const [one, two] = links(first ?? assert.fail("no vector"))

  it("RFC A2 its example is the first of the vectors, to the byte", () => {
    const [, dump = "", digest] = blocks("text")
    const row = undump(dump)
    assert.strictEqual(row.toString("hex"), first?.rows[0])
    assert.include(document, `The row of the first has ${row.length} bytes.`)
    assert.strictEqual(digest, sha256(row))
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

  it("RFC A2 its dump names each field where the table of rows has it", () => {
    const table = /^## Row\n.*?\n\n(\| at .*?)\n\n/ms.exec(document)?.[1] ?? assert.fail("no table")
    const places = [...table.matchAll(/^\| (\d+) \| /gm)].map(([, at]) => at)
    const named = [...(blocks("text")[1] ?? "").matchAll(/^ *(\d+) {2}.{47} \S/gm)].map(([, at]) => at)
    assert.strictEqual(places.length, 15)
    assert.deepStrictEqual(named, places)
  })

  it("RFC A2 names every status, category, severity and reason with its number, and the pattern of an id", () => {
    const numbered = (names: ReadonlyArray<string>) => names.map((name, at) => `${at + 1} ${name}`).join(", ")
    assert.include(document, `status: ${numbered(statuses)} |`)
    assert.include(document, `category: ${numbered(categories)} |`)
    assert.include(document, `severity: 0 not in this record, ${numbered(severities)} |`)
    assert.include(document, `16 times the reason of a purge: 0 not in this record, ${numbered(purgeReasons)} |`)
    for (const name of [...statuses, ...categories, ...severities, ...purgeReasons])
      assert.include(document, `\`${name}\``)
    const pattern = fits(new RegExp(blocks("text")[0] ?? ""))
    for (const vector of vectors.good) for (const { entry } of links(vector)) assert.isTrue(pattern(entry.id))
    assert.strictEqual(vectors.specification, "spec/audit.md")
    assert.isTrue(document.startsWith(`# The audit chain, version ${vectors.version}\n`))
    assert.include(document, `magic: \`54 48 41 3${vectors.version}\`, ASCII \`THA${vectors.version}\` |`)
  })
})
