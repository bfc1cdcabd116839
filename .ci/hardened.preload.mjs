/**
 * Runs first in every process that runs hardened tests. It touches no intrinsic and no code but
 * vitest's own.
 *
 * - Resolves the names that tsconfig.json's `paths` gives the sources.
 * - Leaves out vitest's assignments to `Error.stackTraceLimit` and `Error.prepareStackTrace`, which
 *   throw where Error is frozen. They only shorten stack traces. What is assigned is still
 *   evaluated.
 */
import { readFileSync } from "node:fs"
import { registerHooks } from "node:module"

const root = new URL("../", import.meta.url)
const { compilerOptions: { paths } } = JSON.parse(readFileSync(new URL("tsconfig.json", root), "utf8"))

const vitest = /\/node_modules\/(vitest|@vitest\/[a-z-]+)\//
const assignment = /\bError\.(?:stackTraceLimit|prepareStackTrace) = ([^;\n]+);/g

registerHooks({
  resolve(specifier, context, nextResolve) {
    const [target] = paths[specifier] ?? []
    return target === undefined ? nextResolve(specifier, context) : nextResolve(new URL(target, root).href, context)
  },
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (!vitest.test(url) || loaded.source == null) return loaded
    const source = typeof loaded.source === "string" ? loaded.source : new TextDecoder().decode(loaded.source)
    return { ...loaded, source: source.replace(assignment, "void ($1);") }
  }
})
