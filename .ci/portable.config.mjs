// vitest over the core's rooms on portable ports: `npm run test:portable`. Ports that are named
// after Node stay as they are.
import { defineConfig, mergeConfig } from "vitest/config"
import { configOf } from "../vitest.config.ts"

const usual = configOf("all")
const { projects: _, reporters: __, ...test } = usual.test ?? {}

export default mergeConfig(
  { ...usual, test },
  defineConfig({
    test: {
      include: ["intake/agent", "custody/audit", "custody/evidence", "custody/ledger", "custody/quarantine"].map((
        room
      ) => `test/${room}/**/*.test.ts`),
      env: { TEST_PORTS: "portable" },
      isolate: false
    }
  })
)
