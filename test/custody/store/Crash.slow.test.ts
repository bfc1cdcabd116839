/**
 * What is on disk after the worst that can happen to a process and to a disk (SYS L2).
 *
 * **Gotchas**
 *
 * - kill -9 says nothing about fsync, as the system's cache survives it: strace says that it is
 *   called, and makes it fail. Where there is no strace these tests are skipped, aloud; under
 *   CI=true they fail.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { Readings } from "../../../src/custody/store/Readings.ts"
import { openWriter } from "../../../src/custody/store/Sqlite.ts"
import { migrate } from "../../../src/custody/store/StoreSchema.ts"
import { random } from "../../support/random.ts"
import { amount, hunt, restOf } from "../../support/tiers.ts"
import { append, bodyOf, openIn, pushTo, temporaryDirectory } from "./stores.ts"

const program = join(import.meta.dirname, "crashChild.ts")

/** What a child said to be durable by its end: the number on its last whole line. */
const durableBy = (lines: string): number => Number(lines.slice(0, lines.lastIndexOf("\n")).split("\n").at(-1) ?? 0)

/** Resolves with all that the child wrote. `onFirst` is called with its first line. */
const outputOf = (child: ChildProcess, onFirst: () => void): Effect.Effect<string> =>
  Effect.promise(() =>
    new Promise((resolve) => {
      let lines = ""
      child.stdout?.on("data", (chunk: Buffer) => {
        if (lines === "") onFirst()
        lines += chunk.toString()
      })
      child.once("close", () => resolve(lines))
    })
  )

/** Opens the directory again: entries without a gap and so many pieces, or more of both. */
const inspect = (directory: string, durable: number, steps: number) =>
  Effect.gen(function*() {
    const store = yield* openIn(directory)
    const { size } = store.opened
    assert.isAtLeast(size, durable)
    const rows = yield* store.rows(0, size + 1)
    assert.strictEqual(rows.length, size)
    assert.isTrue(rows.every(({ body, sequence }, i) => sequence === i && body === bodyOf(i)))
    assert.isAtLeast((yield* store.journal.pieces(-1, size + 1)).length, steps)
    yield* append(store, size, size + 1)
  }).pipe(Effect.scoped, Effect.orDie)

const stepsIn = (lines: string): number => lines.split("\n").length - 1

describe("a process that is killed", () => {
  const { runs, seed } = hunt("KILLS", { seed: 1, runs: 50, long: 1_000 })

  it.live("SYS L2 leaves all that it had said to be durable, and no gap", () =>
    Effect.gen(function*() {
      const { below } = random(seed)
      const directory = yield* temporaryDirectory
      let steps = 0
      for (let run = 0; run < Math.ceil(runs / amount({ sample: 16, rest: 1, long: 1 })); run++) {
        const child = spawn(process.execPath, [program, directory, "5"], { stdio: ["ignore", "pipe", "inherit"] })
        const lines = yield* outputOf(child, () => setTimeout(() => child.kill("SIGKILL"), below(60)))
        assert.isAbove(durableBy(lines), 0)
        steps += stepsIn(lines)
        yield* inspect(directory, durableBy(lines), steps)
      }
    }), 900_000)
})

describe("a log that was cut or damaged", () => {
  it.live("SYS L2 gives the groups before the cut, whole, and no other", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const path = join(directory, "a.db")
      const again = join(directory, "b.db")
      const db = openWriter(path)
      migrate(db)
      db.exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint = 0")
      const insert = db.prepare("INSERT INTO entries VALUES (?, ?)")
      /** Bytes of the log after each group, and entries by then. */
      const groups: Array<readonly [bytes: number, entries: number]> = [[0, 0]]
      for (let next = 0; next < 200;) {
        db.exec("BEGIN")
        for (let i = 0; i < 20; i++, next++) insert.run(next, bodyOf(next).padEnd(300))
        db.exec("COMMIT")
        groups.push([statSync(`${path}-wal`).size, next])
      }
      // SQLite lets go of its locks with this process's copies: nobody else is here.
      const log = readFileSync(`${path}-wal`)
      copyFileSync(path, join(directory, "base"))
      const entriesWith = (bytes: Uint8Array): number => {
        copyFileSync(join(directory, "base"), again)
        writeFileSync(`${again}-wal`, bytes)
        const reader = openWriter(again)
        const rows = new Readings(reader).rows(0, 999)
        reader.close()
        assert.isTrue(rows.every(({ sequence }, i) => sequence === i))
        return rows.length
      }
      const { below } = random(7)
      const frames = Array.from({ length: Math.floor((log.length - 32) / 4_120) + 1 }, (_, i) => 32 + i * 4_120)
      const boundaries = frames.flatMap((at) => [at - 1, at, at + 1]).filter((at) => at <= log.length)
      const cuts = [
        ...boundaries,
        ...Array.from({ length: amount({ sample: 20, rest: 400, long: 2_000 }) }, () => below(log.length))
      ]
      for (const cut of cuts) {
        const whole = groups.filter(([bytes]) => bytes <= cut).at(-1)?.[1]
        assert.strictEqual(entriesWith(log.subarray(0, cut)), whole, `cut at ${cut}`)
      }
      db.close()
    }))

  it.live("SYS L2 that lost groups without an error of SQLite's is found by the checkpoint beside it", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const store = yield* openIn(directory)
      yield* append(store, 0, 300)
      yield* store.checkpoint
      /** The directory as a crash would leave it, with another log. */
      const opened = Effect.fnUntraced(function*(change: (log: Buffer) => Buffer) {
        const crashed = yield* temporaryDirectory
        for (const name of ["ledger.db", "ledger.checkpoint"]) copyFileSync(join(directory, name), join(crashed, name))
        writeFileSync(join(crashed, "ledger.db-wal"), change(readFileSync(join(directory, "ledger.db-wal"))))
        return yield* Effect.map(openIn(crashed), (store) => store.opened.size)
      }, Effect.scoped)
      assert.strictEqual(yield* opened((log) => log), 300)
      const flipped = (log: Buffer): Buffer => {
        // In the first frame, behind its header.
        log[32 + 24 + 100] = (log[32 + 24 + 100] ?? 0) ^ 1
        return log
      }
      for (const change of [flipped, () => Buffer.alloc(0)]) {
        const refused = yield* Effect.flip(opened(change))
        assert.strictEqual(refused.reason, "damaged")
        assert.strictEqual(refused.message, "the ledger has 0 entries, and 300 were signed")
      }
    }))
})

const hasStrace = spawnSync("strace", ["-V"]).status === 0
if (!hasStrace) console.warn("strace is not here: tests that fsync is called, and of disks that fail, are skipped")

/** Runs the child under strace, up to so many lines; gives them, and what strace wrote. */
const traced = (directory: string, options: ReadonlyArray<string>, ms: number) =>
  Effect.gen(function*() {
    const trace = join(directory, "trace")
    const args = ["-f", "-qq", "-o", trace, ...options, process.execPath, program, join(directory, "data"), "5"]
    const child = spawn("strace", args, { stdio: ["ignore", "pipe", "inherit"], detached: true })
    const lines = yield* outputOf(child, () => setTimeout(() => process.kill(-(child.pid ?? 0), "SIGKILL"), ms))
    return { lines, trace: readFileSync(trace, "utf8") }
  })

restOf(describe)("a disk", { timeout: 120_000 }, () => {
  it("has strace in front of it where CI runs", () => {
    assert.isTrue(hasStrace || process.env["CI"] !== "true")
  })

  it.live.skipIf(!hasStrace)(
    "SYS L2 is told to sync with every commit that is said to be durable",
    () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        const { lines, trace } = yield* traced(directory, ["-e", "trace=fsync,fdatasync"], 1_000)
        const syncs = trace.match(/f(data)?sync\(\d+\)\s+= 0/g)?.length ?? 0
        assert.isAtLeast(syncs, lines.trimEnd().split("\n").length)
      })
  )

  for (
    const [what, fault] of [
      ["fails to sync", "inject=fsync:error=EIO:when=20..24"],
      ["is full in the middle of a commit", "inject=pwrite64:error=ENOSPC:when=60..64"]
    ] as const
  ) {
    it.live.skipIf(!hasStrace)(
      `SYS L2 that ${what} costs nothing that was said to be durable`,
      () =>
        Effect.gen(function*() {
          const directory = yield* temporaryDirectory
          const { lines, trace } = yield* traced(directory, ["-e", fault], 4_000)
          assert.include(trace, "INJECTED")
          yield* inspect(join(directory, "data"), durableBy(lines), stepsIn(lines))
        })
    )
  }

  // Only root may mount, and not everywhere.
  const canMount = process.platform === "linux" && spawnSync("unshare", ["--mount", "true"]).status === 0
  it.live.skipIf(!canMount)(
    "SYS L2 that is full gives up its reserve, then waits for room, and has all of it then",
    () =>
      Effect.gen(function*() {
        const disk = yield* temporaryDirectory
        assert.strictEqual(spawnSync("mount", ["-t", "tmpfs", "-o", "size=12m", "tmpfs", disk]).status, 0)
        yield* Effect.addFinalizer(() => Effect.sync(() => spawnSync("umount", [disk])))
        const directory = join(disk, "data")
        const troubles: Array<string> = []
        const store = yield* openIn(directory, {
          reserveBytes: 2 ** 20,
          onTrouble: ({ kind }) => troubles.push(kind)
        })
        const filler = join(disk, "filler")
        writeFileSync(filler, new Uint8Array(8 * 2 ** 20))
        let size = 0
        let reason: string | null = null
        while (reason === null) {
          size = pushTo(store, size, size + 1_000)
          reason = yield* Effect.match(store.durable(size - 1), {
            onSuccess: () => null,
            onFailure: (error) => error.reason
          })
        }
        assert.strictEqual(reason, "full")
        assert.deepStrictEqual(troubles.slice(0, 2), ["reserveUsed", "failed"])
        assert.isBelow(store.durableSize(), size)
        assert.strictEqual((yield* store.rows(0, size)).length, store.durableSize())
        rmSync(filler)
        yield* Effect.retry(store.durable(size - 1), { times: 20 })
        assert.deepStrictEqual(
          (yield* store.rows(0, size)).map(({ body }) => body),
          Array.from({ length: size }, (_, i) => bodyOf(i))
        )
        // Its answer is behind what the thread said before.
        yield* store.checkpoint
        assert.strictEqual(troubles.at(-1), "recovered")
      })
  )
})
