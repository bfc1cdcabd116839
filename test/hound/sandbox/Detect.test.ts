import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { createHash } from "node:crypto"
import { readFileSync, realpathSync } from "node:fs"
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { LaunchPlan } from "../../../src/hound/process/Spawner.ts"
import { detectSandbox, type Machine, thisMachine } from "../../../src/hound/sandbox/Detect.ts"
import type { Mechanism, Sandbox, SandboxRequest } from "../../../src/hound/sandbox/Sandbox.ts"
import { children, eventually, hasProc } from "../process/spawners.ts"
import { hasHard, withoutIt } from "./boots.ts"

const request: SandboxRequest = { level: "default", maxPayloadSize: 1_000_000, debug: false }

/** This machine, but nothing is started, and all of it works. */
const calm: Machine = {
  ...thisMachine(),
  platform: "linux",
  architecture: "x64",
  uid: 1_000,
  tryOut: () => Effect.succeed(null)
}

const detect = (change: Partial<SandboxRequest>, machine: Machine = calm): Promise<Sandbox> =>
  Effect.runPromise(detectSandbox({ ...request, ...change }, machine))

const refusal = (analyzer: SandboxRequest["analyzer"]): Promise<string> =>
  Effect.runPromise(Effect.map(Effect.flip(detectSandbox({ ...request, analyzer }, calm)), ({ message }) => message))

const mechanism = ({ report }: Sandbox, name: Mechanism["name"]): Mechanism => {
  const found = report.mechanisms.find((mechanism) => mechanism.name === name)
  if (found === undefined) throw new Error(`no mechanism ${name}`)
  return found
}
const notes = ({ report }: Sandbox): string => report.mechanisms.map(({ note }) => note).join("\n")

const withFiles = async (use: (directory: string, analyzer: string) => Promise<void>): Promise<void> => {
  const directory = realpathSync(await mkdtemp(join(tmpdir(), "sandbox-")))
  try {
    await chmod(directory, 0o755)
    const analyzer = join(directory, "analyzer.mjs")
    await writeFile(analyzer, "export const analyze = () => {}", { mode: 0o644 })
    await use(directory, analyzer)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

const hashOf = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex")

describe("detectSandbox: the analyzer", () => {
  it("RFC H2 is pinned by its real path and its SHA-256", () =>
    withFiles(async (directory, path) => {
      const link = join(directory, "link.mjs")
      await symlink(path, link)
      const { plan } = await detect({ analyzer: { path: link, sha256: hashOf(path).toUpperCase() } })
      assert.deepStrictEqual(plan?.args.slice(-2), [path, hashOf(path)])
    }))

  it("RFC H2 is Tracehound's own where none is configured", async () => {
    const { plan } = await detect({})
    assert.match(plan?.args.at(-2) ?? "", /builtin\.mjs$/)
  })

  it("RFC H2 is refused with a message that says what to do", () =>
    withFiles(async (directory, path) => {
      await mkdir(join(directory, "a*b"))
      const expected: ReadonlyArray<readonly [string, string]> = [
        ["analyzer.mjs", "must be absolute"],
        [join(directory, "gone.mjs"), "cannot be read"],
        [directory, "must be a file"],
        [join(directory, "a*b", "c.mjs"), "must not have a star"]
      ]
      for (const [path, part] of expected) assert.include(await refusal({ path }), part)
      const changed = await refusal({ path, sha256: "0".repeat(64) })
      assert.include(changed, hashOf(path))
    }))
})

describe("detectSandbox: the machine", () => {
  it("RFC H2 none where there can be no hounds, and it says why", async () => {
    const unfit: ReadonlyArray<readonly [Partial<Machine>, string]> = [
      [{ platform: "win32" }, "Windows"],
      [{ versions: { ...calm.versions, bun: "1.4.0" } }, "bun"],
      [{ versions: { ...calm.versions, deno: "2.9.0" } }, "deno"],
      [{ versions: { ...calm.versions, electron: "40.0.0" } }, "electron"],
      [{ knownFlags: new Set(["--permission"]) }, "--frozen-intrinsics"],
      [{ tryOut: () => Effect.succeed("it fell over") }, "it fell over"]
    ]
    for (const [change, part] of unfit) {
      const sandbox = await detect({}, { ...calm, ...change })
      assert.isNull(sandbox.plan)
      assert.strictEqual(sandbox.report.level, "none")
      assert.isTrue(sandbox.report.mechanisms.every(({ holds, note }) => !holds && note.includes(part)), notes(sandbox))
    }
  })

  it("RFC H2 every mechanism has one note, which is true of this machine", async () => {
    const sandbox = await detect({})
    const names = sandbox.report.mechanisms.map(({ name }) => name)
    assert.strictEqual(new Set(names).size, 8)
    for (const { note } of sandbox.report.mechanisms) assert.isAbove(note.length, 10)
    assert.deepInclude(sandbox.report, { configured: "default", level: "default", platform: "linux x64" })
    assert.strictEqual(mechanism(sandbox, "networkDeniedByFlag").holds, calm.knownFlags.has("--allow-net"))
    const older = await detect({}, {
      ...calm,
      knownFlags: new Set([...calm.knownFlags].filter((flag) => flag !== "--allow-net"))
    })
    assert.isFalse(mechanism(older, "networkDeniedByFlag").holds)
    assert.include(mechanism(older, "networkDeniedByFlag").note, "lockdown")
  })

  it("RFC H2 macOS is not measured, and its memory is not limited", async () => {
    const sandbox = await detect({ level: "hard" }, { ...calm, platform: "darwin", architecture: "arm64" })
    assert.deepInclude(sandbox.report, { level: "default", configured: "hard", measured: false })
    for (const name of ["resourceLimits", "memoryMonitor", "seccomp"] as const)
      assert.isFalse(mechanism(sandbox, name).holds, name)
    assert.include(mechanism(sandbox, "seccomp").note, "needs Linux")
    assert.sameMembers([...sandbox.report.lacking], ["resourceLimits", "memoryMonitor"])
    assert.notInclude(sandbox.plan?.args[1] ?? "", "ulimit -d")
  })

  it("RFC H2 without a shell there are no limits, and it says so", async () => {
    const sandbox = await detect({}, { ...calm, shell: "/nowhere/sh", path: ["/nowhere"] })
    assert.strictEqual(sandbox.plan?.file, realpathSync(process.execPath))
    assert.isFalse(mechanism(sandbox, "resourceLimits").holds)
    assert.deepStrictEqual(sandbox.report.lacking, ["resourceLimits"])
  })

  it("RFC H2 hounds gain no rights where setpriv works, and are there all the same where it does not", () =>
    withFiles(async (directory) => {
      const setpriv = join(directory, "setpriv")
      await writeFile(setpriv, "#!/bin/sh\n", { mode: 0o755 })
      const machine = { ...calm, path: ["/nowhere", directory] }
      const has = ({ plan }: Sandbox): boolean => plan?.args.includes(setpriv) ?? assert.fail("no plan")
      assert.isTrue(has(await detect({}, machine)))
      assert.isFalse(has(await detect({}, { ...machine, platform: "darwin" })))
      const refusing = (plan: LaunchPlan) => Effect.succeed(plan.args.includes(setpriv) ? "no such option" : null)
      const without = await detect({}, { ...machine, tryOut: refusing })
      assert.isFalse(has(without))
      assert.deepInclude(without.report, { level: "default", lacking: [] })
      const nothing = await detect({}, { ...machine, tryOut: () => Effect.succeed("it fell over") })
      assert.include(notes(nothing), "by setpriv does not work here")
      await chmod(setpriv, 0o644)
      assert.isFalse(has(await detect({}, machine)))
    }))

  it("RFC H2 hard never becomes default in silence", async () => {
    const without = await detect({ level: "hard" }, { ...calm, path: ["/nowhere"] })
    assert.strictEqual(without.report.level, "default")
    assert.include(mechanism(without, "namespaces").note, "install")
    assert.isNull(without.plan?.feed)
    await withFiles(async (directory) => {
      await writeFile(join(directory, "bwrap"), "#!/bin/sh\n", { mode: 0o755 })
      const fails = (plan: LaunchPlan) => Effect.succeed(plan.feed === null ? null : "no namespaces here")
      const failing = await detect({ level: "hard" }, { ...calm, path: [directory], tryOut: fails })
      assert.strictEqual(failing.report.level, "default")
      assert.include(mechanism(failing, "namespaces").note, "no namespaces here")
      const working = await detect({ level: "hard" }, { ...calm, path: [directory] })
      assert.strictEqual(working.report.level, "hard")
      assert.include(working.plan?.args ?? [], join(directory, "bwrap"))
      assert.deepStrictEqual(working.report.lacking, [])
    })
  })
})

describe("detectSandbox: root", () => {
  const root: Machine = { ...calm, uid: 0 }

  it("RFC H2 hounds of root run as nobody, where everybody can read their files", () =>
    withFiles(async (directory, path) => {
      const seen: Array<LaunchPlan> = []
      const open = { ...root, tryOut: (plan: LaunchPlan) => Effect.succeed(seen.push(plan) > 0 ? null : "") }
      const dropped = await detect({ analyzer: { path } }, open)
      if (!mechanism(dropped, "userDropped").holds) return withoutIt("a checkout that everybody may read")
      assert.deepInclude(dropped.plan, { uid: 65_534, gid: 65_534 })
      assert.strictEqual(seen[0]?.uid, 65_534)
      for (const [target, mode] of [[path, 0o600], [directory, 0o700]] as const) {
        await chmod(target, mode)
        const kept = await detect({ analyzer: { path } }, open)
        assert.notProperty(kept.plan, "uid")
        assert.include(mechanism(kept, "userDropped").note, target)
        await chmod(target, 0o755)
      }
    }))

  it("RFC H2 hounds of root run as root where it may not become nobody, and the report says so", () =>
    withFiles(async (_, path) => {
      const bound = (plan: LaunchPlan) => Effect.succeed(plan.uid === undefined ? null : "spawn EPERM")
      const sandbox = await detect({ analyzer: { path } }, { ...root, tryOut: bound })
      assert.strictEqual(sandbox.report.level, "default")
      assert.notProperty(sandbox.plan, "uid")
      assert.isFalse(mechanism(sandbox, "userDropped").holds)
      assert.deepStrictEqual(sandbox.report.lacking, ["userDropped"])
      assert.match(mechanism(sandbox, "userDropped").note, /as root.*(?:EPERM|not everybody)/)
    }))
})

describe("this machine, for real", () => {
  it("RFC H2 the level that is configured is the one in effect", async () => {
    for (const level of ["default", "hard"] as const) {
      if (level === "hard" && !hasHard) {
        withoutIt("bubblewrap")
        continue
      }
      const { plan, report } = await Effect.runPromise(detectSandbox({ ...request, level }))
      assert.strictEqual(report.level, level, JSON.stringify(report.mechanisms))
      assert.isNotNull(plan)
      assert.strictEqual(report.mechanisms.find(({ name }) => name === "seccomp")?.holds, level === "hard")
    }
  })

  it.live("RFC R4 who is interrupted leaves no process, and takes no trial from who shares it", () =>
    Effect.gen(function*() {
      if (!hasProc) return
      const before = children()
      // A size that nobody has asked for: this process remembers plans that worked.
      const mine = detectSandbox({ ...request, maxPayloadSize: 33 * 1_048_576 })
      for (const moment of [1, 10, 30, 60]) {
        const alone = yield* Effect.forkChild(mine)
        yield* Effect.sleep(moment)
        yield* Fiber.interrupt(alone)
        assert.deepStrictEqual(children(), before, `${moment} ms`)
      }
      const [first, second, third] = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(mine))
      yield* Effect.promise(() => eventually(() => children().length > before.length))
      assert.lengthOf(children(), before.length + 1, "one trial")
      if (first !== undefined) yield* Fiber.interrupt(first)
      if (third !== undefined) yield* Fiber.interrupt(third)
      const sandbox = second === undefined ? assert.fail("nobody is left") : yield* Fiber.join(second)
      assert.strictEqual(sandbox.report.level, "default")
      assert.deepStrictEqual(children(), before)
    }))
})
