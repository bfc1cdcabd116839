import { assert, describe, it as every } from "@effect/vitest"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { LocalSpawner } from "../../../src/hound/process/LocalSpawner.ts"
import { familyOf, type MemoryMeter, procMemory, psMemory } from "../../../src/hound/process/ResidentMemory.ts"
import { inTemporaryDirectory } from "../../support/command.ts"
import { amount, lengthy, sampleOf } from "../../support/tiers.ts"
import { spawnerContract } from "./spawnerContract.ts"
import {
  children,
  descriptorsOf,
  eventually,
  exists,
  hasProc,
  holding,
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
  name: "LocalSpawner",
  make: (behaviour) =>
    new LocalSpawner(behaviour === "unspawnable" ? unspawnable : planFor(behaviour, behaviour === "exits" ? "3" : ""))
}, it)

describe("LocalSpawner", () => {
  it("RFC H2 a hound gets what the plan says and nothing else", () =>
    using(
      new LocalSpawner(planFor("tells", "feed", { env: { ONLY: "this" }, feed: Uint8Array.of(1, 2, 254) })),
      async (localSpawner) => {
        const hound = launched(localSpawner, 1)
        await hound.whenUp
        const told = JSON.parse((await take(hound.pipe ?? assert.fail("no pipe"), 1)).toString()) as Record<
          string,
          unknown
        >
        assert.deepInclude(told, { env: { ONLY: "this" }, cwd: "/", feed: "0102fe" })
      }
    ))

  // Only root may choose whom a process runs as.
  it.runIf(process.getuid?.() === 0)(
    "RFC H2 a hound runs as the user that the plan says",
    () =>
      using(
        new LocalSpawner(
          planFor("tells", "", {
            file: "/bin/sh",
            args: ["-c", "id -u >&3; id -g >&3; id -G >&3; read x <&3"],
            env: { PATH: "/usr/bin:/bin" },
            uid: 65_534,
            gid: 65_533
          })
        ),
        async (localSpawner) => {
          const hound = launched(localSpawner, 1)
          await hound.whenUp
          let told = ""
          hound.pipe?.setEncoding("latin1").on("data", (text: string) => {
            told += text
          }).resume()
          await eventually(() => told.split("\n").length === 4)
          assert.deepStrictEqual(told.split("\n"), ["65534", "65533", "65533", ""])
        }
      )
  )

  it("RFC H1 hands a pipe over before anything was read from it, and loses no byte that the hound sent first", () =>
    using(new LocalSpawner(planFor("greets")), async (localSpawner) => {
      const hound = launched(localSpawner, 1)
      await hound.whenUp
      assert.isTrue(hound.pipe?.isPaused())
      assert.strictEqual(hound.pipe?.bytesRead, 0)
      assert.strictEqual(hound.pipe?.listenerCount("data"), 0)
      assert.deepStrictEqual(
        await take(hound.pipe ?? assert.fail("no pipe"), 1_000),
        Buffer.from(new Uint8Array(1_000).map((_, i) => i))
      )
    }))

  it("RFC H1 tells another process's signal from the spawner's own", () =>
    using(new LocalSpawner(planFor("aborts")), async (localSpawner) => {
      assert.deepInclude(await launched(localSpawner, 1).whenDown, { cause: "signal", code: null, signal: "SIGTERM" })
      const hound = launched(localSpawner, 2)
      await hound.whenUp
      process.kill(hound.pid, "SIGKILL")
      assert.deepInclude(await hound.whenDown, { cause: "signal", signal: "SIGKILL" })
    }))

  it("RFC H1 an error that spawn throws at once is heard later as well", () =>
    holding(async () => {
      for (
        const plan of [
          planFor("waits", "", { args: ["a\0b"] }),
          planFor("waits", "", { cwd: "/nowhere" }),
          planFor("waits", "", { file: "" })
        ]
      ) {
        const localSpawner = new LocalSpawner(plan)
        const hound = launched(localSpawner, 1)
        assert.deepStrictEqual(hound.heard, [])
        const exit = await hound.whenDown
        assert.strictEqual(exit.cause, "spawn")
        assert.match(exit.message, /^[ -~]{1,256}$/)
        await localSpawner.close()
      }
    }))

  it("RFC H1 keeps stderr up to its bound, as printable text", () =>
    holding(async () => {
      for (
        const [bytes, value, message] of [
          [200, "", "why it ends:? ??"],
          [8, "", "why it e"],
          [64, "much", `why it ends:? ???${"x".repeat(64 - 17)}`],
          [0, "much", ""]
        ] as const
      ) {
        const localSpawner = new LocalSpawner(planFor("talks", value, { stderrBytes: bytes }))
        const hound = launched(localSpawner, 1)
        await hound.whenUp
        // It goes on until nobody reads, and then waits for its pipe to end.
        if (value === "much" && bytes === 0) localSpawner.kill(1)
        const down = hound.whenDown
        setTimeout(() => hound.pipe?.destroy(), 0)
        assert.strictEqual((await down).message, message)
        await localSpawner.close()
      }
    }))

  lengthy(every).runIf(hasProc)(
    `RFC H6 leaves no zombie and no descriptor behind, whatever became of ${howMany} hounds`,
    {
      timeout: 600_000
    },
    () =>
      holding(async () => {
        const before = { descriptors: descriptorsOf("self"), children: children() }
        const pids: Array<number> = []
        const waiting = new LocalSpawner(planFor("waits", "", { stderrBytes: 10, feed: Uint8Array.of(1) }))
        const failing = new LocalSpawner(unspawnable)
        for (let id = 0; id < howMany; id++) {
          const hound = launched(waiting, id)
          if (id % 3 !== 0) await hound.whenUp
          pids.push(hound.pid)
          if (id % 3 === 1) hound.pipe?.destroy()
          else waiting.kill(id)
          await Promise.all([hound.whenDown, launched(failing, id).whenDown])
        }
        await Promise.all([waiting.close(), failing.close()])
        await eventually(() => descriptorsOf("self") <= before.descriptors)
        assert.deepStrictEqual(children(), before.children)
        assert.deepStrictEqual(pids.filter((pid) => pid > 0 && exists(pid)), [])
      })
  )

  describe("memory", () => {
    for (const [name, meter] of [["/proc", procMemory()], ["ps", psMemory()]] as const) {
      it.runIf(hasProc)(
        `RFC H2 a hound that is watched and holds too much is killed, by ${name}`,
        () =>
          using(
            new LocalSpawner(planFor("grows", "200", { maxRss: 180 * MiB }), { memory: meter }),
            async (localSpawner) => {
              const [watched, other] = [launched(localSpawner, 1), launched(localSpawner, 2)]
              await Promise.all([watched.whenUp, other.whenUp])
              // A hound that is not watched may hold what it likes.
              await take(other.pipe ?? assert.fail("no pipe"), 24)
              localSpawner.watch(1, true)
              assert.deepInclude(await watched.whenDown, { cause: "rss", signal: "SIGKILL" })
              assert.deepStrictEqual(other.heard, ["up"])
              localSpawner.watch(2, true)
              assert.deepInclude(await other.whenDown, { cause: "rss" })
            }
          )
      )

      it.runIf(hasProc)(`RFC H2 a process that has ended holds nothing, by ${name}`, () =>
        holding(async () => {
          const asked: Array<[number, number]> = []
          let answered = false
          await eventually(() => {
            meter.measure([process.pid, 2 ** 22 + 1], (pid, bytes) => {
              asked.push([pid, bytes])
              answered = true
            })
            return answered
          })
          const own = new Map(asked).get(process.pid) ?? 0
          const rss = process.memoryUsage.rss()
          assert.isTrue(own > rss / 2 && own < rss * 4, `${own} of ${rss}`)
          assert.strictEqual(new Map(asked).get(2 ** 22 + 1) ?? 0, 0)
        }))
    }

    it.runIf(hasProc)(
      "RFC H2 counts what a hound's descendants hold: within bubblewrap the hound is one of them",
      () =>
        using(
          new LocalSpawner(planFor("works", "", { file: "/bin/sh", args: ["-c", "sleep 1000 & sleep 1000 & wait"] })),
          async (localSpawner) => {
            const hound = launched(localSpawner, 1)
            await hound.whenUp
            await eventually(() => familyOf(hound.pid).length === 3)
            const sums = new Map<number, number>()
            const { measure } = procMemory()
            measure(familyOf(hound.pid), (pid, bytes) => sums.set(pid, bytes))
            const [first = 0, ...rest] = [...sums.values()]
            assert.isAbove(first, rest.reduce((sum, bytes) => sum + bytes, 0))
            for (const pid of familyOf(hound.pid).slice(1)) process.kill(pid, "SIGKILL")
            await hound.whenDown
          }
        )
    )

    it("RFC H2 measures while something is watched, and only then", () => {
      let measurements = 0
      const meter: MemoryMeter = {
        interval: 1,
        measure: (pids) => {
          measurements += 1
          assert.lengthOf(pids, 1)
        }
      }
      return using(new LocalSpawner(planFor("waits"), { memory: meter }), async (localSpawner) => {
        const hounds = [launched(localSpawner, 1), launched(localSpawner, 2)]
        await Promise.all(hounds.map(({ whenUp }) => whenUp))
        localSpawner.watch(1, true)
        await eventually(() => measurements > 2)
        localSpawner.watch(1, false)
        const seen = measurements
        await new Promise((resolve) => {
          setTimeout(resolve, 20)
        })
        assert.strictEqual(measurements, seen)
        localSpawner.watch(2, true)
        await eventually(() => measurements > seen)
        localSpawner.kill(2)
        await hounds[1]?.whenDown
        const last = measurements
        await new Promise((resolve) => {
          setTimeout(resolve, 20)
        })
        assert.strictEqual(measurements, last)
      })
    })
  })

  it("RFC H6 keeps no process alive", () =>
    inTemporaryDirectory(async (directory) => {
      const localSpawnerModule = new URL("../../../src/hound/process/LocalSpawner.ts", import.meta.url).href
      const program = join(directory, "host.mjs")
      writeFileSync(
        program,
        `import { LocalSpawner } from ${JSON.stringify(localSpawnerModule)}
         const spawner = new LocalSpawner(${
          JSON.stringify({ ...planFor("waits"), maxRss: 1e12, stderrBytes: 10, feed: null })
        })
         spawner.launch(1, { up: (pid, pipe) => { spawner.watch(1, true); pipe.unref(); console.log("up") }, down: () => console.log("down") })`
      )
      const { spawnSync } = await import("node:child_process")
      const { status, stdout } = spawnSync(process.execPath, [program], { encoding: "utf8", timeout: 20_000 })
      assert.deepStrictEqual([status, stdout], [0, "up\n"])
    }))
})
