import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { TracehoundConfig } from "../../../src/config/TracehoundConfig.ts"
import { type FlagReport, inspectFlags, type ProcessFacts, processFacts } from "../../../src/host/node/RuntimeFlags.ts"

const runtimeOf = (runtime: object = {}) => Schema.decodeUnknownSync(TracehoundConfig)({ runtime }).runtime

/** A process that was started as the RFC asks. */
const asAsked: ProcessFacts = {
  execArgv: ["--disable-proto=throw", "--frozen-intrinsics", "--max-old-space-size=512"],
  nodeOptions: "",
  proto: "throws",
  intrinsicsFrozen: true,
  heapLimit: 560 * 1_048_576
}

/** The flags that do not hold. */
const missing = (facts: Partial<ProcessFacts>, runtime: object = {}): ReadonlyArray<string> =>
  inspectFlags(runtimeOf(runtime), { ...asAsked, ...facts }).filter(({ holds }) => !holds).map(({ flag }) => flag)

const foundOf = (facts: Partial<ProcessFacts>, flag: string, runtime: object = {}): string | undefined =>
  inspectFlags(runtimeOf(runtime), { ...asAsked, ...facts }).find((report) => report.flag.startsWith(flag))?.found

describe("inspectFlags", () => {
  it("RFC R1 reports each required flag as it is given to node, and that it holds", () => {
    assert.deepStrictEqual(inspectFlags(runtimeOf(), asAsked), [
      { flag: "--disable-proto=throw", holds: true, found: "Object.prototype.__proto__ is an error" },
      { flag: "--max-old-space-size=512", holds: true, found: "set to 512 MiB" },
      { flag: "--frozen-intrinsics", holds: true, found: "intrinsics are frozen" }
    ])
  })

  it("RFC R1 reports every flag that is missing", () => {
    assert.deepStrictEqual(missing({ execArgv: [], proto: "present", intrinsicsFrozen: false }), [
      "--disable-proto=throw",
      "--max-old-space-size=512",
      "--frozen-intrinsics"
    ])
    assert.strictEqual(foundOf({ execArgv: [] }, "--max"), "not set; the heap may grow to 560 MiB")
    assert.strictEqual(foundOf({ proto: "present" }, "--disable"), "Object.prototype.__proto__ is present")
    assert.strictEqual(foundOf({ intrinsicsFrozen: false }, "--frozen"), "intrinsics can be changed")
  })

  it("RFC R1 judges __proto__ by what it does, not by how the process says it was started", () => {
    assert.deepStrictEqual(missing({ proto: "present" }), ["--disable-proto=throw"])
    assert.deepStrictEqual(missing({ proto: "deleted" }), ["--disable-proto=throw"])
    assert.deepStrictEqual(
      missing({ proto: "deleted", execArgv: ["--max-old-space-size=512"] }, { disableProto: "delete" }),
      []
    )
    assert.deepStrictEqual(missing({ proto: "throws" }, { disableProto: "delete" }), ["--disable-proto=delete"])
  })

  it("RFC R1 asks for no more than the configuration does", () => {
    assert.deepStrictEqual(missing({ intrinsicsFrozen: false }, { frozenIntrinsics: false }), [])
    assert.isUndefined(foundOf({}, "--secure-heap"))
    assert.isUndefined(foundOf({}, "--frozen", { frozenIntrinsics: false }))
  })

  const heaps: ReadonlyArray<
    readonly [name: string, execArgv: ReadonlyArray<string>, options: string, holds: boolean]
  > = [
    ["as it is", ["--max-old-space-size=512"], "", true],
    ["less", ["--max-old-space-size=16"], "", true],
    ["more", ["--max-old-space-size=513"], "", false],
    ["nothing", ["--max-old-space-size=0"], "", false],
    ["a negative size", ["--max-old-space-size=-1"], "", false],
    ["no number", ["--max-old-space-size=lots"], "", false],
    ["an empty value", ["--max-old-space-size="], "", false],
    ["no value", ["--max-old-space-size"], "", false],
    ["with underscores", ["--max_old_space_size=512"], "", true],
    ["as two words", ["--max-old-space-size", "512"], "", true],
    ["in NODE_OPTIONS", [], "--no-warnings  --max-old-space-size=512", true],
    ["the last of two", ["--max-old-space-size=4096", "--max-old-space-size=512"], "", true],
    ["the last of two, too large", ["--max-old-space-size=512", "--max-old-space-size=4096"], "", false],
    ["an argument over NODE_OPTIONS", ["--max-old-space-size=512"], "--max-old-space-size=4096", true],
    ["an argument over NODE_OPTIONS, too large", ["--max-old-space-size=4096"], "--max-old-space-size=512", false],
    ["another flag that begins like it", ["--max-old-space-size-percentage=5"], "", false]
  ]
  it.each(heaps)("RFC R1 the heap: %s", (_name, execArgv, nodeOptions, holds) => {
    assert.deepStrictEqual(missing({ execArgv, nodeOptions }), holds ? [] : ["--max-old-space-size=512"])
  })

  it("RFC R1 the secure heap is checked where it is asked for: no less than that", () => {
    const secureHeap = 65_536
    const heap = (flag: string) => missing({ execArgv: [...asAsked.execArgv, flag] }, { secureHeap })
    assert.deepStrictEqual(heap("--secure-heap=65536"), [])
    assert.deepStrictEqual(heap("--secure-heap=131072"), [])
    assert.deepStrictEqual(heap("--secure-heap=32768"), ["--secure-heap=65536"])
    assert.deepStrictEqual(missing({}, { secureHeap }), ["--secure-heap=65536"])
    assert.strictEqual(foundOf({}, "--secure-heap", { secureHeap }), "not set")
  })

  it("RFC R1 does not change the facts or the configuration", () => {
    const facts = Object.freeze({ ...asAsked, execArgv: Object.freeze([...asAsked.execArgv]) })
    assert.deepStrictEqual(inspectFlags(runtimeOf(), facts), inspectFlags(runtimeOf(), facts))
  })
})

interface Seen {
  readonly facts: ProcessFacts
  readonly reports: ReadonlyArray<FlagReport>
}

const run = promisify(execFile)

/** The facts of a real process that is started with these flags. */
const started = async (flags: ReadonlyArray<string>, options = "", runtime: object = {}): Promise<Seen> => {
  const file = fileURLToPath(new URL("../../../src/host/node/RuntimeFlags.ts", import.meta.url))
  const script = `
    const { inspectFlags, processFacts } = await import(${JSON.stringify(file)})
    const facts = processFacts()
    console.log(JSON.stringify({ facts, reports: inspectFlags(${JSON.stringify(runtimeOf(runtime))}, facts) }))`
  const { NODE_OPTIONS: _, ...env } = process.env
  const { stdout } = await run(process.execPath, [...flags, "--input-type=module", "--eval", script], {
    env: options === "" ? env : { ...env, NODE_OPTIONS: options },
    timeout: 20_000
  })
  return JSON.parse(stdout) as Seen
}

describe("a real process", () => {
  it("RFC R1 started as the RFC asks has every flag", async () => {
    const { facts, reports } = await started(asAsked.execArgv)
    assert.strictEqual(facts.proto, "throws")
    assert.isTrue(facts.intrinsicsFrozen)
    assert.isAtLeast(facts.heapLimit, 512 * 1_048_576)
    assert.isBelow(facts.heapLimit, 1024 * 1_048_576)
    assert.deepStrictEqual(facts.execArgv.slice(0, 3), asAsked.execArgv)
    assert.deepStrictEqual(reports.map(({ holds }) => holds), [true, true, true])
  })

  it("RFC R1 started without the flags has none", async () => {
    const { facts, reports } = await started([])
    assert.strictEqual(facts.proto, "present")
    assert.isFalse(facts.intrinsicsFrozen)
    assert.deepStrictEqual(reports.map(({ holds }) => holds), [false, false, false])
  })

  it("RFC R1 started with them in NODE_OPTIONS, and __proto__ deleted", async () => {
    const { facts, reports } = await started(
      ["--max_old_space_size=64"],
      "--disable-proto=delete --frozen-intrinsics --max-old-space-size=4096",
      { disableProto: "delete", maxOldSpaceSize: 64 }
    )
    assert.strictEqual(facts.proto, "deleted")
    assert.isBelow(facts.heapLimit, 1024 * 1_048_576)
    assert.deepStrictEqual(reports.map(({ holds }) => holds), [true, true, true])
  })

  it("RFC R1 processFacts reads the facts of this process", () => {
    const facts = processFacts()
    assert.strictEqual(facts.proto, process.execArgv.includes("--disable-proto=throw") ? "throws" : "present")
    assert.strictEqual(facts.execArgv, process.execArgv)
    assert.isAbove(facts.heapLimit, 0)
  })
})
