/**
 * Replays of the log of a real WAF, which nobody here wrote.
 */
import { assert, describe, it as every } from "@effect/vitest"
import canonicalize from "canonicalize"
import { createHash } from "node:crypto"
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { openEnvelope } from "tracehound"
import { inTemporaryDirectory, tracehound } from "../../support/command.ts"
import { needsSharedData } from "../../support/sharedData.ts"
import { sampleOf } from "../../support/tiers.ts"
import { tracehoundHere } from "./inProcess.ts"

const it = sampleOf(every, 4)

const found = needsSharedData("modsecurity-audit.ndjson.gz")
const file = found ?? ""

const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex")

describe.skipIf(found === undefined)("replay of a WAF's log", () => {
  it("answers with the counts that the log is known to have", async () => {
    const { status, stderr, stdout } = await tracehound(["replay", file, "--format", "modsecurity", "--json"])
    assert.strictEqual(stderr, "")
    assert.strictEqual(status, 0)
    const { audit, ...counts } = JSON.parse(stdout)
    assert.deepStrictEqual(counts, {
      lines: 3049,
      invalid: 0,
      clean: 803,
      quarantined: 2074,
      ignored: 172,
      escalated: 0,
      rateLimited: 0,
      tooLarge: 0,
      errors: 0,
      bySeverity: { low: 80, medium: 9, high: 0, critical: 1985 },
      byCategory: { injection: 1049, ddos: 0, flood: 0, spam: 4, malware: 0, unknown: 1021 },
      raw: 1,
      skewed: 0,
      randomIds: false,
      complete: true,
      evictions: 0,
      deadLetters: 0,
      held: counts.held
    })
    assert.strictEqual(counts.held.count, 2074)
    assert.deepStrictEqual(audit, { records: 0, head: "0".repeat(64), verified: true })
  })

  it(
    "RFC D3 signs every request as an independent RFC 8785 library does, and one as sha256sum does",
    () =>
      inTemporaryDirectory(async (directory) => {
        const signatures = join(directory, "signatures.tsv")
        await tracehoundHere(["replay", file, "--format", "modsecurity", "--json", "--signatures", signatures])
        const written = readFileSync(signatures, "utf8").trimEnd().split("\n").map((line) => line.split("\t"))
        const log = gunzipSync(readFileSync(file))
        const lines = new TextDecoder().decode(log).trimEnd().split("\n")
        const bytes = log.toString("latin1").split("\n")
        const raw: Array<number> = []
        assert.strictEqual(written.length, 3049)
        let signed = 0
        written.forEach(([number, status, signature = ""], i) => {
          assert.strictEqual(number, String(i + 1))
          const { transaction } = JSON.parse(lines[i] ?? "")
          assert.strictEqual(status === "clean", transaction.messages.length === 0)
          if (status === "clean") return assert.strictEqual(signature, "")
          signed += 1
          const [, hash] = signature.split(":")
          if (hash === sha256(canonicalize(transaction.request) ?? "")) return
          raw.push(i)
          const [, request = ""] = /"request":(\{.*\}),"response":/s.exec(bytes[i] ?? "") ?? []
          assert.strictEqual(hash, sha256(Buffer.from(request, "latin1")))
        })
        assert.strictEqual(signed, 2246)
        assert.lengthOf(raw, 1)
      })
  )

  it(
    "RFC Q2 loses nothing under pressure: each eviction has its record and its envelope",
    () =>
      inTemporaryDirectory(async (directory) => {
        const config = join(directory, "tracehound.json")
        writeFileSync(config, "{\"quarantine\":{\"maxCount\":100}}")
        const data = join(directory, "data")
        const { status, stdout } = await tracehoundHere(
          ["replay", file, "--format", "modsecurity", "--json", "--config", config, "--data", data]
        )
        assert.strictEqual(status, 0)
        const summary = JSON.parse(stdout)
        assert.strictEqual(summary.held.count, 100)
        assert.strictEqual(summary.quarantined + summary.escalated, summary.held.count + summary.evictions)
        assert.strictEqual(summary.audit.records, summary.evictions)
        assert.isTrue(summary.audit.verified)
        assert.strictEqual(summary.deadLetters, 0)
        const files = readdirSync(join(data, "evidence"))
        assert.strictEqual(files.length, summary.evictions)
        for (const envelope of files) {
          const { content, record } = openEnvelope(readFileSync(join(data, "evidence", envelope)))
          assert.strictEqual(record.signature, `${record.category}:${sha256(content)}`)
        }
        assert.strictEqual(statSync(data).mode & 0o777, 0o700)
        assert.strictEqual(statSync(join(data, "evidence")).mode & 0o777, 0o700)
      })
  )

  it("gives the same answer for the same file, whichever process reads it", async () => {
    const env = { TRACEHOUND_QUARANTINE_MAX_COUNT: "50", TRACEHOUND_QUARANTINE_EVICTION_POLICY: "lru" }
    const args = ["replay", file, "--format", "modsecurity", "--json"]
    const first = await tracehoundHere(args, { env })
    assert.strictEqual((await tracehoundHere(args, { env })).stdout, first.stdout)
    assert.strictEqual((await tracehound(args, { env })).stdout, first.stdout)
    assert.isAbove(JSON.parse(first.stdout).evictions, 1900)
  })
})
