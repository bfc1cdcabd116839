// vitest over the contracts of Node's ports and nothing else, for
// `test/runtimes/Nodes.slow.test.ts` to run on other Nodes. It leaves no report but the one that
// its caller asks for.
import { defineConfig, mergeConfig } from "vitest/config"
import { configOf } from "../vitest.config.ts"

const usual = configOf("all")
const { projects: _, reporters: __, ...test } = usual.test ?? {}

export default mergeConfig(
  { ...usual, test },
  defineConfig({
    test: {
      include: [
        "test/host/node/{CompressionPool,NodePorts}.test.ts",
        "test/host/port/{Memory,MonotonicTime,SelfTest}.test.ts"
      ]
    }
  })
)
