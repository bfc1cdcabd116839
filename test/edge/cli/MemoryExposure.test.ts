/**
 * Who else could read the memory, told from texts of real machines and from texts that no kernel
 * would write.
 */
import { assert, describe, it } from "@effect/vitest"
import {
  describeExposures,
  type Exposure,
  exposures,
  type ExposureState,
  type MemoryFacts,
  readMemoryFacts
} from "../../../src/edge/cli/MemoryExposure.ts"

const limitsWith = (core: string, locked: string): string =>
  [
    "Limit                     Soft Limit           Hard Limit           Units     ",
    "Max cpu time              unlimited            unlimited            seconds   ",
    `Max core file size        ${core.padEnd(20)} unlimited            bytes     `,
    `Max locked memory         ${locked.padEnd(20)} 8388608              bytes     `,
    "Max nice priority         0                    0                    ",
    ""
  ].join("\n")

const swapHeader = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
const partition = "/dev/sda2                               partition\t8388604\t\t0\t\t-2\n"
const file = "/swap\\040file                           file\t\t1048572\t\t1024\t\t-3\n"

/** A machine on which nothing is open. */
const closed: MemoryFacts = {
  platform: "linux",
  limits: limitsWith("0", "8388608"),
  swaps: swapHeader,
  ptraceScope: "1\n",
  randomize: "2\n",
  corePattern: "core\n"
}

const at = (name: string, facts: Partial<MemoryFacts>): Exposure => {
  const found = exposures({ ...closed, ...facts }).find((each) => each.name === name)
  return found ?? assert.fail(`there is no ${name}`)
}

const states = (facts: Partial<MemoryFacts>): ReadonlyArray<ExposureState> =>
  exposures({ ...closed, ...facts }).map(({ state }) => state)

describe("who else could read the memory", () => {
  it("SYS L6 is nobody where everything is closed, and nothing is to be done", () => {
    assert.deepStrictEqual(states({}), ["closed", "closed", "closed", "closed", "closed"])
    assert.isTrue(exposures(closed).every(({ close }) => close === null))
  })

  it("SYS L6 is whoever gets core dumps: a file by the limit, a program or a socket whatever it is", () => {
    const core = (limit: string, corePattern: string) =>
      at("core dumps", { limits: limitsWith(limit, "65536"), corePattern })
    assert.deepInclude(core("unlimited", "core\n"), { state: "open", close: "ulimit -c 0" })
    assert.deepInclude(core("4096", "/var/%e.%p\n"), { state: "open", close: "ulimit -c 0" })
    const program = "|/usr/lib/systemd/systemd-coredump %P %u\n"
    assert.deepInclude(core("0", program), { state: "open", close: "prlimit --pid $$ --core=1" })
    assert.strictEqual(core("1", program).state, "closed")
    assert.deepInclude(core("0", "@/run/coredump.socket\n"), {
      state: "open",
      close: "sysctl -w kernel.core_pattern=core"
    })
  })

  it("SYS L6 is a debugger of the same user where ptrace_scope is 0, and says that Yama may be missing", () => {
    assert.deepInclude(at("debuggers", { ptraceScope: "0\n" }), {
      state: "open",
      close: "sysctl -w kernel.yama.ptrace_scope=1"
    })
    for (const scope of ["1", "2\n", "3\n"]) assert.strictEqual(at("debuggers", { ptraceScope: scope }).state, "closed")
    const missing = at("debuggers", { ptraceScope: null })
    assert.strictEqual(missing.state, "unknown")
    assert.include(missing.means, "without Yama")
  })

  it("SYS L6 is whoever reads the swap, of which nobody can tell whether it is encrypted", () => {
    const two = at("swap", { swaps: swapHeader + partition + file })
    assert.deepInclude(two, { state: "open", close: "swapoff -a" })
    assert.include(two.found, "2 areas; whether they are encrypted cannot be told")
    assert.include(at("swap", { swaps: swapHeader + partition }).found, "1 area;")
  })

  it("SYS L6 knows an address space that is not random, and memory that cannot be locked", () => {
    const close = "sysctl -w kernel.randomize_va_space=2"
    for (const randomize of ["0\n", "1\n"])
      assert.deepInclude(at("address space", { randomize }), { state: "open", close })
    assert.deepInclude(at("locked memory", { limits: limitsWith("0", "65535") }), { state: "open" })
    assert.strictEqual(at("locked memory", { limits: limitsWith("0", "unlimited") }).state, "closed")
  })

  it("SYS L6 does not guess from texts that are missing, or that no kernel writes", () => {
    const nothing = { limits: null, swaps: null, ptraceScope: null, randomize: null, corePattern: null }
    assert.deepStrictEqual(states(nothing), ["unknown", "unknown", "unknown", "unknown", "unknown"])
    const hostile = [
      "",
      "\0",
      "9\n",
      "-1\n",
      "0x2\n",
      "2 \n",
      "\u001b[2J2\n",
      `${"2".repeat(60_000)}\n`,
      "Filename\nx\n"
    ]
    for (const text of hostile) {
      const limits = `Max core file size ${text}\nMax locked memory ${text}`
      const swaps = `${swapHeader}${text}\u0000 evil\n`
      const facts = { limits, swaps, ptraceScope: text, randomize: text, corePattern: "a\0b" }
      assert.deepStrictEqual(
        states(facts),
        ["unknown", "unknown", "unknown", "unknown", "unknown"],
        JSON.stringify(text)
      )
    }
  })

  it("SYS L6 prints nothing of the machine's texts, and a command beneath what is open", () => {
    const evil = "|/tmp/\u001b[2J$(reboot) %P\n"
    const lines = describeExposures(exposures({ ...closed, corePattern: evil, swaps: swapHeader + partition }))
    assert.isFalse(["\u001b", "reboot", "sda2"].some((text) => lines.join("\n").includes(text)))
    assert.match(lines[0] ?? "", /^note {5}memory: core dumps {4}the kernel hands them to a program/)
    assert.match(lines[1] ?? "", /^ +close it with: prlimit --pid \$\$ --core=1$/)
  })

  it("SYS L6 says that it does not know other platforms, and reads this one's without failing", () => {
    const other = exposures({ ...closed, platform: "darwin" })
    assert.deepStrictEqual(other.map(({ close, state }) => [state, close]), [["unknown", null]])
    assert.isNotEmpty(exposures(readMemoryFacts()))
  })
})
