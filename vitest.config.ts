import { fileURLToPath } from "node:url"
import { defineConfig, type TestProjectInlineConfiguration, type ViteUserConfig } from "vitest/config"

/**
 * Files that start processes, hunt or fill memory; `test/support/tiers.ts` shares their tests out.
 */
const slow = ["test/**/*.slow.test.ts"]

/** Files of the long tier: what finds more the longer it goes on. */
const hunts = [
  "test/actor/Endurance.slow.test.ts",
  "test/actor/Interleavings.slow.test.ts",
  "test/custody/store/Crash.slow.test.ts",
  "test/hound/pool/Chaos.slow.test.ts",
  "test/hound/pool/PoolCore.test.ts",
  "test/hound/process/ForkServer.slow.test.ts",
  "test/hound/process/LocalSpawner.slow.test.ts",
  "test/model/ColdStorage.slow.test.ts",
  "test/model/Model.slow.test.ts",
  "test/runtime/Ending.slow.test.ts"
]

/**
 * Rooms whose tests leave globals, modules, the environment and processes alone: they share their
 * workers. Any order of their files must do: `npx vitest run --project shared
 * --sequence.shuffle.files`.
 */
const shared = [
  "actor",
  "architecture",
  "config",
  "custody",
  "domain",
  "hound/analyzers",
  "hound/channel",
  "hound/pool",
  "intake/agent",
  "intake/gate",
  "memory",
  "model",
  "safety/alert",
  "safety/devops",
  "scheduler",
  "support",
  "telemetry",
  "testing"
].map((room) => `test/${room}/**/*.test.ts`)

/** Files of these rooms that change globals while they run. */
const patching = ["test/intake/gate/CanonicalHostile.test.ts"]

const project = (name: string, test: TestProjectInlineConfiguration["test"]): TestProjectInlineConfiguration => ({
  extends: true,
  test: { name, ...test }
})

/** The files of a tier. */
const projectsOf = (tier: string): Array<TestProjectInlineConfiguration> => {
  if (tier === "long") return [project("long", { include: hunts, testTimeout: 900_000 })]
  const slowOnes = project("slow", { include: slow })
  if (tier === "rest") return [slowOnes]
  return [
    slowOnes,
    project("shared", { include: shared, exclude: [...slow, ...patching], isolate: false }),
    project("isolated", { include: ["test/**/*.test.ts"], exclude: [...slow, ...shared] }),
    project("patching", { include: patching })
  ]
}

/** Two runs make up all tests in `.ci/run`, and each leaves a report. */
const reportOf = (tier: string): string => tier === "rest" || tier === "long" ? `vitest-${tier}` : "vitest"

/** The configuration for a tier: `sample`, `rest`, `long`, or else all. */
export const configOf = (tier: string): ViteUserConfig => ({
  resolve: { tsconfigPaths: true },
  test: {
    projects: projectsOf(tier),
    pool: "forks",
    maxWorkers: 2,
    env: {
      // What V8 made of the sources, kept from process to process: half of what a command takes to
      // start.
      NODE_COMPILE_CACHE: fileURLToPath(new URL("reports/compile-cache", import.meta.url)),
      TEST_TIER: tier
    },
    // The sample has something of each slow suite; what is left of one may be nothing.
    passWithNoTests: tier === "rest" || tier === "long",
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ["default", ["json", { outputFile: `reports/${reportOf(tier)}.json` }]]
  }
})

export default defineConfig(({ mode }) => configOf(mode))
