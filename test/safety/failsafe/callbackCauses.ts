/**
 * Shared by the tests of callbacks: events that call each callback, and checks that nothing was
 * harmed.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { ActorInspection } from "../../../src/actor/Inspection.ts"
import type { TracehoundConfigInput } from "../../../src/config/TracehoundConfig.ts"
import type { FailSafeCallbacks } from "../../../src/domain/FailSafe.ts"
import { hostTurns, openWorld, scent, take, type World } from "./world.ts"

export type Name = keyof FailSafeCallbacks
export const names: ReadonlyArray<Name> = [
  "onPurge",
  "onEscalate",
  "onPanicThreshold",
  "onQuarantineFull",
  "onColdStorageFailure"
]
/** The callbacks that are asked for an answer. */
export const asked: ReadonlyArray<Name> = ["onPanicThreshold", "onQuarantineFull", "onColdStorageFailure"]

export const config = {
  quarantine: { maxCount: 3 },
  hound: { escalation: { severity: "critical", fill: 1 } },
  audit: { coldStorage: { endpoint: "file:memory", retries: 0 } },
  failSafe: {
    onHoundError: "Purge",
    onEncodeError: "escalate",
    callbackTimeoutMs: 1_000,
    panic: { threshold: { min: 1, max: 1_000, window: 5 } }
  }
} as const satisfies TracehoundConfigInput

/** A world with callbacks of any type, also of wrong ones. */
export const openWith = (callbacks: Readonly<Partial<Record<Name, unknown>>>) =>
  openWorld({ config, callbacks: callbacks as FailSafeCallbacks })

/** The same as `hostTurns`, as an effect. */
export const waitForHost = Effect.promise(() => hostTurns())

let payload = 0
export const fresh = (): string => `payload ${payload++}`

export const fail = (world: World): void => {
  const signature = take(world, fresh(), "low")
  world.broken.compressing = true
  world.sync.evacuate(signature)
  world.broken.compressing = false
  world.sync.flush()
}
/** The event that calls each callback once. */
export const causes: Readonly<Record<Name, (world: World) => Effect.Effect<void>>> = {
  onPurge: (world) =>
    Effect.map(world.hounds.next("error"), () => {
      take(world, fresh())
    }),
  onEscalate: (world) => Effect.sync(() => fail(world)),
  onPanicThreshold: (world) => Effect.sync(() => fail(world)),
  onQuarantineFull: (world) =>
    Effect.sync(() => {
      world.sync.flush()
      for (let n = 0; n < 4; n++) take(world, fresh(), "low")
      world.sync.flush()
      take(world, fresh(), "low")
      world.sync.flush()
    }),
  onColdStorageFailure: (world) =>
    Effect.map(world.memory.failNext(1), () => {
      world.sync.evacuate(take(world, fresh(), "low"))
    })
}

export const actor = ({ sync }: World, name: string): ActorInspection => {
  const found = sync.actors().children.find((child) => child.name === name)
  if (found?.kind !== "actor") throw new Error(`there is no actor ${name}`)
  return found
}

/** Runs the effect, and fails where a rejected promise was not handled. */
export const withoutRejections = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const rejections: Array<unknown> = []
    const listener = (reason: unknown): void => {
      rejections.push(reason)
    }
    process.on("unhandledRejection", listener)
    const result = yield* Effect.ensuring(
      Effect.tap(effect, () => waitForHost),
      Effect.sync(() => process.off("unhandledRejection", listener))
    )
    assert.deepStrictEqual(rejections, [])
    return result
  })

/** Asserts that the world works as before. */
export const assertUnharmed = (world: World): void => {
  const { sync } = world
  assert.deepStrictEqual([sync.state(), sync.actors().phase, sync.actors().restarts], ["running", "running", 0])
  sync.flush()
  assert.strictEqual(sync.intercept(scent(fresh(), "low")).status, "quarantined")
  sync.flush()
  assert.isTrue(sync.auditChain.verify())
}
