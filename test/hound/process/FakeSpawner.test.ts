import { assert, describe, it } from "@effect/vitest"
import { type ConnectionDecision, HoundConnection } from "../../../src/hound/process/HoundConnection.ts"
import { type FakeHound, FakeSpawner, settle } from "../../support/FakeSpawner.ts"
import { spawnerContract } from "./spawnerContract.ts"
import { launched } from "./spawners.ts"

const scripts: Readonly<Record<"works" | "waits" | "stays" | "exits" | "unspawnable", (hound: FakeHound) => void>> = {
  works: (hound) => {
    hound.onJob = ({ evidence, job }) => hound.answer(job, evidence[0] === 0xff ? "error" : "complete")
    hound.ready()
  },
  waits: () => undefined,
  stays: (hound) => {
    hound.endsWithPipe = false
  },
  exits: (hound) => hound.exit(3),
  unspawnable: (hound) => hound.failToSpawn()
}

spawnerContract({
  name: "FakeSpawner",
  make: (behaviour) => {
    const spawner = new FakeSpawner(scripts[behaviour])
    spawner.isPrompt = behaviour !== "unspawnable"
    return spawner
  }
})

describe("FakeSpawner", () => {
  const open = async (spawner: FakeSpawner): Promise<[FakeHound, HoundConnection, Array<ConnectionDecision>]> => {
    const launch = launched(spawner, 1)
    await launch.whenUp
    const connection = new HoundConnection(launch.pipe ?? assert.fail("no pipe"))
    const decisions: Array<ConnectionDecision> = []
    connection.onDecision((decision) => decisions.push(decision))
    return [spawner.hounds[0] ?? assert.fail("no hound"), connection, decisions]
  }

  it("RFC H3 settles without a timer, after any frame", async () => {
    const [hound, connection, decisions] = await open(new FakeSpawner())
    hound.ready(5)
    await settle()
    connection.send(
      { job: 1, length: 3, category: 1, severity: 2, digest: new Uint8Array(32).fill(9) },
      Uint8Array.of(1, 2, 3)
    )
    await settle()
    assert.deepStrictEqual(hound.jobs, [
      { job: 1, category: 1, severity: 2, digest: new Uint8Array(32).fill(9), evidence: Uint8Array.of(1, 2, 3) }
    ])
    hound.answer(1, "error")
    await settle()
    assert.deepStrictEqual(decisions.map(({ type }) => type), ["ready", "status", "metrics", "status"])
    hound.exit(1)
    await settle()
    assert.deepStrictEqual(decisions.at(-1), { type: "gone" })
    assert.isTrue(hound.isLetGo)
  })

  it("RFC H3 floods, and reads nothing of its job", async () => {
    const [flooding, , heard] = await open(new FakeSpawner((hound) => hound.ready()))
    await settle()
    flooding.flood()
    await settle()
    assert.deepStrictEqual(heard.slice(1), [{ type: "violation", reason: "oversized" }])
    assert.isTrue(flooding.isLetGo)

    const [deaf, connection, decisions] = await open(new FakeSpawner((hound) => hound.ready()))
    await settle()
    deaf.reads(false)
    const bytes = Uint8Array.of(1)
    connection.send({ job: 1, length: 1, category: 0, severity: 0, digest: null }, bytes)
    deaf.answer(1)
    await settle()
    assert.deepStrictEqual(decisions.slice(1), [{ type: "violation", reason: "evidence unread" }])
  })
})
