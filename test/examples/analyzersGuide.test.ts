/**
 * docs/analyzers.md: its programs type-check, its first analyzer does what it says when it is
 * bundled as it says, and what it says of messages, settings and numbers is what stands in the
 * sources.
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { spawnSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { TracehoundConfig } from "../../src/config/TracehoundConfig.ts"
import { limits, maxLevels } from "../../src/hound/analyzers/builtin.mjs"
import type { Analyzer, EvidenceFacts } from "../../src/hound/index.ts"
import { memoryLimits } from "../../src/hound/sandbox/Command.ts"
import { inWorkspace, programsOf, root, typeCheck } from "../support/programs.ts"

const read = (path: string): string => readFileSync(join(root, path), "utf8")
const guide = read("docs/analyzers.md")
const programs = programsOf(guide)

describe("docs/analyzers.md", () => {
  it("has programs that type-check", () => {
    assert.isAtLeast(programs.length, 5)
    return typeCheck(programs)
  })

  it("has an analyzer and the command that bundles it", () =>
    inWorkspace(async (directory) => {
      writeFileSync(join(directory, "hex.ts"), programs[0] ?? "")
      const [, command = ""] = /^npx (esbuild .*)$/m.exec(guide) ?? []
      const [esbuild = "", ...args] = command.split(" ")
      const { status, stderr } = spawnSync(esbuild, args, { cwd: directory, encoding: "utf8" })
      assert.strictEqual(status, 0, stderr)
      const path = join(directory, "analyzer.mjs")
      assert.notMatch(readFileSync(path, "utf8"), /\bimport\b/)
      const { analyze } = await import(pathToFileURL(path).href) as Analyzer
      const facts: EvidenceFacts = { category: "malware", severity: "high", size: 4, sha256: null }
      assert.strictEqual(await analyze(new TextEncoder().encode("00ff").buffer, facts), "complete")
      assert.strictEqual(await analyze(new TextEncoder().encode("00fg").buffer, facts), "error")
    }))

  it("names messages that there are", () => {
    const sources = ["sandbox/Detect.ts", "sandbox/entry.mjs", "pool/PoolStart.ts"].map((path) =>
      read(`src/hound/${path}`)
    ).join("\n")
    const [, table = ""] = guide.split("## When it does not start")
    const messages = Array.from(
      table.split("## ")[0]?.matchAll(/^\| `+(.+?)[`:…"]*`+ \|/gm) ?? [],
      ([, text = ""]) => text
    )
    assert.isAtLeast(messages.length, 14)
    for (const message of messages) assert.include(sources, (message.split(/[:"…]/)[0] ?? "").trim(), message)
  })

  it("gives the defaults and the limits as they are", () => {
    const { failSafe, hound } = Schema.decodeUnknownSync(TracehoundConfig)({})
    const MiB = 1_048_576
    assert.deepStrictEqual([hound.maxProcessingTime, hound.readyTimeout, failSafe.onHoundError], [
      5000,
      10000,
      "escalate"
    ])
    const { data, heap, resident } = memoryLimits({ maxPayloadSize: 1_000_000, version: "22.0.0" })
    assert.deepStrictEqual([heap, data, resident], [64 * MiB, (96 + 192) * MiB, 256 * MiB])
    const larger = memoryLimits({ maxPayloadSize: 16 * MiB + 100, version: "22.0.0" })
    assert.deepStrictEqual([larger.heap - heap, larger.data - data, larger.resident - resident], [200, 300, 300])
    assert.deepStrictEqual([limits(1000).output, maxLevels], [32 * MiB + 8000, 3])
    assert.include(read("src/hound/sandbox/Command.ts"), "ulimit -t 120")
  })
})
