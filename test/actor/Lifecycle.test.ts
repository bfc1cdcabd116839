/**
 * The lifecycle of a system: which events its readers get, how many of them wait, and what they are
 * told of those that do not.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Feed } from "../../src/actor/Feed.ts"
import type * as Actor from "../../src/actor/index.ts"
import { calm, Crash, Hang, Leave, makeWorld } from "./supervised.ts"

const textOf = (event: Actor.LifecycleEvent | Actor.Missed): string => {
  switch (event._tag) {
    case "Missed":
      return `missed ${event.count}`
    case "Crashed":
      return `${event.path}#${event.incarnation} Crashed ${event.error}`
    case "Stopped":
      return `${event.path}#${event.incarnation} ${event.reason}`
    case "GaveUp":
      return `${event.path}#${event.incarnation} GaveUp over ${event.child} after ${event.restarts}`
    default:
      return `${event.path}#${event.incarnation} ${event._tag}`
  }
}

/** A world whose events are read. */
const observed = Effect.fnUntraced(function*(options: Actor.ActorSystemOptions = {}) {
  const world = yield* makeWorld({ intensity: 100, ...options })
  const { takeUnsafe } = yield* world.system.lifecycle.subscribe
  return { ...world, events: (): string => takeUnsafe().map(textOf).join(", "), takeUnsafe }
})

describe("what is told", () => {
  it.effect("RFC S3 a start, a crash, a restart, a normal end, and the end for good", () =>
    Effect.gen(function*() {
      const { child, crash, events } = yield* observed()
      const a = yield* child("a")
      assert.strictEqual(events(), "root/a#1 Started")
      yield* crash(a)
      assert.strictEqual(events(), "root/a#1 Crashed Error, root/a#2 Restarted")
      a.tellUnsafe(new Leave())
      yield* calm
      assert.strictEqual(events(), "root/a#2 normal, root/a#3 Restarted")
      yield* a.stop
      assert.strictEqual(events(), "root/a#3 gone")
    }))

  it.effect("RFC S3 a crash with the class and the text of its cause, cut, and the time of day", () =>
    Effect.gen(function*() {
      const { child, takeUnsafe } = yield* observed()
      yield* TestClock.adjust(5)
      const a = yield* child("a", { restart: "temporary" })
      a.tellUnsafe(new Crash({ why: "x".repeat(500) }))
      yield* calm
      const [, crashed] = takeUnsafe()
      const message = `Error: ${"x".repeat(193)}…`
      assert.strictEqual(a.inspect().lastCrash?.message, message)
      assert.deepStrictEqual(crashed, {
        _tag: "Crashed",
        kind: "actor",
        path: "root/a",
        incarnation: 1,
        at: 5,
        error: "Error",
        message
      })
    }))

  it.effect("RFC S3 a start that fails is a crash, the first and any other", () =>
    Effect.gen(function*() {
      const { child, crash, events } = yield* observed()
      yield* Effect.exit(child("a", { onStart: () => Effect.fail("no") }))
      assert.strictEqual(events(), "root/a#1 Crashed string, root/a#1 gone")
      const b = yield* child("b", { onStart: (incarnation) => incarnation === 2 ? Effect.fail("no") : Effect.void })
      yield* crash(b)
      assert.strictEqual(
        events(),
        "root/b#1 Started, root/b#1 Crashed Error, root/b#2 Crashed string, root/b#3 Restarted"
      )
    }))

  it.effect("RFC S3 a group: each member that is ended with the one that crashed, in order", () =>
    Effect.gen(function*() {
      const { child, crash, events } = yield* observed({ strategy: "one_for_all" })
      const [a] = [yield* child("a"), yield* child("b"), yield* child("c")]
      events()
      yield* crash(a)
      assert.strictEqual(
        events(),
        "root/a#1 Crashed Error, root/c#1 stopped, root/b#1 stopped, "
          + "root/a#2 Restarted, root/b#2 Restarted, root/c#2 Restarted"
      )
    }))

  it.effect("RFC S3 supervisors: their start, that they gave up, and their restart with all under them", () =>
    Effect.gen(function*() {
      const { child, crash, events, supervise } = yield* observed()
      const s = yield* supervise("s", { intensity: 1 })
      const a = yield* child("a", {}, s)
      assert.strictEqual(events(), "root/s#1 Started, root/s/a#1 Started")
      yield* crash(a)
      events()
      yield* crash(a)
      assert.strictEqual(
        events(),
        "root/s/a#2 Crashed Error, root/s#1 GaveUp over a after 1, root/s#1 stopped, "
          + "root/s/a#3 Restarted, root/s#2 Restarted"
      )
    }))

  it.effect("RFC S4 closing: all of them, the last started first, then the root; then reading ends", () =>
    Effect.gen(function*() {
      const { child, close, supervise, system } = yield* observed()
      const { take } = yield* system.lifecycle.subscribe
      yield* child("a", {}, yield* supervise("s"))
      yield* child("b", { drain: 0 })
      yield* close
      const events = yield* take
      assert.strictEqual(
        events.map(textOf).join(", "),
        "root/s#1 Started, root/s/a#1 Started, root/b#1 Started, root/b#1 gone, root/s/a#1 gone, root/s#1 gone, root#1 gone"
      )
      const over = yield* Effect.exit(take)
      assert.isTrue(Exit.isFailure(over) && over.cause.reasons.every(Cause.isFailReason))
      const late = yield* system.lifecycle.subscribe
      assert.isTrue(Exit.isFailure(yield* Effect.exit(late.take)), "who comes later reads nothing")
    }))

  it.effect("RFC S4 a handler that hangs holds up its events, and no others", () =>
    Effect.gen(function*() {
      const { child, events } = yield* observed()
      const a = yield* child("a", { drain: 1_000 })
      a.tellUnsafe(new Hang())
      yield* calm
      events()
      const stopping = yield* Effect.forkChild(a.stop, { startImmediately: true })
      yield* calm
      yield* child("b")
      assert.strictEqual(events(), "root/b#1 Started")
      yield* TestClock.adjust(1_000)
      yield* Fiber.join(stopping)
      assert.strictEqual(events(), "root/a#1 gone")
    }))
})

describe("a feed", () => {
  const feedOf = (capacity: number) => new Feed<number>("numbers", capacity)

  it.effect("holds the newest up to its capacity, and says how many are missing before them", () =>
    Effect.gen(function*() {
      const feed = feedOf(3)
      const { takeUnsafe } = yield* feed.subscribe
      for (const published of [0, 1, 3, 4, 10, 3, 2]) {
        for (let n = 0; n < published; n++) feed.publish(n)
        const missed = published - 3
        assert.deepStrictEqual(takeUnsafe(), [
          ...(missed > 0 ? [{ _tag: "Missed" as const, count: missed }] : []),
          ...Array.from({ length: Math.min(published, 3) }, (_, n) => Math.max(missed, 0) + n)
        ])
      }
    }))

  it.effect("tells each reader for itself, from when it came to when its scope closed", () =>
    Effect.gen(function*() {
      const feed = feedOf(2)
      assert.isFalse(feed.isRead)
      const first = yield* feed.subscribe
      feed.publish(1)
      const scope = yield* Scope.make()
      const second = yield* Scope.provide(feed.subscribe, scope)
      feed.publish(2)
      assert.deepStrictEqual(first.takeUnsafe(), [1, 2])
      yield* Scope.close(scope, Exit.void)
      feed.publish(3)
      assert.deepStrictEqual([first.takeUnsafe(), second.takeUnsafe()], [[3], [2]])
      assert.isTrue(Exit.isFailure(yield* Effect.exit(second.take)))
    }))

  it.effect("wakes a reader on a later turn than the publisher's, and once for many events", () =>
    Effect.gen(function*() {
      const feed = feedOf(8)
      const { take } = yield* feed.subscribe
      const reading = yield* Effect.forkChild(take, { startImmediately: true })
      for (const n of [1, 2, 3]) feed.publish(n)
      assert.isUndefined(reading.pollUnsafe())
      assert.deepStrictEqual(yield* Fiber.join(reading), [1, 2, 3])
    }))

  it.effect("ends: readers get what is left, and those that wait are woken", () =>
    Effect.gen(function*() {
      const feed = feedOf(8)
      const [{ take }, idle] = [yield* feed.subscribe, yield* feed.subscribe]
      const reading = yield* Effect.forkChild(idle.take, { startImmediately: true })
      assert.isUndefined(reading.pollUnsafe())
      feed.publish(1)
      assert.deepStrictEqual(yield* Fiber.join(reading), [1])
      const waiting = yield* Effect.forkChild(idle.take, { startImmediately: true })
      feed.end()
      feed.publish(2)
      assert.isTrue(Exit.isFailure(yield* Fiber.await(waiting)))
      assert.deepStrictEqual(yield* take, [1])
      assert.isTrue(Exit.isFailure(yield* Effect.exit(take)))
    }))

  it("tells listeners on the turn of the event", () => {
    const feed = feedOf(1)
    const heard: Array<number> = []
    const leave = feed.listen((n) => heard.push(n))
    for (const n of [1, 2, 3]) feed.publish(n)
    leave()
    feed.publish(4)
    assert.deepStrictEqual(heard, [1, 2, 3])
    assert.isFalse(feed.isRead)
  })

  it("needs a capacity", () => {
    for (const capacity of [0, -1, 1.5, Number.NaN]) assert.throws(() => feedOf(capacity), /numbers need a capacity/)
  })
})
