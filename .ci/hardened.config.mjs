/**
 * vitest under `--disable-proto=throw --frozen-intrinsics`, for `.ci/hardened.mjs`. The flags are
 * those of the processes that run the tests; vitest's own process needs none.
 *
 * Frozen intrinsics forbid three things that vitest does on its way, and each has its answer here:
 *
 * - Vite's module runner sets `Error.prepareStackTrace`: Node itself loads the modules
 *   (`viteModuleRunner: false`). Node strips the types; the package's own names are resolved by
 *   `hardened.preload.mjs`, since Node does not read tsconfig.json.
 * - vitest's environment `node` sets `console.Console`: `hardened.environment.mjs` is one that sets
 *   nothing.
 * - vitest's runner sets `Error.stackTraceLimit`, for shorter traces: `hardened.preload.mjs` leaves
 *   these assignments out.
 */
import { fileURLToPath } from "node:url"
import { defineConfig, mergeConfig } from "vitest/config"
import { configOf } from "../vitest.config.ts"

const here = (name) => new URL(name, import.meta.url)

const { reporters: _, ...test } = configOf("all").test ?? {}

export default mergeConfig(
  { test },
  defineConfig({
    root: fileURLToPath(here("..")),
    test: {
      environment: fileURLToPath(here("hardened.environment.mjs")),
      execArgv: [
        "--disable-proto=throw",
        "--frozen-intrinsics",
        // The warning that frozen intrinsics are an experiment of Node's.
        "--disable-warning=ExperimentalWarning",
        "--import",
        here("hardened.preload.mjs").href
      ],
      experimental: { viteModuleRunner: false },
      setupFiles: [fileURLToPath(here("hardened.setup.mjs"))],
      reporters: ["default", ["json", { outputFile: "reports/vitest-hardened.json" }]]
    }
  })
)
