/**
 * Hounds without processes, under a whole Tracehound: they end as the test says, and their pool
 * keeps its promises.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { type Hound, type Severity, Tracehound } from "../../src/index.ts"
import { AlertRecorder, InProcessHounds, TracehoundTest } from "../../src/testing/index.ts"

const scent = (payload: string, severity: Severity = "critical") => ({
  id: "1",
  source: "192.0.2.1",
  timestamp: 1,
  payload,
  threat: { category: "malware", severity } as const
})

/** The hound that a scent was given; it must have been given one. */
const escalated = Effect.fnUntraced(function*(payload: string) {
  const result = yield* (yield* Tracehound).intercept(scent(payload))
  if (result.status !== "escalated") return assert.fail(result.status)
  return { hound: result.hound, handle: result.handle }
})

/** The handle of evidence that is taken in, and examined when a hound is free. */
const waits = Effect.fnUntraced(function*(payload: string) {
  const result = yield* (yield* Tracehound).intercept(scent(payload))
  if (result.status !== "quarantined") return assert.fail(result.status)
  return result.handle
})

const numbers = Effect.map(Effect.flatMap(Tracehound, ({ snapshot }) => snapshot), ({ hound }) => hound)
const examined = Effect.flatMap(InProcessHounds, ({ examined }) => examined)

/** No rotations: nothing else moves. */
const pool = (maxActive: number, failSafe = {}) => ({
  hound: { maxActive, minimumDormant: 1, maxProcessingTime: 1_000 },
  failSafe,
  scheduler: { rotationInterval: 2_000_000_000 }
})

describe("behaviours", () => {
  it.effect("RFC H7 complete leaves the evidence where it is, and the hound is free", () =>
    Effect.gen(function*() {
      const { handle, hound } = yield* escalated("abc")
      assert.deepStrictEqual(hound, { id: hound.id, state: "active", createdAt: 0, activatedAt: 0 } satisfies Hound)
      assert.deepStrictEqual(yield* numbers, { dormant: 1, active: 1, terminated: 0, sandbox: "none" })
      yield* TracehoundTest.settled
      assert.deepStrictEqual(yield* examined, [{ signature: handle.signature, size: 3 }])
      assert.isFalse(handle.disposed)
      assert.deepStrictEqual(yield* numbers, { dormant: 2, active: 0, terminated: 0, sandbox: "none" })
      assert.deepStrictEqual(yield* (yield* AlertRecorder).alerts, [])
    }).pipe(Effect.provide(TracehoundTest.layer(pool(2)))))

  it.effect("RFC F1 error does what onHoundError says: an alert, and the evidence stays", () =>
    Effect.gen(function*() {
      yield* (yield* InProcessHounds).next("error")
      const { handle } = yield* escalated("abc")
      yield* TracehoundTest.settled
      assert.deepStrictEqual(yield* numbers, { dormant: 2, active: 0, terminated: 1, sandbox: "none" })
      assert.deepStrictEqual(yield* (yield* AlertRecorder).types, ["failsafe.escalated"])
      assert.isFalse(handle.disposed)
    }).pipe(Effect.provide(TracehoundTest.layer(pool(2)))))

  it.effect("RFC F1 hang ends at maxProcessingTime, to the millisecond, and the evidence is purged", () =>
    Effect.gen(function*() {
      const { sync } = yield* Tracehound
      yield* (yield* InProcessHounds).next("hang")
      const { handle } = yield* escalated("abc")
      yield* TracehoundTest.settled
      yield* TestClock.adjust(999)
      assert.deepStrictEqual(yield* numbers, { dormant: 1, active: 1, terminated: 0, sandbox: "none" })
      yield* TestClock.adjust(1)
      yield* TracehoundTest.settled
      assert.deepStrictEqual(yield* numbers, { dormant: 2, active: 0, terminated: 1, sandbox: "none" })
      assert.isTrue(handle.disposed)
      const [record] = sync.auditChain.records()
      assert.include(record?.entry, { status: "purged", reason: "timeout", timestamp: 1_000 })
    }).pipe(Effect.provide(TracehoundTest.layer(pool(2)))))

  it.effect.each(["hangs", "", "Crash", "constructor", null, 1])(
    "a behaviour that is none is a defect: %j",
    (word) =>
      Effect.gen(function*() {
        const { always, next } = yield* InProcessHounds
        const wrong = word as "hang"
        for (const saying of [next(wrong), next("complete", wrong), always(wrong)]) {
          const exit = yield* Effect.exit(saying)
          assert.include(String(exit), `no hound ends by ${JSON.stringify(word)}`)
        }
        const { handle } = yield* escalated("a")
        yield* TracehoundTest.settled
        assert.isFalse(handle.disposed, "as if nothing had been said")
      }).pipe(Effect.provide(TracehoundTest.layer(pool(2))))
  )

  it.effect("next is one each, in the order said, whoever says it; after that it is as always says", () =>
    Effect.gen(function*() {
      const { always, next } = yield* InProcessHounds
      yield* next("complete", "error")
      yield* next("error")
      yield* always("hang")
      const terminated: Array<number> = []
      for (const payload of ["a", "b", "c", "d"]) {
        yield* escalated(payload)
        yield* TracehoundTest.settled
        terminated.push((yield* numbers).terminated)
      }
      assert.deepStrictEqual(terminated, [0, 1, 2, 2])
      assert.strictEqual((yield* numbers).active, 1)
      yield* always("complete")
      yield* TestClock.adjust(1_000)
      yield* escalated("e")
      yield* TracehoundTest.settled
      assert.deepStrictEqual(yield* numbers, { dormant: 4, active: 0, terminated: 3, sandbox: "none" })
    }).pipe(Effect.provide(TracehoundTest.layer(pool(4, { onTimeout: "quarantine", onHoundError: "quarantine" })))))
})

describe("the pool", () => {
  it.effect("RFC S1 no more than maxActive at once; jobs that wait are examined first in, first out", () =>
    Effect.gen(function*() {
      yield* (yield* InProcessHounds).always("hang")
      const [a, b] = [yield* escalated("a"), yield* escalated("b")]
      const [c, d] = [yield* waits("c"), yield* waits("d")]
      assert.notStrictEqual(a.hound.id, b.hound.id)
      yield* TracehoundTest.settled
      assert.deepStrictEqual(
        (yield* examined).map(({ signature }) => signature),
        [a, b].map((it) => it.handle.signature)
      )
      assert.deepStrictEqual(yield* numbers, { dormant: 0, active: 2, terminated: 0, sandbox: "none" })
      yield* TestClock.adjust(1_000)
      yield* TracehoundTest.settled
      assert.deepStrictEqual((yield* examined).map(({ signature }) => signature).slice(2), [c.signature, d.signature])
      assert.deepStrictEqual(yield* numbers, { dormant: 0, active: 2, terminated: 2, sandbox: "none" })
    }).pipe(Effect.provide(TracehoundTest.layer(pool(2)))))

  it.effect("thousands of jobs that wait are examined one after the other", () =>
    Effect.gen(function*() {
      const { always, next } = yield* InProcessHounds
      yield* next("hang")
      yield* always("complete")
      yield* escalated("first")
      for (let i = 0; i < 9_000; i++) yield* waits(`${i}`)
      yield* TestClock.adjust(1_000)
      while ((yield* numbers).active > 0) yield* TracehoundTest.settled
      assert.strictEqual((yield* examined).length, 9_001)
      assert.deepStrictEqual(yield* numbers, { dormant: 1, active: 0, terminated: 1, sandbox: "none" })
    }).pipe(Effect.provide(TracehoundTest.layer({
      ...pool(1),
      hound: { ...pool(1).hound, maxPending: 9_000 },
      rateLimit: { maxRequests: 10_000 }
    }))))

  it.effect("evidence that left before a hound was free is not examined, and takes no behaviour", () =>
    Effect.gen(function*() {
      const { always, next } = yield* InProcessHounds
      yield* next("hang", "error")
      yield* always("complete")
      yield* escalated("a")
      const gone = yield* waits("gone")
      const stays = yield* waits("stays")
      gone.neutralize()
      yield* TracehoundTest.settled
      yield* TestClock.adjust(1_000)
      yield* TracehoundTest.settled
      assert.deepStrictEqual((yield* examined).slice(1), [
        { signature: gone.signature, size: null },
        { signature: stays.signature, size: 5 }
      ])
      assert.strictEqual((yield* numbers).terminated, 2)
      assert.isTrue(stays.disposed)
    }).pipe(Effect.provide(TracehoundTest.layer(pool(1, { onHoundError: "Purge" })))))
})

/** Rotates every second, and no jitter. */
const rotating = (scheduler = {}) => ({
  hound: { maxActive: 1, maxProcessingTime: 2_500 },
  scheduler: { rotationInterval: 1_000, jitterMax: 0, ...scheduler }
})
const rotations = Effect.flatMap(InProcessHounds, ({ rotations }) => rotations)

describe("rotations", () => {
  it.effect("RFC H5 come at rotationInterval, and not before", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(999)
      assert.strictEqual(yield* rotations, 0)
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* rotations, 1)
      yield* TestClock.adjust(1_000)
      assert.strictEqual(yield* rotations, 2)
    }).pipe(Effect.provide(TracehoundTest.layer(rotating()))))

  it.effect("RFC H5 RFC S5 come at rotationInterval and a jitter that the seed decides, within its bound", () =>
    Effect.gen(function*() {
      /** When the first few come, each as the ms since the one before. */
      const delays = (seed: number) =>
        Effect.gen(function*() {
          const found: Array<number> = []
          for (let ms = 1; found.length < 12; ms++) {
            const before = yield* rotations
            yield* TestClock.adjust(1)
            if ((yield* rotations) === before) continue
            found.push(ms)
            ms = 0
          }
          return found
        }).pipe(Effect.provide(TracehoundTest.layer(rotating({ rotationInterval: 20, jitterMax: 30 }), { seed })))
      const first = yield* delays(1)
      for (const delay of first) {
        assert.isAtLeast(delay, 20)
        assert.isAtMost(delay, 50)
      }
      assert.isAbove(new Set(first).size, 4)
      assert.deepStrictEqual(yield* delays(1), first)
      assert.notDeepEqual(yield* delays(2), first)
    }))

  it.effect("RFC H5 one that finds a hound active is skipped, and the next comes at its time", () =>
    Effect.gen(function*() {
      yield* (yield* InProcessHounds).next("hang")
      yield* escalated("a")
      yield* TracehoundTest.settled
      yield* TestClock.adjust(2_499)
      assert.strictEqual(yield* rotations, 0)
      yield* TestClock.adjust(501)
      assert.strictEqual(yield* rotations, 1)
    }).pipe(Effect.provide(TracehoundTest.layer(rotating()))))

  it.effect("RFC H5 unless skipIfBusy is off", () =>
    Effect.gen(function*() {
      yield* (yield* InProcessHounds).next("hang")
      yield* escalated("a")
      yield* TracehoundTest.settled
      yield* TestClock.adjust(2_499)
      assert.strictEqual(yield* rotations, 2)
    }).pipe(Effect.provide(TracehoundTest.layer(rotating({ skipIfBusy: false })))))

  it.effect("RFC H5 are never two at once: one that comes due while another is under way is skipped", () =>
    Effect.gen(function*() {
      const { slowRotationsBy } = yield* InProcessHounds
      yield* slowRotationsBy(1_500)
      yield* TestClock.adjust(1_000)
      assert.strictEqual(yield* rotations, 1)
      yield* TestClock.adjust(1_499)
      assert.strictEqual(yield* rotations, 1)
      yield* slowRotationsBy(0)
      yield* TestClock.adjust(501)
      assert.strictEqual(yield* rotations, 2)
      yield* TestClock.adjust(1_000)
      assert.strictEqual(yield* rotations, 3)
    }).pipe(Effect.provide(TracehoundTest.layer(rotating({ skipIfBusy: false })))))
})
