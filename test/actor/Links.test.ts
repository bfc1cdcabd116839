/**
 * Links and monitors: what one actor learns of another's end, and for how long.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { calm, Crash, Hang, Leave, Link, makeWorld, Monitor, type Ref, shape, Work } from "./supervised.ts"

const linked = Effect.fnUntraced(function*(from: Ref, other: Ref) {
  yield* from.ask(new Link({ other }))
})
const pair = Effect.fnUntraced(function*() {
  const world = yield* makeWorld({ intensity: 100 })
  const a = yield* world.child("a")
  const b = yield* world.child("b")
  world.trace()
  return { ...world, a, b }
})

describe("links", () => {
  for (const [linker, crasher] of [["a", "a"], ["a", "b"], ["b", "a"], ["b", "b"]] as const) {
    const other = crasher === "a" ? "b" : "a"
    it.effect(`RFC S3 ${linker} links, ${crasher} crashes: so does ${other}`, () =>
      Effect.gen(function*() {
        const { crash, root, trace, ...refs } = yield* pair()
        yield* linked(refs[linker], refs[linker === "a" ? "b" : "a"])
        yield* crash(refs[crasher])
        const seen = trace()
        assert.strictEqual(
          seen,
          `crash ${crasher}, stop ${crasher}, stop ${other}, start ${crasher}#2, start ${other}#2`
        )
        assert.strictEqual(root.inspect().restarts, 2)
        assert.strictEqual(
          refs[other].inspect().lastCrash?.message,
          `LinkBroken: root/${crasher}, to which this actor is linked, is gone`
        )
      }))
  }

  /** How the linked actor ends, and whether that crashes the other one. */
  const ends = [["leaves", false], ["crashes", true], ["is stopped", true], ["fails to be built", true]] as const
  for (const [end, taken] of ends) {
    it.effect(`RFC S3 the other end ${end}: this one ${taken ? "crashes" : "stays"}`, () =>
      Effect.gen(function*() {
        const { child, log } = yield* makeWorld({ intensity: 100 })
        const a = yield* child("a")
        if (end === "fails to be built") {
          const linking = (_: number, self: { readonly link: (other: Ref) => Effect.Effect<void> }) =>
            Effect.andThen(self.link(a), Effect.fail("broken"))
          yield* Effect.flip(child("b", { onStart: linking }))
        } else {
          const b = yield* child("b", { restart: "transient" })
          yield* linked(a, b)
          if (end === "leaves") b.tellUnsafe(new Leave())
          if (end === "crashes") b.tellUnsafe(new Crash({}))
          if (end === "is stopped") yield* b.stop
        }
        yield* calm
        assert.strictEqual(a.inspect().incarnation, taken ? 2 : 1)
        assert.strictEqual(["stop a", "start a#2"].every((line) => log.includes(line)), taken)
      }))
  }

  it.effect("RFC S3 a link to an actor that is gone crashes the linking one, in a handler and in a behaviour", () =>
    Effect.gen(function*() {
      const { child, root, trace } = yield* makeWorld({ intensity: 100 })
      const gone = yield* child("gone")
      yield* gone.stop
      trace()
      const a = yield* child("a")
      yield* Effect.ignore(linked(a, gone))
      yield* calm
      assert.strictEqual(trace(), "start a#1, stop a, start a#2")
      yield* child("b", { restart: "temporary", onStart: (_, self) => self.link(gone) })
      yield* calm
      assert.strictEqual(trace(), "start b#1, stop b")
      assert.strictEqual(shape(root.inspect()), "root running#1 [a running#2]")
    }))

  it.effect("RFC S3 a link made while the behaviour is built holds from then on", () =>
    Effect.gen(function*() {
      const { child, crash, root, trace } = yield* makeWorld({ intensity: 100 })
      const a = yield* child("a")
      const linking = {
        onStart: (_: number, self: { readonly link: (other: Ref) => Effect.Effect<void> }) =>
          Effect.andThen(self.link(a), Effect.sleep(100))
      }
      const spawning = yield* Effect.forkChild(child("b", { ...linking, restart: "temporary" }), {
        startImmediately: true
      })
      yield* crash(a)
      yield* TestClock.adjust(100)
      yield* Fiber.join(spawning)
      yield* calm
      assert.strictEqual(trace(), "start a#1, start b#1, crash a, stop a, start a#2, stop b")
      assert.strictEqual(shape(root.inspect()), "root running#1 [a running#2]")
    }))

  it.effect("RFC S3 a link lasts for the two incarnations, and not for the next ones", () =>
    Effect.gen(function*() {
      const { a, b, crash, trace } = yield* pair()
      yield* linked(a, b)
      yield* crash(a)
      trace()
      yield* crash(b)
      assert.strictEqual(trace(), "crash b, stop b, start b#3")
      yield* crash(a)
      assert.strictEqual(trace(), "crash a, stop a, start a#3")
    }))

  it.effect("RFC S3 a normal end of one removes the link: a later crash of either does not affect the other", () =>
    Effect.gen(function*() {
      const { a, b, crash, trace } = yield* pair()
      yield* linked(a, b)
      b.tellUnsafe(new Leave())
      yield* calm
      assert.strictEqual(trace(), "stop b, start b#2")
      yield* crash(b)
      yield* crash(a)
      assert.strictEqual(trace(), "crash b, stop b, start b#3, crash a, stop a, start a#2")
    }))

  it.effect("RFC S3 a link to an actor that waits for its restart is to its next incarnation", () =>
    Effect.gen(function*() {
      const { child, crash, trace } = yield* makeWorld({ intensity: 100, backoff: { base: 100, jitter: 0 } })
      const a = yield* child("a", { restart: "temporary" })
      const b = yield* child("b")
      yield* crash(b)
      trace()
      yield* linked(a, b)
      yield* TestClock.adjust(100)
      yield* calm
      assert.strictEqual(trace(), "start b#2", "and a goes on")
      yield* crash(b)
      assert.strictEqual(trace(), "crash b, stop b, stop a")
    }))

  it.effect("RFC S3 a behaviour that links to an actor in backoff does not wear its supervisor down", () =>
    Effect.gen(function*() {
      const { child, crash, escalations, supervise } = yield* makeWorld({ intensity: 3 })
      const slow = yield* supervise("slow", { intensity: 100, backoff: { base: "1 minute", jitter: 0 } })
      const b = yield* child("b", {}, slow)
      const a = yield* child("a", { onStart: (_, self) => self.link(b) })
      yield* crash(b)
      assert.lengthOf(escalations, 0)
      assert.strictEqual(a.inspect().incarnation, 2)
      yield* TestClock.adjust("1 minute")
      yield* calm
      assert.deepStrictEqual([a.inspect().incarnation, b.inspect().incarnation], [2, 2])
    }))

  it.effect("RFC S3 a link to an actor that never comes back from its backoff is broken then", () =>
    Effect.gen(function*() {
      const { child, crash, trace } = yield* makeWorld({ intensity: 100, backoff: { base: 100 } })
      const a = yield* child("a", { restart: "temporary" })
      const b = yield* child("b")
      yield* crash(b)
      yield* linked(a, b)
      trace()
      yield* b.stop
      yield* calm
      assert.strictEqual(trace(), "stop a")
    }))

  it.effect("RFC S3 a running handler is interrupted; its asker learns of the broken link", () =>
    Effect.gen(function*() {
      const { a, b, crash, system, trace } = yield* pair()
      yield* linked(a, b)
      const asked = yield* Effect.forkChild(Effect.flip(a.ask(new Hang())), { startImmediately: true })
      const behind = yield* Effect.forkChild(a.ask(new Work({ n: 1 })), { startImmediately: true })
      yield* crash(b)
      const error = yield* Fiber.join(asked)
      if (error._tag !== "ActorCrashed") return assert.fail(error._tag)
      assert.include(String(error.cause), "LinkBroken")
      assert.strictEqual(yield* Fiber.join(behind), "1 by a#2")
      assert.strictEqual(trace(), "crash b, stop b, stop a, start a#2, start b#2, a#2 works 1")
      assert.deepStrictEqual(system.deadLetters.counts().crashed, 2)
    }))

  it.effect("RFC S3 a suspended actor crashes too, and keeps its waiting messages", () =>
    Effect.gen(function*() {
      const { a, b, crash, trace } = yield* pair()
      yield* linked(a, b)
      yield* a.suspend
      a.tellUnsafe(new Work({ n: 1 }))
      yield* crash(b)
      assert.strictEqual(trace(), "crash b, stop b, stop a, start b#2, start a#2")
      yield* a.resume
      yield* a.settled
      assert.strictEqual(trace(), "a#2 works 1")
    }))

  it.effect("RFC S3 a ring of links: one crash, and each of them is restarted once", () =>
    Effect.gen(function*() {
      const { child, crash, root } = yield* makeWorld({ intensity: 100 })
      const refs = yield* Effect.forEach(["a", "b", "c", "d"], (name) => child(name))
      for (const [place, ref] of refs.entries()) yield* linked(ref, refs[(place + 1) % refs.length] ?? ref)
      const [first] = refs
      if (first !== undefined) yield* crash(first)
      assert.strictEqual(shape(root.inspect()), "root running#1 [a running#2, b running#2, c running#2, d running#2]")
      assert.strictEqual(root.inspect().restarts, 4)
    }))

  it.effect("RFC S3 a link to itself has no effect", () =>
    Effect.gen(function*() {
      const { a, crash, trace } = yield* pair()
      yield* linked(a, a)
      yield* crash(a)
      assert.strictEqual(trace(), "crash a, stop a, start a#2")
    }))

  it.effect("RFC S3 a link works across supervisors", () =>
    Effect.gen(function*() {
      const { child, crash, supervise, trace } = yield* makeWorld()
      const inner = yield* supervise("inner")
      const [a, x] = [yield* child("a"), yield* child("x", {}, inner)]
      yield* linked(a, x)
      trace()
      yield* crash(x)
      const seen = trace().split(", ")
      assert.includeMembers(seen, ["crash x", "stop x", "start x#2", "stop a", "start a#2"])
      assert.lengthOf(seen, 5)
    }))
})

describe("monitors", () => {
  const ends = [["crashes", "crashed"], ["leaves", "normal"], ["is stopped", "stopped"]] as const
  for (const [end, reason] of ends) {
    it.effect(`RFC S3 the other ${end}: one message, and the watcher goes on`, () =>
      Effect.gen(function*() {
        const { a, b, crash, trace } = yield* pair()
        yield* a.ask(new Monitor({ other: b }))
        if (end === "crashes") b.tellUnsafe(new Crash({}))
        if (end === "leaves") b.tellUnsafe(new Leave())
        if (end === "is stopped") yield* b.stop
        yield* calm
        const heard = trace().split(", ").filter((line) => line.includes("heard"))
        assert.deepStrictEqual(heard, [`a#1 heard root/b ${reason}`])
        yield* crash(b)
        assert.notInclude(trace(), "heard", "once")
        assert.strictEqual(a.inspect().incarnation, 1)
      }))
  }

  it.effect("RFC S3 an actor that is gone: one message, at once", () =>
    Effect.gen(function*() {
      const { a, b, trace } = yield* pair()
      yield* b.stop
      trace()
      yield* a.ask(new Monitor({ other: b }))
      yield* calm
      assert.strictEqual(trace(), "a#1 heard root/b gone")
    }))

  it.effect("RFC S3 the watcher's own end removes the monitor, and does not affect the watched actor", () =>
    Effect.gen(function*() {
      const { a, b, crash, trace } = yield* pair()
      yield* a.ask(new Monitor({ other: b }))
      yield* crash(a)
      assert.strictEqual(trace(), "crash a, stop a, start a#2")
      yield* crash(b)
      assert.strictEqual(trace(), "crash b, stop b, start b#2")
    }))

  it.effect("RFC S3 two monitors are two messages, in the order in which they were set", () =>
    Effect.gen(function*() {
      const { a, b, crash, trace } = yield* pair()
      for (let time = 0; time < 2; time++) yield* a.ask(new Monitor({ other: b }))
      yield* crash(b)
      assert.strictEqual(trace(), "crash b, stop b, a#1 heard root/b crashed, a#1 heard root/b crashed, start b#2")
    }))
})

describe("ref.down", () => {
  const ends = [["crashes", "crashed"], ["leaves", "normal"], ["is stopped", "stopped"]] as const
  for (const [end, reason] of ends) {
    it.effect(`RFC S3 one that ${end} is ${reason}; the next wait is for the next incarnation`, () =>
      Effect.gen(function*() {
        const { b } = yield* pair()
        const waiting = yield* Effect.forEach([1, 2], () => Effect.forkChild(b.down, { startImmediately: true }))
        yield* calm
        assert.isTrue(waiting.every((fiber) => fiber.pollUnsafe() === undefined))
        if (end === "crashes") b.tellUnsafe(new Crash({ why: "boom" }))
        if (end === "leaves") b.tellUnsafe(new Leave())
        if (end === "is stopped") yield* b.stop
        yield* calm
        for (const fiber of waiting) {
          const down = yield* Fiber.join(fiber)
          assert.deepStrictEqual([down.actor, down.reason, down.cause !== undefined], [
            "root/b",
            reason,
            end === "crashes"
          ])
        }
        if (end === "is stopped") return assert.strictEqual((yield* b.down).reason, "gone")
        const next = yield* Effect.forkChild(b.down, { startImmediately: true })
        yield* calm
        assert.isUndefined(next.pollUnsafe())
        yield* b.stop
        assert.strictEqual((yield* Fiber.join(next)).reason, "stopped")
      }))
  }

  it.effect("RFC S3 interrupting one wait does not affect others", () =>
    Effect.gen(function*() {
      const { b, crash } = yield* pair()
      const given = yield* Effect.forkChild(b.down, { startImmediately: true })
      const kept = yield* Effect.forkChild(b.down, { startImmediately: true })
      yield* Fiber.interrupt(given)
      yield* crash(b)
      assert.strictEqual((yield* Fiber.join(kept)).reason, "crashed")
    }))

  it.effect("RFC S3 of an actor that waits for its restart is that of its next incarnation, or gone if there is none", () =>
    Effect.gen(function*() {
      const { child, crash } = yield* makeWorld({ intensity: 9, backoff: { base: 100, jitter: 0 } })
      const a = yield* child("a")
      yield* crash(a)
      const next = yield* Effect.forkChild(a.down, { startImmediately: true })
      yield* TestClock.adjust(100)
      yield* calm
      assert.isUndefined(next.pollUnsafe())
      yield* crash(a)
      assert.strictEqual((yield* Fiber.join(next)).reason, "crashed")
      const none = yield* Effect.forkChild(a.down, { startImmediately: true })
      yield* a.stop
      assert.strictEqual((yield* Fiber.join(none)).reason, "gone")
    }))
})
