/**
 * The machine of reports that tests write.
 */
import type { Machine } from "../../bench/machine.ts"

export const machine: Machine = {
  cpu: "a CPU",
  cores: 2,
  memory: 4,
  sha: true,
  platform: "linux x64",
  node: "26.0.0",
  v8: "14",
  date: "2030-01-02",
  load: { before: 0.25, most: 2 }
}
