/** One reader: what it gets of what came, what it is told of the rest, and when it is woken. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber } from "effect"
import { EventBuffer, type Missed, missed, Reader } from "../../src/telemetry/Reader.ts"
import { random, Seed } from "../support/random.ts"

/** A reader of numbers that the test makes. */
const opened = (capacity: number) => {
  const buffer = new EventBuffer<number>(capacity)
  let listeners = 0
  let tell = (_event: number): void => undefined
  const reader = new Reader(buffer, (ready) => {
    listeners += 1
    tell = (event) => {
      buffer.addUnsafe(event)
      ready()
    }
    return () => {
      listeners -= 1
      tell = () => undefined
    }
  })
  return { reader, tell: (event: number) => tell(event), listeners: () => listeners }
}

/**
 * Expects the numbers from 0 on, with each gap exactly as long as its `Missed` says; gives the
 * next.
 */
const follow = (events: ReadonlyArray<number | Missed>, from: number): number => {
  let next = from
  let isAfterGap = false
  for (const event of events) {
    if (typeof event === "number") {
      assert.strictEqual(event, next)
      next += 1
      isAfterGap = false
    } else {
      assert.isFalse(isAfterGap, "two gaps in a row are one")
      assert.isAbove(event.count, 0)
      next += event.count
      isAfterGap = true
    }
  }
  assert.isFalse(isAfterGap, "something comes after a gap")
  return next
}

describe("EventBuffer", () => {
  it.prop("RFC V1 gives a subsequence whose gaps are exactly what it says, whatever the pace", [Seed], ([seed]) => {
    const { below, pick } = random(seed)
    const capacity = pick([1, 2, 3, 7, 64])
    const buffer = new EventBuffer<number>(capacity)
    let added = 0
    let seen = 0
    for (let turn = 0; turn < 200; turn++) {
      for (let n = below(2 * capacity + 2); n > 0; n--) buffer.addUnsafe(added++)
      const before = seen
      const taken = buffer.takeUnsafe(pick([1, 2, capacity, Infinity]))
      seen = follow(taken, seen)
      assert.isAtLeast(seen, Math.min(added, Math.max(before, added - capacity)))
    }
    assert.strictEqual(follow(buffer.takeUnsafe(Infinity), seen), added)
    assert.deepStrictEqual(buffer.takeUnsafe(Infinity), [])
  })

  it("RFC V1 can be taken from in parts, with more added between", () => {
    const buffer = new EventBuffer<object>(4)
    for (let n = 0; n < 10; n++) buffer.addUnsafe({ n })
    assert.deepStrictEqual(buffer.takeUnsafe(2), [missed(6), { n: 6 }, { n: 7 }])
    buffer.addUnsafe({ n: 10 })
    assert.deepStrictEqual(buffer.takeUnsafe(Infinity), [{ n: 8 }, { n: 9 }, { n: 10 }])
    assert.deepStrictEqual(buffer.takeUnsafe(Infinity), [])
  })
})

describe("Reader", () => {
  it.effect("RFC V1 waits where nothing has come, and goes on on a turn of its own", () =>
    Effect.gen(function*() {
      const { reader, tell } = opened(4)
      const pulling = yield* Effect.forkChild(reader.pull, { startImmediately: true })
      tell(1)
      assert.isUndefined(pulling.pollUnsafe(), "not on the turn of the event")
      tell(2)
      assert.deepStrictEqual(yield* Fiber.join(pulling), [1, 2])
      tell(3)
      assert.deepStrictEqual(yield* reader.pull, [3])
    }))

  it.effect("RFC V1 takes at most 64 on a turn, and gives others theirs before the next", () =>
    Effect.gen(function*() {
      const { reader, tell } = opened(1_000)
      for (let n = 0; n < 640; n++) tell(n)
      let turns = 0
      const other = yield* Effect.forkChild(
        Effect.forever(Effect.andThen(Effect.sync(() => turns++), Effect.yieldNow), { disableYield: true })
      )
      let seen = 0
      for (let pulls = 0; pulls < 10; pulls++) {
        const events = yield* reader.pull
        assert.isAtMost(events.length, 64)
        seen = follow(events, seen)
      }
      assert.strictEqual(seen, 640)
      assert.isAtLeast(turns, 9)
      yield* Fiber.interrupt(other)
    }))

  it.effect("RFC V1 gives what came before the end, and is then done, as often as it is asked", () =>
    Effect.gen(function*() {
      const { listeners, reader, tell } = opened(4)
      const waiting = yield* Effect.forkChild(Effect.exit(reader.pull), { startImmediately: true })
      yield* Effect.yieldNow
      reader.endUnsafe()
      const ended = yield* Fiber.join(waiting)
      assert.isTrue(Exit.isFailure(ended) && Cause.hasFails(ended.cause))
      assert.strictEqual(listeners(), 0)

      const other = opened(4)
      other.tell(1)
      other.reader.endUnsafe()
      other.tell(2)
      assert.deepStrictEqual(yield* other.reader.pull, [1])
      assert.isTrue(Exit.isFailure(yield* Effect.exit(other.reader.pull)))
      assert.isTrue(Exit.isFailure(yield* Effect.exit(other.reader.pull)))
      tell(3)
    }))

  it.effect("RFC V1 forgets what came when it is closed", () =>
    Effect.gen(function*() {
      const { listeners, reader, tell } = opened(4)
      tell(1)
      reader.closeUnsafe()
      reader.closeUnsafe()
      assert.strictEqual(listeners(), 0)
      assert.deepStrictEqual(reader.takeUnsafe(), [])
      assert.isTrue(Exit.isFailure(yield* Effect.exit(reader.pull)))
    }))

  it.effect("RFC V1 can be interrupted while it waits, and pulled again", () =>
    Effect.gen(function*() {
      const { reader, tell } = opened(4)
      const pulling = yield* Effect.forkChild(reader.pull, { startImmediately: true })
      yield* Fiber.interrupt(pulling)
      tell(1)
      assert.deepStrictEqual(yield* reader.pull, [1])
    }))
})
