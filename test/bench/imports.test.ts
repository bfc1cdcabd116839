/**
 * What an import of `tracehound` loads, by count: modules are most of the time of a start.
 */
import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { root } from "../support/programs.ts"

/**
 * Imports a source in a process of its own; how many modules that loaded of each package, of Node,
 * and of each folder of `src/`.
 */
const loadedBy = (source: string): Readonly<Record<string, number>> => {
  const program = `
    import { registerHooks } from "node:module"
    const loaded = {}
    registerHooks({
      load(url, context, next) {
        const inPackage = /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1]
        const name = inPackage ?? (url.startsWith("node:") ? "node" : /src\\/[^/]+/.exec(url)?.[0])
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
    const loaded = loadedBy("src/index.ts")
    const packages = Object.keys(loaded).filter((name) => name !== "node" && !name.startsWith("src/"))
    assert.deepStrictEqual(packages, ["effect"], "what is optional, and what is used first later, is not loaded")
    assert.isAtMost(loaded["effect"] ?? 0, 152)
    assert.notProperty(loaded, "src/edge")
  })

  it("of tracehound/otel loads its peers, and neither Tracehound nor an SDK", () => {
    const loaded = loadedBy("src/edge/otel/index.ts")
    assert.sameMembers(Object.keys(loaded).filter((name) => name !== "node"), [
      "src/edge",
      "src/telemetry",
      "effect",
      "@effect/opentelemetry",
      "@opentelemetry/api",
      "@opentelemetry/api-logs"
    ])
  })
})
