/**
 * Checks the runtime flags that the RFC requires (RFC, "Runtime Flags"; CONFORMANCE R1) from inside
 * the process: by their effect where it can be seen, else by how the process was started.
 */
import * as v8 from "node:v8"
import type { TracehoundConfig } from "../../config/TracehoundConfig.ts"

/** Whether one flag is in effect. */
export interface FlagReport {
  /** As given to node. */
  readonly flag: string
  readonly holds: boolean
  /** The finding, in words. */
  readonly found: string
}

/** The facts about a process that the check needs; a test gives its own. */
export interface ProcessFacts {
  readonly execArgv: ReadonlyArray<string>
  readonly nodeOptions: string
  /** Whether `Object.prototype.__proto__` still works, throws, or is gone. */
  readonly proto: "present" | "throws" | "deleted"
  readonly intrinsicsFrozen: boolean
  /** V8's heap limit, in bytes. */
  readonly heapLimit: number
}

export const processFacts = (): ProcessFacts => ({
  execArgv: process.execArgv,
  nodeOptions: process.env["NODE_OPTIONS"] ?? "",
  proto: protoState(),
  intrinsicsFrozen: Object.isFrozen(Array.prototype),
  heapLimit: v8.getHeapStatistics().heap_size_limit
})

const protoState = (): ProcessFacts["proto"] => {
  const accessor = Object.getOwnPropertyDescriptor(Object.prototype, "__proto__")?.get
  if (accessor === undefined) return "deleted"
  try {
    accessor.call({})
    return "present"
  } catch {
    return "throws"
  }
}

/**
 * From the process's arguments or NODE_OPTIONS; where it is given several times the last counts.
 */
const flagValue = ({ execArgv, nodeOptions }: ProcessFacts, flag: string): string | undefined => {
  const given = [...nodeOptions.split(/\s+/), ...execArgv]
  for (let i = given.length - 1; i >= 0; i--) {
    const word = given[i]?.replaceAll("_", "-")
    if (word === flag) return given[i + 1]
    if (word?.startsWith(`${flag}=`) === true) return given[i]?.slice(flag.length + 1)
  }
  return undefined
}

/** One report for each flag that the configuration asks for. */
export const inspectFlags = (
  runtime: TracehoundConfig["runtime"],
  facts: ProcessFacts
): ReadonlyArray<FlagReport> => {
  const mebibytes = flagValue(facts, "--max-old-space-size")
  const secure = flagValue(facts, "--secure-heap")
  const reports: Array<FlagReport> = [
    {
      flag: `--disable-proto=${runtime.disableProto}`,
      holds: runtime.disableProto === "throw" ? facts.proto === "throws" : facts.proto === "deleted",
      found: `Object.prototype.__proto__ is ${facts.proto === "throws" ? "an error" : facts.proto}`
    },
    {
      flag: `--max-old-space-size=${runtime.maxOldSpaceSize}`,
      holds: mebibytes !== undefined && Number(mebibytes) > 0 && Number(mebibytes) <= runtime.maxOldSpaceSize,
      found: mebibytes === undefined
        ? `not set; the heap may grow to ${Math.round(facts.heapLimit / 1_048_576)} MiB`
        : `set to ${mebibytes} MiB`
    }
  ]
  if (runtime.frozenIntrinsics) {
    reports.push({
      flag: "--frozen-intrinsics",
      holds: facts.intrinsicsFrozen,
      found: facts.intrinsicsFrozen ? "intrinsics are frozen" : "intrinsics can be changed"
    })
  }
  if (runtime.secureHeap !== undefined) {
    reports.push({
      flag: `--secure-heap=${runtime.secureHeap}`,
      holds: secure !== undefined && Number(secure) >= runtime.secureHeap,
      found: secure === undefined ? "not set" : `set to ${secure} bytes`
    })
  }
  return reports
}
