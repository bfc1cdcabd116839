/**
 * The table of attacks, row by row, and what is beyond it; and the same attacks with nothing to
 * stop them, as a probe that gets nowhere even then proves nothing.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { furtherProbes, probes } from "../../../src/edge/probes/Catalogue.ts"
import { judge, type ProbeResult, runProbes } from "../../../src/edge/probes/ProbeRunner.ts"
import { sandboxTarget } from "../../../src/edge/probes/Target.ts"
import { firstOfEach, restOf, sampled, shareOf } from "../../support/tiers.ts"
import { bareTarget } from "./targets.ts"

const brief = sampled(it)
const rest = restOf(it)

/** A machine that has other things to do takes its time. */
const patience = 300_000

/** The attacks that the conformance list asks for. */
const table = {
  gen:
    "AsyncFunction AsyncGenerator Function FunctionProto GeneratorFunction ShadowRealm eval evalDirect inspectorEval setTimeoutString vm " +
    "vmCompileFunction vmEscapeCtor wasm wasmSync",
  mod:
    "createRequire getBuiltin importBlob importData importFs importHttp importJson importMetaLeak importMetaResolve importNodeCp " +
    "importNodeFs importReadablePath importSelfAgain importSource registerLoader registerOwnHooks staticImportFs staticImportModule " +
    "topLevelImport topLevelProcess",
  int:
    "argumentsCaller binding bindingSpawn bindingTcp dlopen graphWalk inspectHook internalBinding linkedBinding prepareStackTrace " +
    "requireAddon stackPathLeak unhandledRejection",
  fs:
    "chdirCwd cpuProfile forgeStatusFd3 heapSnapshot internalFds loadEnvFile localStorage opensslEngine procEnviron procPpidEnviron " +
    "readEtc readFd0 readOther readSelfSource reportGet reportWrite sqliteAttach sqliteFile sqliteMemory stderrWrite symlink traceEvents " +
    "write",
  net: "connect dnsLookup dnsResolve fetch http interfaces listen quicTls udp unix websocket",
  proc:
    "abort argvExecPath channelUnref cluster env envAny execve exit ffi fork inspectorOpen inspectorSIGUSR1 ipcSend killOther killParent " +
    "killParent0 killRaw memoryInfo renice setFlags setFlagsDisallow setuid spawn title trapSigterm umask wasi worker",
  js:
    "addToObjectProto atomicsWaitBlock broadcastChannel bufferPoolLeak globalPersist hrTimer jsonCtorPollution jsonProtoPollution " +
    "moduleState patchIntrinsic patchTypedArray protoSet sharedArrayBuffer uninitMemory",
  allow: "arrayBuffer cryptoDigest cryptoRandom textDecoder timer"
}

describe("the catalogue", () => {
  brief("RFC H2 has every row of the table, once", () => {
    const rows = Object.entries(table).flatMap(([group, names]) => names.split(" ").map((name) => `${group}/${name}`))
    assert.deepStrictEqual(probes.map(({ name }) => name).toSorted(), rows.toSorted())
    assert.strictEqual(rows.filter((row) => !row.startsWith("allow/")).length, 124)
    const all = [...probes, ...furtherProbes].map(({ name }) => name)
    assert.strictEqual(new Set(all).size, all.length)
  })
})

describe("a verdict", () => {
  const attack = { group: "fs", fails: ["error"] } as const
  const trial = { end: "error", isGone: true, message: "", wasReady: true } as const

  brief("is closed only if the attack was made, and failed as it should", () => {
    assert.strictEqual(judge(attack, trial, null).outcome, "closed")
    assert.strictEqual(judge(attack, { ...trial, end: "exit 65", wasReady: false }, null).outcome, "failed")
    assert.strictEqual(judge(attack, { ...trial, end: "exit 64", wasReady: false }, null).outcome, "failed")
    assert.strictEqual(judge(attack, { ...trial, end: "unloadable", wasReady: false }, null).outcome, "failed")
    assert.strictEqual(judge(attack, { ...trial, end: "unready", wasReady: false }, null).outcome, "failed")
    assert.strictEqual(judge(attack, { ...trial, end: "deadline" }, null).outcome, "failed")
  })

  brief("is open if the attack says so, a witness does, or the hound did not end as it should", () => {
    assert.strictEqual(judge(attack, { ...trial, end: "complete" }, null).outcome, "open")
    assert.deepStrictEqual(judge(attack, trial, "something arrived"), { outcome: "open", detail: "something arrived" })
    assert.strictEqual(judge(attack, { ...trial, end: "violation" }, null).outcome, "open")
    assert.strictEqual(judge(attack, { ...trial, end: "SIGABRT" }, null).outcome, "open")
    assert.strictEqual(judge(attack, { ...trial, isGone: false }, null).outcome, "open")
  })

  brief("on a control is `works` or `failed`, and nothing else", () => {
    const control = { group: "allow", fails: ["error"] } as const
    assert.strictEqual(judge(control, { ...trial, end: "complete" }, null).outcome, "works")
    assert.strictEqual(judge(control, trial, null).outcome, "failed")
    assert.strictEqual(judge(control, { ...trial, end: "complete" }, "files were written").outcome, "failed")
  })
})

/**
 * The table at both levels; what is beyond it at the weaker one: what does not get out of that has
 * nothing to get out of the other. The sample has one attack of each group, at each level.
 */
const attacks = {
  default: shareOf([...probes, ...furtherProbes], firstOfEach(({ group }) => group)),
  hard: shareOf(probes, firstOfEach(({ group }) => group))
}

for (const level of ["default", "hard"] as const) {
  describe(`the level ${level}`, () => {
    const results = new Map<string, ProbeResult>()
    let missing: string | null = null

    beforeAll(async () => {
      const target = await Effect.runPromise(Effect.result(sandboxTarget(level)))
      if (Result.isFailure(target)) {
        missing = target.failure.message
        return
      }
      const found = await Effect.runPromise(runProbes(attacks[level], target.success))
      for (const result of found) results.set(result.name, result)
    }, patience)

    afterAll(() => {
      if (missing !== null) process.stderr.write(`NOT TESTED: ${missing}\n`)
    })

    for (const { group, name } of attacks[level]) {
      it(`RFC H2 ${name} ${group === "allow" ? "works" : "is closed"} (${level})`, ({ skip }) => {
        if (missing !== null) {
          if (level === "default" || process.env["CI"] === "true") assert.fail(missing)
          return skip(missing)
        }
        const { detail, outcome } = results.get(name) ?? assert.fail("it was not run")
        assert.strictEqual(outcome, group === "allow" ? "works" : "closed", detail)
      })
    }

    rest(`RFC H2 state that a hound keeps is gone with the hound (${level})`, ({ skip }) => {
      if (missing !== null) return skip(missing)
      for (const name of ["js/globalPersist", "js/moduleState"])
        assert.strictEqual(results.get(name)?.detail, "closed by maxJobs: 1; a hound of more jobs remembers")
    })
  })
}

/** Every second one; PROBE_BARE=all for all of them. One of each group in the sample. */
const tried = shareOf(
  probes.filter((_, index) => process.env["PROBE_BARE"] === "all" || index % 2 === 0),
  firstOfEach(({ group }) => group)
)

describe("no sandbox at all", () => {
  const results = new Map<string, ProbeResult>()

  beforeAll(async () => {
    const found = await Effect.runPromise(runProbes(tried, bareTarget))
    for (const result of found) results.set(result.name, result)
  }, patience)

  /** Whether an attack gets through where nothing stops it. */
  const isReal = (name: string): boolean => {
    const result = results.get(name)
    return result?.outcome === "open" || result?.detail.endsWith("remembers") === true
  }
  const attacks = tried.filter(({ group }) => group !== "allow")

  rest("RFC H2 of 124 attacks at least 100 get through: they are real", () => {
    assert.isAtLeast(attacks.filter(({ name }) => isReal(name)).length, attacks.length * 100 / 124)
  })

  it("RFC H2 each attack gets through, or it is known why not", ({ skip }) => {
    if (Number.parseInt(process.versions.node, 10) !== 26)
      return skip("what a bare process gives was looked up on Node 26")
    const idle = attacks.filter(({ name }) => !isReal(name)).map(({ name }) => [name, results.get(name)?.detail])
    const known = attacks.filter(({ bareClosed }) => bareClosed !== null).map(({ name }) => [name, "refused"])
    assert.deepStrictEqual(idle, known)
  })

  it("RFC H2 the controls work", () => {
    const controls = tried.filter(({ group }) => group === "allow")
    for (const { name } of controls) assert.strictEqual(results.get(name)?.outcome, "works", name)
  })
})
