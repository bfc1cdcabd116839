/**
 * `tracehound evidence …` over directories of cold storage: real envelopes, sealed pieces, and what
 * an attacker may have put beside them.
 */
import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { seal as sealPiece } from "../../../src/custody/encryption/Sealed.ts"
import { seal } from "../../../src/custody/evidence/Envelope.ts"
import type { EvidenceRecord } from "../../../src/domain/Evidence.ts"
import type { ThreatCategory } from "../../../src/domain/Scent.ts"
import type { Severity } from "../../../src/domain/Severity.ts"
import { type EvidenceItem } from "../../../src/edge/cli/evidence/EvidenceSource.ts"
import { compare, orders, Page, readPlace, spellPlace } from "../../../src/edge/cli/evidence/Page.ts"
import { hexLines, jsonLine, paintOf, sizeText, textLines, timeText } from "../../../src/edge/cli/evidence/Shown.ts"
import { parts } from "../../custody/encryption/files.ts"
import { gzip, hash, sha256 } from "../../custody/evidence/envelopes.ts"
import { noise } from "../../host/port/contract.ts"
import { inTemporaryDirectory } from "../../support/command.ts"
import { random } from "../../support/random.ts"
import { tracehoundHere } from "./inProcess.ts"

const utf8 = new TextEncoder()

/** An id whose time is this one. */
const idAt = (ms: number, n: number): string => {
  const time = ms.toString(16).padStart(12, "0")
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000-${n.toString(16).padStart(8, "0")}`
}

const start = 1_764_513_094_600

interface Given {
  readonly content: Uint8Array
  readonly category?: ThreatCategory
  readonly severity?: Severity
  readonly source?: string
  readonly captured?: number
}

const recordOf = ({ captured, category = "injection", content, severity = "low", source = "192.0.2.7" }: Given) => {
  const digest = sha256(content).toString("hex")
  return {
    signature: `${category}:${digest}`,
    hash: digest,
    category,
    severity,
    size: content.length,
    captured: captured ?? start,
    scent: { id: "request-1", source, timestamp: 1 }
  } satisfies EvidenceRecord
}

const envelopeOf = (given: Given): Uint8Array => seal(recordOf(given), "gzip", gzip(given.content), hash)

/** A data directory, and what puts pieces into its cold storage. */
const inData = (use: (data: string, put: (n: number, bytes: Uint8Array) => string) => Promise<void>): Promise<void> =>
  inTemporaryDirectory(async (data) => {
    const directory = join(data, "evidence")
    mkdirSync(directory)
    await use(data, (n, bytes) => {
      const id = idAt(start + n, n)
      writeFileSync(join(directory, `${id}.thev`), bytes)
      return id
    })
  })

const evidence = (data: string, ...args: ReadonlyArray<string>) => tracehoundHere(["evidence", ...args, "--data", data])

const itemsOf = (stdout: string): ReadonlyArray<EvidenceItem> =>
  stdout.split("\n").filter(Boolean).map((line): EvidenceItem => JSON.parse(line))

/** Nothing but printable ASCII and newlines. */
const assertInert = (text: string): void => assert.match(text, /^[\n\u0020-\u007e]*$/)

const evil = "\u001b]0;owned\u0007\u001b[2J\u009b31m\u202e\r\n\0\u007f\u00e9"

const sealedPiece = (digest: string) =>
  sealPiece(
    { purpose: "envelope", tenant: "acme", signature: `spam:${digest}`, key: { slot: 3, use: 2 } },
    noise(32, 7),
    utf8.encode("hidden"),
    parts()
  )

describe("evidence list", () => {
  it("SYS L12 lists what is in cold storage, the newest first, and says that it is cold", () =>
    inData(async (data, put) => {
      put(1, envelopeOf({ content: utf8.encode("one"), captured: start + 1_000 }))
      put(2, envelopeOf({ content: utf8.encode("two"), captured: start + 2_000, severity: "critical" }))
      const { status, stderr, stdout } = await evidence(data, "list")
      assert.deepStrictEqual([status, stderr], [0, ""])
      const digits = (text: string) => sha256(utf8.encode(text)).toString("hex").slice(0, 12)
      assert.deepStrictEqual(stdout.split("\n"), [
        "TIME UTC             SEVERITY  CATEGORY   SOURCE     SIGNATURE     SIZE  WHERE",
        `2025-11-30 14:31:36  critical  injection  192.0.2.7  ${digits("two")}   3 B  cold`,
        `2025-11-30 14:31:35  low       injection  192.0.2.7  ${digits("one")}   3 B  cold`,
        "",
        "2 of 2, newest first.",
        ""
      ])
    }))

  it("SYS L12 filters and sorts, and goes on behind a page with nothing twice and nothing left out", () =>
    inData(async (data, put) => {
      const severities = ["low", "high", "critical", "medium"] as const
      for (let n = 0; n < 24; n++) {
        const category = n % 3 === 0 ? "spam" : "injection"
        const severity = severities[n % 4] ?? "low"
        put(n, envelopeOf({ content: utf8.encode(`${n}`), captured: start + (n >> 1), category, severity }))
      }
      for (const sort of orders) {
        const seen: Array<EvidenceItem> = []
        for (let after: ReadonlyArray<string> = [];;) {
          const args = ["list", "--json", "--limit", "5", "--category", "injection", "--sort", sort, ...after]
          const { stderr, stdout } = await evidence(data, ...args)
          seen.push(...itemsOf(stdout))
          const next = / Next: (--after) (\S+)/.exec(stderr)
          if (next === null) break
          after = ["--after", next[2] ?? ""]
        }
        assert.lengthOf(seen, 16)
        assert.lengthOf(new Set(seen.map(({ id }) => id)), 16)
        assert.isTrue(seen.every(({ category }) => category === "injection"))
        const ranks = seen.map(({ severity }) => ["critical", "high", "medium", "low"].indexOf(severity ?? ""))
        if (sort === "severity") assert.deepStrictEqual(ranks, ranks.toSorted((a, b) => a - b))
        else assert.deepStrictEqual(
            seen.map(({ time }) => time),
            seen.map(({ time }) => time).toSorted((a, b) => b - a)
          )
      }
      const critical = itemsOf((await evidence(data, "list", "--json", "--severity", "critical")).stdout)
      assert.lengthOf(critical, 6)
      const wanted = critical[0]?.signature ?? ""
      for (const prefix of [wanted, wanted.slice(0, -20), wanted.split(":")[1]?.slice(0, 12) ?? ""]) {
        const found = itemsOf((await evidence(data, "list", "--json", "--signature", prefix)).stdout)
        assert.deepStrictEqual(found.map(({ signature }) => signature), [wanted])
      }
    }))

  it("SYS L12 shows sealed pieces by their header, and says that they are sealed", () =>
    inData(async (data, put) => {
      const id = put(9, sealedPiece("ab".repeat(32)))
      const { stdout } = await evidence(data, "list")
      assert.match(stdout, /^2025-11-30 14:31:34 {2}- +spam +- +abababababab +- {2}cold, sealed$/m)
      const [item] = itemsOf((await evidence(data, "list", "--json")).stdout)
      assert.deepInclude(item, { id, isSealed: true, severity: null, source: null, time: start + 9, size: null })
      const shown = await evidence(data, "show", id)
      assert.strictEqual(shown.status, 1)
      assert.match(shown.stdout, /in cold storage, encrypted/)
      assert.match(shown.stderr, /^this evidence is encrypted/)
      assert.strictEqual((await evidence(data, "export", id, join(data, "out"))).status, 1)
      assert.isFalse(existsSync(join(data, "out")))
    }))

  it("SYS L12 counts what cannot be read, and neither opens nor names what is no envelope", () =>
    inData(async (data, put) => {
      const good = envelopeOf({ content: utf8.encode("good") })
      put(1, good)
      put(2, good.slice(0, -1))
      put(3, utf8.encode("THEV"))
      put(4, new Uint8Array(0))
      put(5, sealedPiece("not a digest"))
      const at = (name: string) => join(data, "evidence", name)
      writeFileSync(at(`${evil.replaceAll("\0", "").replaceAll("/", "")}.thev`), good)
      writeFileSync(at(`${idAt(start, 6)}.thev.partial`), good)
      mkdirSync(at(`${idAt(start, 7)}.thev`))
      symlinkSync(at(`${idAt(start + 1, 1)}.thev`), at(`${idAt(start, 8)}.thev`))
      execFileSync("mkfifo", [at(`${idAt(start, 9)}.thev`)])
      const { status, stderr, stdout } = await evidence(data, "list")
      assert.strictEqual(status, 0)
      assert.include(stdout, "1 of 1, newest first.")
      assert.strictEqual(stderr, "7 files are named as an envelope and cannot be read as one\n")
    }))

  it("SYS L12 refuses wrong use with what to do instead", () =>
    inData(async (data) => {
      const refused: ReadonlyArray<readonly [ReadonlyArray<string>, string]> = [
        [["list", "--limit", "0"], "1 to 1,000"],
        [["list", "--limit", "1001"], "1 to 1,000"],
        [["list", "--after", "now"], "--after"],
        [["list", "--signature", "%"], "--signature"],
        [["show", "ab"], "first 4 digits"],
        [["export", "abcd", "-"], "a file alone"],
        [["export", "abcd", "/dev/stdout"], "a file alone"],
        [["export", "abcd", "/dev/null"], "a file alone"]
      ]
      for (const [args, words] of refused) {
        const { status, stderr } = await evidence(data, ...args)
        assert.strictEqual(status, 2, args.join(" "))
        assert.include(stderr, words)
      }
      assert.include((await evidence(join(data, "none"), "list")).stderr, "no directory that can be read")
      assert.include((await tracehoundHere(["evidence", "list"])).stderr, "no cold storage is configured")
      assert.strictEqual((await evidence(data, "show", "abcd")).status, 1)
      assert.strictEqual((await evidence(data, "show", idAt(start, 1))).status, 1)
    }))

  it("SYS L12 finds the directory that cold storage is configured with", () =>
    inData(async (data, put) => {
      put(1, envelopeOf({ content: utf8.encode("one") }))
      const env = { TRACEHOUND_AUDIT_COLD_STORAGE_ENDPOINT: `file:${data}/evidence` }
      assert.include((await tracehoundHere(["evidence", "list"], { env })).stdout, "1 of 1")
    }))
})

describe("evidence show and export", () => {
  it("SYS L12 shows a piece, what is proven, its text and a dump, and hostile bytes stay inert", () =>
    inData(async (data, put) => {
      const content = utf8.encode(`POST /login\r\n${evil}${"x".repeat(1_000)}`)
      const id = put(1, envelopeOf({ content, source: evil, severity: "critical" }))
      const { signature } = recordOf({ content })
      for (const name of [id, signature, signature.slice(10, 22)]) {
        const { status, stderr, stdout } = await evidence(data, "show", name)
        assert.deepStrictEqual([status, stderr], [0, ""])
        assertInert(stdout)
        assert.include(stdout, "holds  the content has this signature")
        assert.include(stdout, "  POST /login\\u{d}\n  \\u{1b}]0;owned\\u{7}\\u{1b}[2J\\u{9b}31m\\u{202e}\\u{d}\n")
        assert.include(stdout, "00000000  50 4f 53 54 20 2f 6c 6f  67 69 6e 0d 0a 1b 5d 30  POST /login...]0")
        assert.include(stdout, `96 of ${new Intl.NumberFormat("en").format(content.length)} bytes; more: --all`)
      }
      assertInert((await evidence(data, "list")).stdout)
      const json = (await evidence(data, "show", id, "--all", "--json")).stdout
      assertInert(json)
      const shown = JSON.parse(json)
      assert.strictEqual(shown.hex, Buffer.from(content).toString("hex"))
      assert.strictEqual(shown.source, evil)
    }))

  it("SYS L12 says no where the evidence is not what its envelope says", () =>
    inData(async (data, put) => {
      const bytes = envelopeOf({ content: utf8.encode("evidence") })
      const last = bytes.length - 1
      bytes[last] = (bytes[last] ?? 0) ^ 1
      const id = put(1, bytes)
      const { status, stderr, stdout } = await evidence(data, "show", id)
      assert.deepStrictEqual([status, stdout], [1, ""])
      assert.include(stderr, "its seal is broken")
      assert.strictEqual((await evidence(data, "export", id, join(data, "out"))).status, 1)
      assert.isFalse(existsSync(join(data, "out")))
    }))

  it("SYS L12 names the pieces of one signature, of which one has to be chosen by its id", () =>
    inData(async (data, put) => {
      const bytes = envelopeOf({ content: utf8.encode("twice") })
      const ids = [put(1, bytes), put(2, bytes)]
      const { status, stderr } = await evidence(data, "show", recordOf({ content: utf8.encode("twice") }).signature)
      assert.strictEqual(status, 2)
      for (const id of ids) assert.include(stderr, id)
    }))

  it("SYS L12 exports raw bytes to a new file of mode 0600, and replaces one only by force", () =>
    inData(async (data, put) => {
      const content = noise(5_000, 3)
      const id = put(1, envelopeOf({ content }))
      const file = join(data, "out")
      const { status, stdout } = await evidence(data, "export", id, file)
      assert.strictEqual(status, 0)
      assertInert(stdout)
      assert.deepStrictEqual(new Uint8Array(readFileSync(file)), content)
      assert.strictEqual(statSync(file).mode & 0o777, 0o600)
      writeFileSync(file, "mine")
      assert.strictEqual((await evidence(data, "export", id, file)).status, 2)
      assert.strictEqual(readFileSync(file, "utf8"), "mine")
      assert.strictEqual((await evidence(data, "export", id, file, "--force")).status, 0)
      assert.deepStrictEqual(new Uint8Array(readFileSync(file)), content)
      symlinkSync(file, join(data, "link"))
      assert.strictEqual((await evidence(data, "export", id, join(data, "link"), "--force")).status, 2)
      assert.strictEqual((await evidence(data, "export", id, join(data, "none", "out"))).status, 2)
    }))
})

describe("a page", () => {
  const { below, pick } = random(7)
  const items = Array.from({ length: 3_000 }, (_, n): EvidenceItem => ({
    id: idAt(start + below(50), n),
    where: "cold",
    isSealed: false,
    time: start + below(50),
    signature: `spam:${"0".repeat(64)}`,
    category: "spam",
    severity: pick([null, "low", "medium", "high", "critical"] as const),
    size: 1,
    stored: 1,
    hash: null,
    source: null,
    scentId: null,
    codec: null
  }))
  const placeOf = (item: EvidenceItem, order: typeof orders[number]) =>
    readPlace(order, spellPlace(order, item)) ?? assert.fail("a place cannot be read")

  it("SYS L12 keeps the first pieces behind a place, whatever comes and in whatever order", () => {
    for (const order of orders) {
      const sorted = items.toSorted((a, b) => compare(order, placeOf(a, "severity"), placeOf(b, "severity")))
      for (const from of [0, 17, 2_990]) {
        const last = sorted[from - 1]
        const page = new Page(order, last === undefined ? null : placeOf(last, order), 20)
        for (const item of items) page.add(item)
        assert.deepStrictEqual(page.items.map(({ id }) => id), sorted.slice(from, from + 20).map(({ id }) => id))
        assert.strictEqual(page.total, items.length)
        assert.strictEqual(page.hasMore, from + 20 < items.length)
      }
    }
  })

  it("SYS L12 reads no place that it would not have spelled", () => {
    const id = idAt(start, 1)
    for (const text of ["", "/", id, `x/${id}`, `1e3/${id}`, `NaN/${id}`, `Infinity/${id}`, `1/${id}/`, "1/../x"])
      assert.isNull(readPlace("time", text), text)
    for (const text of [`1/${id}`, `worst/1/${id}`]) assert.isNull(readPlace("severity", text), text)
  })
})

describe("what is shown", () => {
  it("SYS L12 gives sizes in three digits, and times that no Date has as numbers", () => {
    assert.deepStrictEqual(
      [0, 999, 1_000, 1_094, 35_449, 999_499, 999_600, 268_435_456].map(sizeText),
      ["0 B", "999 B", "1.00 kB", "1.09 kB", "35.4 kB", "999 kB", "1.00 MB", "268 MB"]
    )
    assert.strictEqual(timeText(start), "2025-11-30 14:31:34.600")
    assert.strictEqual(timeText(1e300), "1e+300 ms")
  })

  it("SYS L12 dumps any bytes in lines of one width, and paints without a byte of theirs", () => {
    const all = Uint8Array.from({ length: 256 }, (_, n) => n)
    for (let length = 0; length <= 40; length++) {
      const lines = hexLines(all.subarray(0, length), paintOf(false))
      assert.lengthOf(lines, Math.ceil(length / 16))
      for (const line of lines) assert.strictEqual(line.slice(0, 60).trimEnd().length <= 58, true)
      for (const [n, line] of lines.entries())
        assert.strictEqual(line.length, 60 + Math.min(16, length - 16 * n), `${length} bytes`)
    }
    const painted = hexLines(all, paintOf(true)).join("\n")
    assertInert(painted.replaceAll("\u001b[2m", "").replaceAll("\u001b[35m", "").replaceAll("\u001b[0m", ""))
    assertInert(textLines(all).join("\n"))
    assertInert(jsonLine({ evil }))
    assert.strictEqual(JSON.parse(jsonLine({ evil })).evil, evil)
  })
})
