import { assert, describe, it as every } from "@effect/vitest"
import { spawn } from "node:child_process"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { pathToFileURL } from "node:url"
import { ForkServer } from "../../../src/hound/process/ForkServer.ts"
import { inTemporaryDirectory } from "../../support/command.ts"
import { amount, lengthy, sampleOf } from "../../support/tiers.ts"
import { spawnerContract } from "./spawnerContract.ts"
import {
  descriptorsOf,
  eventually,
  exists,
  hasProc,
  holding,
  isAlive,
  launched,
  planFor,
  take,
  unspawnable,
  using
} from "./spawners.ts"

const it = sampleOf(every, 4)
const howMany = amount({ sample: 0, rest: 50, long: 1000 })

const MiB = 1_048_576

spawnerContract({
  name: "ForkServer",
  make: (behaviour) =>
    new ForkServer(behaviour === "unspawnable" ? unspawnable : planFor(behaviour, behaviour === "exits" ? "3" : ""))
}, it)

/** Holds this process up, as a host with much to do. */
const standStill = (ms: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

const parentOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ")[1])

/** The processes of a group that can still do something. */
const membersOf = (group: number): ReadonlyArray<number> =>
  readdirSync("/proc").map(Number).filter((pid) => {
    if (!(pid > 0)) return false
    try {
      const [state, , itsGroup] = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.split(" ") ?? []
      return Number(itsGroup) === group && state !== "Z"
    } catch {
      return false
    }
  })

describe("ForkServer", () => {
  it.runIf(hasProc)(
    "RFC H1 hounds are the fork server's children and not the host's, in a group of their own",
    () =>
      using(new ForkServer(planFor("waits")), async (forkServer) => {
        assert.strictEqual(forkServer.pid(), null)
        const hound = launched(forkServer, 1)
        await hound.whenUp
        const pid = forkServer.pid() ?? assert.fail("no fork server")
        assert.strictEqual(parentOf(hound.pid), pid)
        assert.strictEqual(parentOf(pid), process.pid)
        assert.deepStrictEqual([...membersOf(pid)].sort((a, b) => a - b), [pid, hound.pid].sort((a, b) => a - b))
        assert.notInclude(readFileSync(`/proc/${pid}/environ`, "latin1"), "PATH=")
      })
  )

  it("RFC H1 loses nothing that a hound sends while its pipe is on its way", () =>
    using(new ForkServer(planFor("greets")), async (forkServer) => {
      const first = launched(forkServer, 0)
      await first.whenUp
      const hounds = [1, 2, 3, 4].map((id) => launched(forkServer, id))
      // The fork server spawns all and cannot hand over more than one: this host does not answer.
      standStill(1_000)
      for (const hound of [first, ...hounds]) {
        await hound.whenUp
        assert.isTrue(hound.pipe?.isPaused())
        const said = await take(hound.pipe ?? assert.fail("no pipe"), 1_000)
        assert.deepStrictEqual(said, Buffer.from(new Uint8Array(1_000).map((_, i) => i)))
      }
      assert.strictEqual(forkServer.starts(), 1, "a host that was held up itself blames nobody")
    }))

  it("RFC H1 hands the whole plan on", () =>
    using(
      new ForkServer(planFor("tells", "feed", { env: { ONLY: "this" }, feed: Uint8Array.of(1, 2, 254) })),
      async (forkServer) => {
        const hound = launched(forkServer, 1)
        await hound.whenUp
        const told = JSON.parse((await take(hound.pipe ?? assert.fail("no pipe"), 1)).toString()) as Record<
          string,
          unknown
        >
        assert.deepInclude(told, { env: { ONLY: "this" }, cwd: "/", feed: "0102fe" })
      }
    ))

  it("RFC H1 reports what a hound wrote to stderr", () =>
    using(new ForkServer(planFor("talks", "", { stderrBytes: 100 })), async (forkServer) => {
      assert.deepInclude(await launched(forkServer, 1).whenDown, {
        cause: "exit",
        code: 66,
        message: "why it ends:? ??"
      })
    }))

  it.runIf(hasProc)(
    "RFC H2 a hound that is watched and holds too much is killed",
    () =>
      using(new ForkServer(planFor("grows", "200", { maxRss: 180 * MiB })), async (forkServer) => {
        const hound = launched(forkServer, 1)
        await hound.whenUp
        forkServer.watch(1, true)
        assert.deepInclude(await hound.whenDown, { cause: "rss", signal: "SIGKILL" })
      })
  )

  lengthy(every).runIf(hasProc)(
    `RFC H6 neither side keeps a descriptor, whatever became of ${howMany} hounds`,
    { timeout: 600_000 },
    () =>
      using(new ForkServer(planFor("waits", "", { stderrBytes: 10 })), async (forkServer) => {
        const pids: Array<number> = []
        const launchAndEnd = async (id: number): Promise<void> => {
          const hound = launched(forkServer, id)
          if (id % 3 !== 0) await hound.whenUp
          pids.push(hound.pid)
          if (id % 3 === 1) hound.pipe?.destroy()
          else forkServer.kill(id)
          await hound.whenDown
        }
        for (let id = 0; id < 5; id++) await launchAndEnd(id)
        const pid = forkServer.pid() ?? assert.fail("no fork server")
        const [here, there] = [descriptorsOf("self"), descriptorsOf(pid)]
        for (let id = 5; id < 5 + howMany; id++) await launchAndEnd(id)
        await eventually(() => descriptorsOf("self") <= here && descriptorsOf(pid) <= there)
        assert.deepStrictEqual(pids.filter((pid) => pid > 0 && exists(pid)), [])
        // A pipe that was handed over is the host's alone.
        const hound = launched(forkServer, 5 + howMany)
        await hound.whenUp
        await eventually(() => descriptorsOf(pid) <= there + 1)
        assert.strictEqual(forkServer.starts(), 1)
      })
  )

  it.runIf(hasProc)(
    "RFC H6 a fork server that is killed takes its hounds with it, and the next launch has a new one",
    () =>
      using(new ForkServer(planFor("stays")), async (forkServer) => {
        const hounds = [1, 2, 3].map((id) => launched(forkServer, id))
        await Promise.all(hounds.map(({ whenUp }) => whenUp))
        const pid = forkServer.pid() ?? assert.fail("no fork server")
        process.kill(pid, "SIGKILL")
        for (const hound of hounds) assert.deepInclude(await hound.whenDown, { cause: "lost" })
        await eventually(() => !hounds.some((hound) => isAlive(hound.pid)) && !exists(pid))
        assert.deepStrictEqual(membersOf(pid), [])
        const next = launched(forkServer, 4)
        await next.whenUp
        assert.strictEqual(forkServer.starts(), 2)
        assert.notStrictEqual(forkServer.pid(), pid)
        await forkServer.close()
        for (const hound of [...hounds, next]) assert.deepStrictEqual(hound.heard, ["up", "down"])
      })
  )

  it.runIf(hasProc)(
    "RFC H4 a fork server that does not answer is replaced: a kill without its end",
    () =>
      using(new ForkServer(planFor("stays")), async (forkServer) => {
        const hounds = [1, 2].map((id) => launched(forkServer, id))
        await Promise.all(hounds.map(({ whenUp }) => whenUp))
        const pid = forkServer.pid() ?? assert.fail("no fork server")
        process.kill(pid, "SIGSTOP")
        forkServer.kill(1)
        for (const hound of hounds) assert.deepInclude(await hound.whenDown, { cause: "lost" })
        await eventually(() => membersOf(pid).length === 0)
        await launched(forkServer, 3).whenUp
        assert.strictEqual(forkServer.starts(), 2)
      })
  )

  it.runIf(hasProc)(
    "RFC H4 a fork server that does not answer is replaced: a launch without an answer",
    () =>
      using(new ForkServer(planFor("stays")), async (forkServer) => {
        const first = launched(forkServer, 1)
        await first.whenUp
        process.kill(forkServer.pid() ?? assert.fail("no fork server"), "SIGSTOP")
        const second = launched(forkServer, 2)
        assert.deepInclude(await second.whenDown, { cause: "lost" })
        assert.deepStrictEqual(second.heard, ["down"])
        assert.deepInclude(await first.whenDown, { cause: "lost" })
      })
  )

  it.runIf(hasProc)("RFC H6 closing does not wait for a fork server that does not answer", () =>
    holding(async () => {
      const forkServer = new ForkServer(planFor("stays"))
      const hound = launched(forkServer, 1)
      await hound.whenUp
      const pid = forkServer.pid() ?? assert.fail("no fork server")
      process.kill(pid, "SIGSTOP")
      await forkServer.close()
      assert.deepStrictEqual(hound.heard, ["up", "down"])
      assert.isFalse(exists(pid))
      await eventually(() => !isAlive(hound.pid))
    }))

  it.runIf(hasProc)("RFC H6 leaves no process when it has closed", () =>
    holding(async () => {
      const forkServer = new ForkServer(planFor("stays"))
      const hounds = [1, 2].map((id) => launched(forkServer, id))
      await Promise.all(hounds.map(({ whenUp }) => whenUp))
      const pid = forkServer.pid() ?? assert.fail("no fork server")
      await forkServer.close()
      assert.strictEqual(forkServer.pid(), null)
      assert.isFalse(exists(pid))
      for (const hound of hounds) {
        assert.isFalse(exists(hound.pid))
        assert.strictEqual(hound.exit?.cause, "killed")
      }
    }))

  it("RFC H1 fork servers that launch nothing are started ever more seldom, and a waiting launch can be taken back", () =>
    inTemporaryDirectory(async (directory) => {
      const program = join(directory, "forkServer.mjs")
      writeFileSync(program, "process.exit(1)")
      await using(new ForkServer(planFor("waits"), { program: pathToFileURL(program) }), async (forkServer) => {
        // Each is lost with the fork server that was asked for it; the fourth is asked for while
        // nobody is.
        for (const id of [1, 2, 3]) assert.deepInclude(await launched(forkServer, id).whenDown, { cause: "lost" })
        assert.strictEqual(forkServer.starts(), 3)
        const waiting = launched(forkServer, 4)
        assert.strictEqual(forkServer.starts(), 3)
        assert.strictEqual(forkServer.pid(), null)
        forkServer.kill(4)
        assert.deepInclude(await waiting.whenDown, { cause: "killed" })
        const another = launched(forkServer, 5)
        assert.deepInclude(await another.whenDown, { cause: "lost" })
        assert.strictEqual(forkServer.starts(), 4)
        const last = launched(forkServer, 6)
        await forkServer.close()
        assert.deepStrictEqual(last.heard, ["down"])
        assert.strictEqual(forkServer.starts(), 4)
      })
    }))

  it("RFC H4 a fork server that never begins is replaced", () =>
    inTemporaryDirectory(async (directory) => {
      const program = join(directory, "forkServer.mjs")
      writeFileSync(program, "setInterval(() => undefined, 1000)")
      await using(
        new ForkServer(planFor("waits"), { program: pathToFileURL(program), patience: 100, startPatience: 200 }),
        async (forkServer) => {
          assert.deepInclude(await launched(forkServer, 1).whenDown, { cause: "lost" })
          assert.strictEqual(forkServer.starts(), 1)
        }
      )
    }))

  it.runIf(hasProc)(
    "RFC H6 a host that is killed leaves no fork server and no hound, not even one that reads nothing",
    () =>
      inTemporaryDirectory(async (directory) => {
        const program = join(directory, "host.mjs")
        const forkServerModule = new URL("../../../src/hound/process/ForkServer.ts", import.meta.url).href
        writeFileSync(
          program,
          `import { ForkServer } from ${JSON.stringify(forkServerModule)}
         setInterval(() => undefined, 1000)
         for (const behaviour of ["stays", "waits", "floods"]) {
           const forkServer = new ForkServer({ ...${JSON.stringify(planFor("stays"))}, args: ${
            JSON.stringify(planFor("stays").args)
          }.with(2, behaviour), maxRss: 1e12 })
           forkServer.launch(1, { up: (pid) => console.log(forkServer.pid() + " " + pid), down: () => undefined })
         }`
        )
        const host = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] })
        const pids: Array<number> = []
        try {
          createInterface(host.stdout).on("line", (line) => pids.push(...line.split(" ").map(Number)))
          await eventually(() => pids.length === 6)
          assert.isTrue(pids.every(isAlive))
          host.kill("SIGKILL")
          await eventually(() => !pids.some(isAlive))
        } finally {
          host.kill("SIGKILL")
          for (const pid of pids) if (isAlive(pid)) process.kill(pid, "SIGKILL")
        }
      })
  )

  it("RFC H6 keeps no process alive, and is not left behind by one that ends", () =>
    inTemporaryDirectory(async (directory) => {
      const program = join(directory, "host.mjs")
      const forkServerModule = new URL("../../../src/hound/process/ForkServer.ts", import.meta.url).href
      writeFileSync(
        program,
        `import { ForkServer } from ${JSON.stringify(forkServerModule)}
         const forkServer = new ForkServer({ ...${JSON.stringify(planFor("stays"))}, maxRss: 1e12 })
         const hold = setInterval(() => undefined, 1000)
         forkServer.launch(1, { up: (pid) => { console.log(forkServer.pid() + " " + pid); forkServer.watch(1, true); clearInterval(hold) }, down: () => console.log("down") })`
      )
      const host = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] })
      let said = ""
      host.stdout.setEncoding("utf8").on("data", (text: string) => {
        said += text
      })
      const status = await new Promise((resolve) => {
        host.on("close", resolve)
      })
      assert.strictEqual(status, 0)
      const pids = said.trim().split(" ").map(Number)
      assert.lengthOf(pids, 2)
      await eventually(() => !pids.some(isAlive))
    }))
})
