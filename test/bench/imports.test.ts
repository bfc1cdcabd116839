/**
 * What an import of `tracehound` loads, by count: modules are most of the time of a start.
 */
import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { root } from "../support/programs.ts"

/** Imports a source in a process of its own; how many modules of each package that loaded. */
const loadedBy = (source: string): Readonly<Record<string, number>> => {
  const program = `
    import { registerHooks } from "node:module"
    const loaded = {}
    registerHooks({
      load(url, context, next) {
        const name = /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1] ?? (url.startsWith("node:") ? "node" : "own")
        loaded[name] = (loaded[name] ?? 0) + 1
        return next(url, context)
      }
    })
    await import(${JSON.stringify(pathToFileURL(join(root, source)).href)})
    process.stdout.write(JSON.stringify(loaded))`
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", program], { encoding: "utf8" })
  return JSON.parse(output) as Record<string, number>
}

describe("an import", () => {
  it("RFC W7 of tracehound loads modules of effect alone, and no more of them than it takes", () => {
    const { effect = 0, node: _, own = 0, ...others } = loadedBy("src/index.ts")
    assert.deepStrictEqual(others, {}, "what is optional, and what is used first later, is not loaded")
    assert.isAtMost(effect, 152)
    assert.isAbove(own, 100)
  })

  it("of tracehound/otel loads its peers, and neither Tracehound nor an SDK", () => {
    const loaded = loadedBy("src/edge/otel/index.ts")
    assert.sameMembers(
      Object.keys(loaded),
      [
        "effect",
        "own",
        "node",
        "@effect/opentelemetry",
        "@opentelemetry/api",
        "@opentelemetry/api-logs"
      ].filter((name) => name !== "node" || "node" in loaded)
    )
    assert.isAtMost(loaded["own"] ?? 0, 12)
  })
})
