import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Option, Tracer } from "effect"
import { TestClock } from "effect/testing"
import { Breaker } from "../../../src/custody/coldstorage/Breaker.ts"
import { DeadLetterBox, memoryLetters } from "../../../src/custody/coldstorage/DeadLetterBox.ts"
import { ColdStorageError } from "../../../src/custody/coldstorage/Endpoint.ts"
import type { Loss } from "../../../src/custody/coldstorage/Tally.ts"
import { type WriterParts, writeWithRetries } from "../../../src/custody/coldstorage/Writer.ts"
import type { ColdStorageDecision } from "../../../src/domain/FailSafe.ts"
import { make as makeCaller } from "../../../src/telemetry/Caller.ts"
import { make as makeSpans } from "../../../src/telemetry/RootSpans.ts"
import { makeFakeEndpoint } from "./fakeEndpoint.ts"

const passage = { signature: `spam:${"0".repeat(64)}`, scentId: "scent-1", span: undefined, onEnd: undefined }

/** The writer's parts, and what it reported to them. */
const opened = (decisions: Array<ColdStorageDecision> = [], config: object = {}) => {
  const fake = makeFakeEndpoint()
  const reported: Array<string> = []
  const whys: Array<string> = []
  const reasons: Array<string | undefined> = []
  const time = { ms: 0 }
  const letters = memoryLetters()
  const box = new DeadLetterBox(letters, { maxKeptCount: 100, maxKeptBytes: 100 })
  const parts: WriterParts = {
    ages: { end: () => undefined },
    caller: makeCaller(),
    spans: makeSpans(Context.empty()),
    breaker: new Breaker(() => time.ms),
    box,
    nowMs: () => 7,
    leaveBehind: () => undefined,
    config: { maxPendingCount: 1, retries: 2, retryDelayMs: 100, writeTimeoutMs: 1_000, ...config },
    endpoint: fake.endpoint,
    failSafe: { coldStorageFailed: () => Effect.sync(() => decisions.shift() ?? null) },
    tally: {
      countWrite: () => void reported.push("written"),
      reportLoss: ({ code, message, passage: of, reason, why }: Loss, isAlert?: boolean) => {
        reported.push(`${message}${isAlert === false ? ", no alert" : ""}`)
        whys.push(why)
        reasons.push(code ?? reason)
        assert.strictEqual(of, passage)
      },
      reportDeadLetter: () => undefined
    }
  }
  const envelope = (id: string) => writeWithRetries(parts, { id, passage, size: 1, envelope: Uint8Array.of(1) })
  return { ...fake, box, letters, parts, reasons, reported, whys, time, envelope, write: envelope("a") }
}

/** Runs it while time passes. */
const inTime = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Effect.exit(effect), { startImmediately: true })
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  })

describe("writeWithRetries", () => {
  it.effect("RFC C1 counts one write, however many tries it took", () =>
    Effect.gen(function*() {
      const { attempts, faults, reported, write } = opened()
      faults.push("fails", "dies")
      assert.deepStrictEqual(yield* inTime(write), Exit.void)
      assert.deepStrictEqual(attempts, ["a", "a", "a"])
      assert.deepStrictEqual(reported, ["written"])
    }))

  it.effect("RFC C1 fails past its retries, and reports that once", () =>
    Effect.gen(function*() {
      const { attempts, faults, reported, write } = opened()
      faults.push("fails", "hangs", "fails")
      assert.isTrue(Exit.isFailure(yield* inTime(write)))
      assert.strictEqual(attempts.length, 3)
      assert.deepStrictEqual(reported, ["the disk is full"])
    }))

  it.effect("RFC F4 the host's decision stands in place of the number of retries", () =>
    Effect.gen(function*() {
      const retried = opened(["retry", "retry", "retry", "retry"], { retries: 0 })
      retried.faults.push("fails", "fails", "fails", "fails")
      assert.deepStrictEqual(yield* inTime(retried.write), Exit.void)
      assert.strictEqual(retried.attempts.length, 5)
      for (
        const [decision, report] of [["ignore", "the disk is full, no alert"], ["alert", "the disk is full"]] as const
      ) {
        const { attempts, faults, reported, write } = opened([decision])
        faults.push("fails")
        assert.isTrue(Exit.isFailure(yield* inTime(write)))
        assert.strictEqual(attempts.length, 1)
        assert.deepStrictEqual(reported, [report])
      }
    }))
})

describe("why an envelope was not written", () => {
  it.effect("RFC C1 is the host's own code where it gave one, and fixed text otherwise", () =>
    Effect.gen(function*() {
      const { faults, parts, reasons, whys, write } = opened([], { retries: 0, writeTimeoutMs: 70 })
      for (const fault of ["fails", "dies"] as const) {
        faults.push(fault)
        yield* inTime(write)
      }
      assert.deepStrictEqual(whys, ["the endpoint failed", "the endpoint broke"])
      assert.deepStrictEqual(reasons, ["ColdStorageError", "string"])
      const slow = opened([], { retries: 0, writeTimeoutMs: 70 })
      slow.faults.push("hangs")
      yield* inTime(slow.write)
      assert.deepStrictEqual(slow.whys, ["no answer within 70 ms"])
      assert.deepStrictEqual(slow.reasons, ["timeout"])
      const full = new ColdStorageError({ reason: "write", message: "no space", code: "ENOSPC" })
      const endpoint = { destination: "file:fake", write: () => Effect.fail(full) }
      const envelope = { id: "b", passage, size: 1, envelope: Uint8Array.of(1) }
      yield* inTime(writeWithRetries({ ...parts, endpoint, breaker: new Breaker(() => 0) }, envelope))
      assert.deepStrictEqual([whys.pop(), reasons.pop()], ["ENOSPC", "ENOSPC"])
    }))
})

describe("an endpoint without room", () => {
  it.effect("RFC C1 is spared after the first loss, for ten seconds, and each loss says so", () =>
    Effect.gen(function*() {
      const { parts, reasons, time, whys } = opened([], { retries: 2 })
      const full = new ColdStorageError({ reason: "full", message: "no space", code: "ENOSPC" })
      const tried: Array<string> = []
      let isFull = true
      const endpoint = {
        destination: "file:fake",
        write: (name: string) =>
          Effect.suspend(() => {
            tried.push(name)
            return isFull ? Effect.fail(full) : Effect.void
          })
      }
      const write = (id: string) =>
        inTime(writeWithRetries({ ...parts, endpoint }, { id, passage, size: 1, envelope: Uint8Array.of(1) }))
      for (const id of ["a", "b", "c"]) assert.isTrue(Exit.isFailure(yield* write(id)))
      // The configured tries of the first one, and none of the others.
      assert.deepStrictEqual(tried, ["a", "a", "a"])
      assert.deepStrictEqual(whys, ["ENOSPC", "the endpoint is full", "the endpoint is full"])
      assert.deepStrictEqual(reasons, ["ENOSPC", "full", "full"])
      time.ms = 9_999
      yield* write("d")
      time.ms = 10_000
      isFull = false
      assert.deepStrictEqual(yield* write("e"), Exit.void)
      assert.deepStrictEqual(tried, ["a", "a", "a", "e"])
    }))
})

describe("an envelope that was lost", () => {
  it.effect("RFC C2 is kept, tried or not, with the endpoint, the reason and the time; one that was written is not", () =>
    Effect.gen(function*() {
      const { box, envelope, faults, letters } = opened(["ignore", "alert", "alert"], { retries: 0 })
      faults.push("fails", "dies", "fails")
      for (const id of ["a", "b", "c", "d"]) yield* inTime(envelope(id))
      const kept = yield* letters.list("", 9)
      assert.deepStrictEqual(kept.map(({ name, reason }) => `${name} ${reason}`), [
        "a the endpoint failed",
        "b the endpoint broke",
        "c the endpoint failed",
        "d its latest writes all failed"
      ])
      assert.deepStrictEqual([kept[0]?.endpoint, kept[0]?.time, kept[0]?.envelope[0]], ["file:fake", 7, 1])
      assert.deepStrictEqual(box.stats(), { kept: 4, keptBytes: 4, unkept: 0, resent: 0 })
      const well = opened()
      yield* well.envelope("a")
      assert.strictEqual(well.box.stats().kept, 0)
    }))
})

describe("the span of a write", () => {
  it.effect("RFC W6 is there while the endpoint writes, and ends as stopped where the writer is interrupted", () =>
    Effect.gen(function*() {
      const spans: Array<Tracer.NativeSpan> = []
      const tracer = Tracer.make({
        span: (made) => {
          const span = new Tracer.NativeSpan(made)
          spans.push(span)
          return span
        }
      })
      const { parts } = opened()
      const seen: Array<Tracer.AnySpan> = []
      const endpoint = {
        destination: "file:fake",
        write: (name: string) =>
          Effect.andThen(
            Effect.map(Effect.orDie(Effect.currentSpan), (span) => seen.push(span)),
            name === "hangs" ? Effect.never : Effect.void
          )
      }
      const traced = { ...parts, endpoint, spans: makeSpans(Context.make(Tracer.Tracer, tracer)) }
      const write = (id: string) => writeWithRetries(traced, { id, passage, size: 1, envelope: Uint8Array.of(1) })
      yield* write("a")
      const hanging = yield* Effect.forkChild(write("hangs"), { startImmediately: true })
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(hanging), { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(interrupting)
      assert.deepStrictEqual(seen, spans)
      assert.deepStrictEqual(spans.map(({ attributes }) => attributes.get("error.type")), [undefined, "stopped"])
    }))

  it.effect("RFC W6 has an event for each try that failed, up to sixteen", () =>
    Effect.gen(function*() {
      const { faults, parts } = opened(Array.from({ length: 30 }, () => "retry" as const))
      faults.push(...Array.from({ length: 30 }, () => "fails" as const))
      const span = Tracer.nativeTracer.span({
        name: "write",
        parent: Option.none(),
        annotations: Context.empty(),
        links: [],
        startTime: 0n,
        kind: "client",
        root: true,
        sampled: true
      }) as Tracer.NativeSpan
      const tracer = Tracer.make({ span: () => span })
      const traced = { ...parts, spans: makeSpans(Context.make(Tracer.Tracer, tracer)) }
      yield* inTime(writeWithRetries(traced, { id: "a", passage, size: 1, envelope: Uint8Array.of(1) }))
      assert.strictEqual(span.events.length, 16)
      assert.strictEqual(span.attributes.get("tracehound.tries"), 31)
    }))
})

describe("a circuit that is open", () => {
  const fails = (count: number) => Array.from({ length: count }, () => "fails" as const)

  it.effect("RFC C1 after three losses in a row tries nothing for five seconds, then one, once", () =>
    Effect.gen(function*() {
      const { attempts, envelope, faults, reported, time } = opened()
      faults.push(...fails(11))
      for (const id of ["a", "b", "c"]) yield* inTime(envelope(id))
      assert.strictEqual(attempts.length, 9)
      for (let n = 0; n < 3_000; n++) assert.isTrue(Exit.isFailure(yield* Effect.exit(envelope(`d${n}`))))
      assert.strictEqual(attempts.length, 9)
      // No loss is silent, and each says what was wrong when somebody tried.
      assert.strictEqual(reported.length, 3_003)
      assert.include(reported.at(-1), "the last one with: the disk is full")
      time.ms = 4_999
      yield* Effect.exit(envelope("e"))
      assert.strictEqual(attempts.length, 9)
      for (const [ms, tried] of [[5_000, 10], [9_999, 10], [10_000, 11], [10_001, 11]] as const) {
        time.ms = ms
        assert.isTrue(Exit.isFailure(yield* Effect.exit(envelope(`f${ms}`))))
        assert.strictEqual(attempts.length, tried, `at ${ms} ms`)
      }
      time.ms = 15_000
      assert.deepStrictEqual(yield* envelope("g"), undefined)
      // Closed again: the next one has all its tries.
      faults.push(...fails(2))
      assert.deepStrictEqual(yield* inTime(envelope("h")), Exit.void)
      assert.strictEqual(attempts.length, 15)
      assert.strictEqual(reported.filter((report) => report === "written").length, 2)
    }))

  it.effect("RFC C1 losses that are not in a row never open it", () =>
    Effect.gen(function*() {
      const { attempts, envelope, faults } = opened([], { retries: 0 })
      for (let n = 0; n < 50; n++) {
        faults.push(...fails(2))
        for (const id of ["x", "y"]) yield* Effect.exit(envelope(id))
        assert.deepStrictEqual(yield* envelope(`${n}`), undefined)
      }
      assert.strictEqual(attempts.length, 150)
    }))

  it.effect("RFC F4 the host's decision stands for a probe too, and a host that ignores losses hears of none", () =>
    Effect.gen(function*() {
      const { attempts, envelope, faults, parts, reported, time } = opened(
        ["ignore", "ignore", "ignore", "retry", "retry", "alert"],
        { retries: 7 }
      )
      faults.push(...fails(6))
      for (const id of ["a", "b", "c", "d"]) yield* inTime(envelope(id))
      assert.strictEqual(attempts.length, 3)
      assert.isTrue(reported.every((report) => report.endsWith(", no alert")))
      time.ms = 5_000
      yield* inTime(envelope("e"))
      assert.deepStrictEqual(attempts.slice(3), ["e", "e", "e"])
      assert.strictEqual(reported.at(-1), "the disk is full")
      assert.strictEqual(parts.breaker.next(), "lost")
    }))

  it("RFC C1 a clock that stands still or jumps far ahead opens nothing for ever", () => {
    const time = { ms: 0 }
    const breaker = new Breaker(() => time.ms)
    assert.strictEqual(breaker.next(), "tries")
    for (let n = 0; n < 3; n++) breaker.recordLoss({ message: "x", isAlert: true, isFull: false })
    assert.strictEqual(breaker.next(), "lost")
    time.ms = 8.64e15
    assert.strictEqual(breaker.next(), "probe")
    breaker.recordWrite()
    assert.strictEqual(breaker.next(), "tries")
  })
})
