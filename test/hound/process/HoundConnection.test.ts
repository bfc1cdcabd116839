import { assert, describe, it } from "@effect/vitest"
import { type ConnectionDecision, HoundConnection } from "../../../src/hound/process/HoundConnection.ts"
import { LocalSpawner } from "../../../src/hound/process/LocalSpawner.ts"
import { type FakeHound, FakeSpawner, frameOf, settle } from "../../support/FakeSpawner.ts"
import { type Behaviour, eventually, type Launched, launched, planFor, using } from "./spawners.ts"

const MiB = 1_048_576

const jobOf = (job: number, length: number) => ({ job, length, category: 0, severity: 0, digest: null })

const isWiped = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

interface Opened {
  readonly hound: Launched
  readonly connection: HoundConnection
  readonly decisions: Array<ConnectionDecision>
}

/** A connection to a real hound. */
const withHound = (behaviour: Behaviour, use: (opened: Opened) => Promise<void>): Promise<void> =>
  using(new LocalSpawner(planFor(behaviour)), async (localSpawner) => {
    const hound = launched(localSpawner, 1)
    await hound.whenUp
    const connection = new HoundConnection(hound.pipe ?? assert.fail("no pipe"))
    const decisions: Array<ConnectionDecision> = []
    connection.onDecision((decision) => decisions.push(decision))
    await eventually(() => decisions.length > 0)
    await use({ hound, connection, decisions })
  })

/** A connection to a hound in memory that is ready. */
const withFake = async (
  hear: (decision: ConnectionDecision, connection: HoundConnection) => void = () => undefined
) => {
  const spawner = new FakeSpawner((hound) => hound.ready())
  const launch = launched(spawner, 1)
  await launch.whenUp
  const connection = new HoundConnection(launch.pipe ?? assert.fail("no pipe"))
  const decisions: Array<ConnectionDecision> = []
  connection.onDecision((decision) => {
    decisions.push(decision)
    hear(decision, connection)
  })
  await settle()
  const hound: FakeHound = spawner.hounds[0] ?? assert.fail("no hound")
  return { hound, connection, decisions }
}

describe("HoundConnection", () => {
  it("RFC H3 reads no more of a flood than one piece of it", () =>
    withHound("floods", async ({ decisions, hound, connection }) => {
      await eventually(() => decisions.some(({ type }) => type === "violation"))
      assert.isAtMost(connection.bytesRead, 24 + 65_536)
      assert.isTrue(hound.pipe?.destroyed)
      assert.strictEqual(connection.state, "dead")
      // Whoever floods sees that nobody reads, and ends.
      await hound.whenDown
      assert.strictEqual(decisions.filter(({ type }) => type === "violation").length, 1)
      assert.strictEqual(decisions.at(-1)?.type, "violation")
    }))

  it("RFC H3 all evidence arrives before any of it is overwritten", () =>
    withHound("works", async ({ decisions, connection }) => {
      for (const [i, length] of [0, 1, 65_536, 5 * MiB].entries()) {
        const bytes = new Uint8Array(length).fill(7)
        connection.send(jobOf(i + 1, length), bytes)
        await eventually(() => decisions.length === 1 + 3 * (i + 1))
        const expected: ConnectionDecision = {
          type: "metrics",
          job: i + 1,
          processingTime: 7 * length / 1_000,
          memoryUsed: Math.ceil(length / 1_024) * 1_024
        }
        assert.deepStrictEqual(decisions.at(-2), expected)
        await eventually(() => isWiped(bytes))
      }
    }))

  it("RFC H3 so does what stands in the connection's own memory, which is used again", () =>
    withHound("works", async ({ decisions, connection }) => {
      for (const [i, length] of [0, 1, 65_536, 3, MiB, MiB + 1].entries()) {
        const bytes = connection.room(length)
        assert.lengthOf(bytes, length)
        assert.isTrue(isWiped(bytes), "nothing is left of other evidence")
        bytes.fill(7)
        connection.send(jobOf(i + 1, length), bytes)
        await eventually(() => decisions.length === 1 + 3 * (i + 1))
        assert.deepInclude(decisions.at(-2), { type: "metrics", processingTime: 7 * length / 1_000 })
        await eventually(() => isWiped(bytes))
      }
      assert.strictEqual(connection.room(5).buffer, connection.room(MiB).buffer)
      assert.notStrictEqual(connection.room(MiB + 1).buffer, connection.room(5).buffer, "no more is kept")
    }))

  it("RFC H3 a hound that answers before it has read its evidence is cut off", () =>
    withHound("skips", async ({ decisions, hound, connection }) => {
      const bytes = new Uint8Array(5 * MiB).fill(7)
      connection.send(jobOf(1, bytes.length), bytes)
      await eventually(() => decisions.length > 1)
      assert.deepStrictEqual(decisions.slice(1), [{ type: "violation", reason: "evidence unread" }])
      assert.isTrue(hound.pipe?.destroyed)
      await eventually(() => isWiped(bytes))
    }))

  it("RFC H3 evidence is overwritten when the connection is closed in its midst, and nothing is heard any more", () =>
    withHound("skips", async ({ decisions, connection }) => {
      const bytes = new Uint8Array(5 * MiB).fill(7)
      connection.send(jobOf(1, bytes.length), bytes)
      connection.close()
      connection.close()
      await eventually(() => isWiped(bytes))
      assert.lengthOf(decisions, 1)
      assert.strictEqual(connection.state, "dead")
    }))

  it("RFC H3 a hound that dies is gone, once", () =>
    withHound("works", async ({ decisions, hound, connection }) => {
      const bytes = new Uint8Array(5 * MiB).fill(7)
      connection.send(jobOf(1, bytes.length), bytes)
      process.kill(hound.pid, "SIGKILL")
      await hound.whenDown
      await eventually(() => decisions.length > 1 && isWiped(bytes))
      assert.deepStrictEqual(decisions.filter(({ type }) => type === "gone"), [{ type: "gone" }])
      assert.deepStrictEqual(decisions.at(-1), { type: "gone" })
    }))
})

describe("HoundConnection, step by step", () => {
  it("RFC H3 reads nothing before somebody listens", async () => {
    const spawner = new FakeSpawner((hound) => hound.ready())
    const launch = launched(spawner, 1)
    await launch.whenUp
    const connection = new HoundConnection(launch.pipe ?? assert.fail("no pipe"))
    await settle()
    assert.strictEqual(connection.state, "boot")
    connection.onDecision(() => undefined)
    await settle()
    assert.strictEqual(connection.state, "idle")
  })

  it("RFC H3 evidence stands while it is being written, though its job is over", async () => {
    const { hound, connection } = await withFake()
    hound.reads(false)
    const bytes = new Uint8Array(10).fill(7)
    connection.send(jobOf(1, 10), bytes)
    connection.close()
    assert.isFalse(isWiped(bytes), "the system may still be reading it")
    await settle()
    assert.isTrue(isWiped(bytes))
  })

  it("RFC H3 the connection's own memory is given to nobody while it is being written", async () => {
    const { hound, connection } = await withFake()
    hound.reads(false)
    const first = connection.room(10)
    first.fill(7)
    connection.send(jobOf(1, 10), first)
    assert.notStrictEqual(connection.room(10).buffer, first.buffer)
    connection.close()
    assert.isFalse(isWiped(first), "the system may still be reading it")
    await settle()
    assert.isTrue(isWiped(first))
  })

  it("RFC H3 the next job may be sent as the last one ends", async () => {
    const { decisions, hound, connection } = await withFake((decision, connection) => {
      if (decision.type === "status" && decision.state === "complete" && decision.job < 3)
        connection.send(jobOf(decision.job + 1, 4), connection.room(4).fill(1))
    })
    hound.onJob = ({ job }) => hound.answer(job)
    const first = connection.room(4).fill(1)
    connection.send(jobOf(1, 4), first)
    await settle()
    assert.deepStrictEqual(
      hound.jobs.map(({ evidence, job }) => [job, [...evidence]]),
      [1, 2, 3].map((job) => [job, [1, 1, 1, 1]])
    )
    assert.lengthOf(decisions, 1 + 3 * 3)
    assert.isTrue(isWiped(first))
  })

  it("RFC H3 one who says more after its verdict gets no further job, whenever that is sent", async () => {
    const next = new Uint8Array(4).fill(1)
    const { decisions, hound, connection } = await withFake((decision, connection) => {
      if (decision.type === "status" && decision.state === "complete") connection.send(jobOf(2, 4), next)
    })
    connection.send(jobOf(1, 4), new Uint8Array(4))
    await settle()
    hound.write(Buffer.concat([frameOf(1, 1, 1), frameOf(2, 2, 1), frameOf(1, 3, 2)]))
    await settle()
    assert.deepStrictEqual(decisions.slice(1), [
      { type: "status", job: 1, state: "processing" },
      { type: "status", job: 1, state: "complete" },
      { type: "violation", reason: "out of turn" }
    ])
    assert.isTrue(isWiped(next))
    assert.lengthOf(hound.jobs, 1)
  })

  it("RFC H3 who closes from within hears no more, not even of the same chunk", async () => {
    const { decisions, hound, connection } = await withFake((decision, connection) => {
      if (decision.type === "metrics") connection.close()
    })
    const bytes = new Uint8Array(4).fill(1)
    connection.send(jobOf(1, 4), bytes)
    await settle()
    hound.write(Buffer.concat([frameOf(1, 1, 1), frameOf(4, 2, 1), frameOf(2, 3, 1)]))
    await settle()
    assert.deepStrictEqual(decisions.map(({ type }) => type), ["ready", "status", "metrics"])
    assert.isTrue(isWiped(bytes))
    const late = new Uint8Array(4).fill(1)
    connection.send(jobOf(2, 4), late)
    assert.isTrue(isWiped(late))
  })

  it("RFC H3 a pipe of which one half has ended is gone, however much is still to be written", async () => {
    const { decisions, hound, connection } = await withFake()
    hound.reads(false)
    const bytes = new Uint8Array(10).fill(7)
    connection.send(jobOf(1, 10), bytes)
    hound.endOfPipe()
    await settle()
    assert.deepStrictEqual(decisions.slice(1), [{ type: "gone" }])
    assert.isTrue(hound.isLetGo)
    assert.isTrue(isWiped(bytes))
  })

  it("RFC H3 a job out of turn is its sender's mistake", async () => {
    const { connection } = await withFake()
    connection.send(jobOf(1, 1), new Uint8Array(1))
    assert.throws(() => connection.send(jobOf(2, 1), new Uint8Array(1)), /cannot be sent/)
  })
})
