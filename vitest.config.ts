import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

export default defineConfig({
  resolve: { tsconfigPaths: true },
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    // What V8 made of the sources, kept from process to process: half of what a command takes to
    // start.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL("reports/compile-cache", import.meta.url)) },
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ["default", ["json", { outputFile: "reports/vitest.json" }]]
  }
})
