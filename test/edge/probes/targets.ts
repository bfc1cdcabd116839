/**
 * Targets of probes, for tests, beside real sandboxes.
 */
import * as Effect from "effect/Effect"
import { dirname, join } from "node:path"
import type { ProbeTarget } from "../../../src/edge/probes/ProbeRunner.ts"
import type { LaunchPlan } from "../../../src/hound/process/Spawner.ts"

const program = (file: string, cwd: string, args: ReadonlyArray<string>): LaunchPlan => ({
  file: "/bin/sh",
  // Without core files: what aborts here really aborts.
  args: [
    "-c",
    "ulimit -c 0; exec \"$0\" \"$@\"",
    process.execPath,
    join(import.meta.dirname, "fixtures", file),
    ...args
  ],
  env: { UV_THREADPOOL_SIZE: "1" },
  cwd,
  feed: null,
  maxRss: 256 * 1_048_576,
  stderrBytes: 0
})

/** No sandbox at all: whatever gets nowhere here proves nothing anywhere. */
export const bareTarget: ProbeTarget = {
  plan: (analyzer) => Effect.succeed(program("bare.mjs", dirname(analyzer), [analyzer])),
  entry: join(import.meta.dirname, "fixtures/bare.mjs"),
  user: null
}

/** A hound that is the enemy's altogether. */
export const hostilePlan = (way: string): LaunchPlan => program("hostile.mjs", "/", [way])
