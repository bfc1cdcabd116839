/**
 * The promises of every spawner (Spawner.ts), as tests that each implementation runs.
 */
import { assert, describe, it as every } from "@effect/vitest"
import { type ConnectionDecision, HoundConnection } from "../../../src/hound/process/HoundConnection.ts"
import type { Spawner } from "../../../src/hound/process/Spawner.ts"
import { eventually, launched, using } from "./spawners.ts"

/**
 * A spawner whose hounds work, wait, survive anything but SIGKILL, exit with 3, or never come to
 * be.
 */
export interface SpawnerWorld {
  readonly name: string
  readonly make: (behaviour: "works" | "waits" | "stays" | "exits" | "unspawnable") => Spawner
}

const jobOf = (job: number, length: number) => ({ job, length, category: 0, severity: 3, digest: null })

export const spawnerContract = ({ make, name }: SpawnerWorld, it = every): void => {
  describe(`${name} as a spawner`, () => {
    it("RFC H1 hands over a pipe on which a hound works, job after job", () =>
      using(make("works"), async (spawner) => {
        const hound = launched(spawner, 1)
        await hound.whenUp
        const connection = new HoundConnection(hound.pipe ?? assert.fail("no pipe"))
        const decisions: Array<ConnectionDecision> = []
        connection.onDecision((decision) => decisions.push(decision))
        await eventually(() => decisions.length === 1)
        assert.strictEqual(decisions[0]?.type, "ready")
        for (const [job, first] of [[1, 0], [2, 0xff]] as const) {
          const bytes = new Uint8Array(100_000).fill(first)
          connection.send(jobOf(job, bytes.length), bytes)
          await eventually(() => decisions.length === 1 + 3 * job)
          await eventually(() => bytes.every((byte) => byte === 0))
        }
        assert.deepStrictEqual(
          decisions.slice(1).map((
            decision
          ) => (decision.type === "status" ? `${decision.job} ${decision.state}` : decision.type)),
          ["1 processing", "metrics", "1 complete", "2 processing", "metrics", "2 error"]
        )
        assert.strictEqual(connection.state, "idle")
        connection.close()
      }))

    it("RFC H4 kill ends a hound that survives other signals, and is heard once", () =>
      using(make("stays"), async (spawner) => {
        const hound = launched(spawner, 1)
        await hound.whenUp
        spawner.kill(1)
        spawner.kill(1)
        assert.deepInclude(await hound.whenDown, { cause: "killed", signal: "SIGKILL" })
        spawner.kill(1)
        spawner.kill(99)
        spawner.watch(1, true)
        await spawner.close()
        assert.deepStrictEqual(hound.heard, ["up", "down"])
      }))

    it("RFC H4 calls nobody back before launch has returned, and kills what was launched just now", () =>
      using(make("stays"), async (spawner) => {
        const hound = launched(spawner, 1)
        assert.deepStrictEqual(hound.heard, [])
        spawner.kill(1)
        assert.deepStrictEqual(hound.heard, [])
        assert.deepInclude(await hound.whenDown, { cause: "killed" })
        assert.deepStrictEqual(hound.heard, ["down"], "what is to end at once is not handed over")
      }))

    it("RFC H1 says how a hound ended by itself", () =>
      using(make("exits"), async (spawner) => {
        const hound = launched(spawner, 1)
        assert.deepInclude(await hound.whenDown, { cause: "exit", code: 3, signal: null })
        assert.deepStrictEqual(hound.heard.at(-1), "down")
      }))

    it("RFC H1 a hound that cannot be spawned is down, after launch has returned", () =>
      using(make("unspawnable"), async (spawner) => {
        const hounds = [1, 2, 3].map((id) => launched(spawner, id))
        for (const { heard } of hounds) assert.deepStrictEqual(heard, [])
        for (const hound of hounds) {
          const exit = await hound.whenDown
          assert.deepInclude(exit, { cause: "spawn", code: null, signal: null })
          assert.match(exit.message, /^[ -~]{1,256}$/)
          assert.deepStrictEqual(hound.heard, ["down"])
        }
      }))

    it("RFC H6 close kills all and comes back when all are down; twice is as good as once", () =>
      using(make("stays"), async (spawner) => {
        const hounds = [1, 2, 3].map((id) => launched(spawner, id))
        await Promise.all(hounds.map(({ whenUp }) => whenUp))
        const closing = spawner.close()
        assert.strictEqual(await closing, undefined)
        for (const hound of hounds) {
          assert.deepStrictEqual(hound.heard, ["up", "down"])
          assert.strictEqual(hound.exit?.cause, "killed")
        }
        assert.notInclude(process.getActiveResourcesInfo(), "ProcessWrap")
        await spawner.close()
      }))

    it("RFC H6 close while hounds are launched, and launch when it was closed", () =>
      using(make("waits"), async (spawner) => {
        const early = [1, 2, 3].map((id) => launched(spawner, id))
        const closing = Promise.all([spawner.close(), spawner.close()])
        const late = launched(spawner, 4)
        assert.deepStrictEqual(late.heard, [])
        await closing
        for (const { heard } of early) assert.deepStrictEqual(heard.filter((what) => what === "down"), ["down"])
        assert.deepInclude(await late.whenDown, { cause: "spawn" })
        assert.deepStrictEqual(late.heard, ["down"])
      }))

    it("RFC H6 a spawner that was never used has nothing to close", () =>
      using(make("waits"), (spawner) => spawner.close()))

    it("RFC H4 a hound ends when its pipe does", () =>
      using(make("waits"), async (spawner) => {
        const hound = launched(spawner, 1)
        await hound.whenUp
        hound.pipe?.destroy()
        assert.deepInclude(await hound.whenDown, { cause: "exit", code: 0 })
      }))
  })
}
