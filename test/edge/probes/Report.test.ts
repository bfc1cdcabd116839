import { assert, describe, it } from "@effect/vitest"
import { chosenAttacks } from "../../../src/edge/probes/LevelRunner.ts"
import { isSound, type LevelReport, renderLevel, renderResources } from "../../../src/edge/probes/Report.ts"

const sandbox = {
  configured: "default",
  level: "default",
  measured: false,
  platform: "linux x64",
  node: "26.10.0",
  mechanisms: [
    { name: "bootLockdown", holds: true, note: "modules are gone" },
    { name: "seccomp", holds: false, note: "part of the level hard" }
  ],
  lacking: []
} as const

const report: LevelReport = {
  level: "default",
  missing: null,
  sandbox,
  probes: [
    { name: "net/udp", group: "net", outcome: "closed", detail: "refused" },
    { name: "allow/timer", group: "allow", outcome: "works", detail: "works" }
  ],
  resources: null
}

const contained = {
  name: "resource/loop",
  outcome: "contained",
  end: "deadline",
  peak: 1 << 20,
  killedAfter: 2.25
} as const
const lag = { max: 3.04, p99: 1 }

describe("isSound", () => {
  it("RFC H2 asks every attack to be closed, contained, or to work where it must", () => {
    assert.isTrue(isSound(report))
    assert.isTrue(isSound({ ...report, resources: { results: [contained], lag } }))
    for (const outcome of ["open", "failed"] as const) {
      assert.isFalse(isSound({ ...report, probes: [{ name: "net/udp", group: "net", outcome, detail: "" }] }))
      assert.isFalse(isSound({ ...report, resources: { results: [{ ...contained, outcome }], lag } }))
    }
  })

  it("RFC H2 a level that is missing is not sound", () => {
    assert.isFalse(isSound({ level: "hard", missing: "no bubblewrap", sandbox: null, probes: [], resources: null }))
  })
})

describe("renderLevel", () => {
  it("RFC H2 names mechanisms and attacks, group by group, and counts them", () => {
    assert.deepStrictEqual(renderLevel(report).split("\n"), [
      "level default on linux x64, node 26.10.0 (not a platform on which the sandbox was measured)",
      "  holds   bootLockdown         modules are gone",
      "  missing seccomp              part of the level hard",
      "",
      "net: 1 closed",
      "  closed udp                  refused",
      "",
      "allow: 1 works",
      "  works  timer                works",
      "",
      "level default: 1 closed, 1 works"
    ])
  })

  it("RFC H2 says why a level is missing", () => {
    const missing = { level: "hard", missing: "no bubblewrap", sandbox: null, probes: [], resources: null } as const
    assert.strictEqual(renderLevel(missing), "level hard: no bubblewrap")
  })

  it("RFC H4 shows what each attack on resources held, and how long its end took", () => {
    const text = renderResources({ results: [contained, { ...contained, peak: null, killedAfter: null }], lag })
    assert.match(text, /^resource\/loop +contained +deadline +1 +2\.[23]$/m)
    assert.match(text, /^resource\/loop +contained +deadline +\? +-$/m)
    assert.include(text, "3.0 ms at the worst")
  })
})

describe("chosenAttacks", () => {
  it("RFC H2 are those whose name matches, and those on resources where they are asked for", () => {
    const all = chosenAttacks({})
    assert.isAbove(all.probes.length, 129)
    assert.deepStrictEqual(all.resources, [])
    assert.isAtLeast(chosenAttacks({ hasResources: true }).resources.length, 30)
    const only = chosenAttacks({ only: /^(?:allow\/timer|resource\/never)$/, hasResources: true })
    assert.deepStrictEqual(only.probes.map(({ name }) => name), ["allow/timer"])
    assert.deepStrictEqual(only.resources.map(({ name }) => name), ["resource/never"])
  })
})
