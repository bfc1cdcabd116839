/**
 * Which children are ended and restarted: strategies, kinds of children, and ways to end. The
 * tables list the expected traces; a model of OTP's rules, written independently of the kernel,
 * gives the expected trace of every other combination.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { StartFailed } from "../../src/actor/Errors.ts"
import { ActorSystem, type RestartKind, type Strategy } from "../../src/actor/index.ts"
import { calm, Crash, definitionOf, Leave, makeWorld, shape, Work } from "./supervised.ts"

const names = ["a", "b", "c"] as const
const kinds = { p: "permanent", t: "transient", x: "temporary" } as const satisfies Record<string, RestartKind>
type Mark = keyof typeof kinds
type Marks = readonly [Mark, Mark, Mark]

const crowd = Effect.fnUntraced(function*(strategy: Strategy, marks: Marks) {
  const world = yield* makeWorld({ strategy, intensity: 10 })
  const refs = yield* Effect.forEach(names, (name, place) => world.child(name, { restart: kinds[marks[place] ?? "p"] }))
  world.trace()
  return { ...world, refOf: (name: string) => refs[names.findIndex((each) => each === name)] ?? assert.fail(name) }
})

/** Strategy, kinds of a, b and c, the child that crashes, the trace after that, and who is left. */
type Row = readonly [Strategy, Marks, (typeof names)[number], string, string]

const rows: ReadonlyArray<Row> = [
  ["one_for_one", ["p", "p", "p"], "a", "stop a, start a#2", "a#2 b#1 c#1"],
  ["one_for_one", ["p", "p", "p"], "b", "stop b, start b#2", "a#1 b#2 c#1"],
  ["one_for_one", ["p", "p", "p"], "c", "stop c, start c#2", "a#1 b#1 c#2"],
  ["one_for_one", ["x", "t", "p"], "a", "stop a", "b#1 c#1"],
  ["one_for_one", ["x", "t", "p"], "b", "stop b, start b#2", "a#1 b#2 c#1"],
  ["one_for_all", ["p", "p", "p"], "a", "stop a, stop c, stop b, start a#2, start b#2, start c#2", "a#2 b#2 c#2"],
  ["one_for_all", ["p", "p", "p"], "b", "stop b, stop c, stop a, start a#2, start b#2, start c#2", "a#2 b#2 c#2"],
  ["one_for_all", ["p", "p", "p"], "c", "stop c, stop b, stop a, start a#2, start b#2, start c#2", "a#2 b#2 c#2"],
  ["one_for_all", ["t", "x", "p"], "a", "stop a, stop c, stop b, start a#2, start c#2", "a#2 c#2"],
  ["one_for_all", ["x", "t", "x"], "b", "stop b, stop c, stop a, start b#2", "b#2"],
  ["one_for_all", ["p", "x", "t"], "b", "stop b", "a#1 c#1"],
  ["rest_for_one", ["p", "p", "p"], "a", "stop a, stop c, stop b, start a#2, start b#2, start c#2", "a#2 b#2 c#2"],
  ["rest_for_one", ["p", "p", "p"], "b", "stop b, stop c, start b#2, start c#2", "a#1 b#2 c#2"],
  ["rest_for_one", ["p", "p", "p"], "c", "stop c, start c#2", "a#1 b#1 c#2"],
  ["rest_for_one", ["p", "x", "t"], "a", "stop a, stop c, stop b, start a#2, start c#2", "a#2 c#2"],
  ["rest_for_one", ["x", "t", "x"], "b", "stop b, stop c, start b#2", "a#1 b#2"],
  ["rest_for_one", ["x", "p", "t"], "a", "stop a", "b#1 c#1"]
]

/**
 * The trace after an end by OTP's rules, derived from the rules alone.
 */
const model = (strategy: Strategy, marks: Marks, who: number, crashed: boolean): { seen: string; left: string } => {
  const numbers: Array<number | undefined> = [1, 1, 1]
  const seen = [`stop ${names[who]}`]
  const isRestarted = marks[who] === "p" || (marks[who] === "t" && crashed)
  const affected = isRestarted
    ? [0, 1, 2].filter((each) =>
      each === who || strategy === "one_for_all" || (strategy === "rest_for_one" && each > who)
    )
    : []
  for (const each of affected.toReversed()) if (each !== who) seen.push(`stop ${names[each]}`)
  if (!isRestarted) numbers[who] = undefined
  for (const each of affected) {
    if (marks[each] === "x") {
      numbers[each] = undefined
      continue
    }
    numbers[each] = 2
    seen.push(`start ${names[each]}#2`)
  }
  const left = names.flatMap((name, place) => numbers[place] === undefined ? [] : [`${name}#${numbers[place]}`])
  return { seen: seen.join(", "), left: left.join(" ") }
}

type Crowd = Effect.Success<ReturnType<typeof crowd>>
const leftOf = (world: Crowd): string =>
  world.root.inspect().children.map(({ incarnation, name }) => `${name}#${incarnation}`).join(" ")

describe("strategies", () => {
  for (const [strategy, marks, who, seen, left] of rows) {
    it.effect(`RFC S3 ${strategy} of ${marks.map((mark) => kinds[mark]).join(", ")}: ${who} crashes`, () =>
      Effect.gen(function*() {
        const world = yield* crowd(strategy, marks)
        yield* world.crash(world.refOf(who))
        assert.strictEqual(world.trace(), `crash ${who}, ${seen}`)
        assert.strictEqual(leftOf(world), left)
        assert.isTrue(world.root.inspect().children.every(({ phase }) => phase === "running"))
        const expected = model(strategy, marks, names.indexOf(who), true)
        assert.deepStrictEqual({ seen, left }, expected, "the model knows the same rules")
      }))
  }

  const marks = ["p", "t", "x"] as const
  for (const strategy of ["one_for_one", "one_for_all", "rest_for_one"] as const) {
    it.effect(`RFC S3 ${strategy}: every mix of kinds, every child, a crash and a normal end`, () =>
      Effect.gen(function*() {
        let combinations = 0
        for (const a of marks) {
          for (const b of marks) {
            for (const c of marks) {
              for (const [place, who] of names.entries()) {
                for (const crashed of [true, false]) {
                  const world = yield* crowd(strategy, [a, b, c])
                  world.refOf(who).tellUnsafe(crashed ? new Crash({}) : new Leave())
                  yield* calm
                  const { left, seen } = model(strategy, [a, b, c], place, crashed)
                  const about = `${strategy} ${a}${b}${c}: ${who} ${crashed ? "crashes" : "leaves"}`
                  assert.strictEqual(world.trace(), crashed ? `crash ${who}, ${seen}` : seen, about)
                  assert.strictEqual(leftOf(world), left, about)
                  combinations += 1
                }
              }
            }
          }
        }
        assert.strictEqual(combinations, 27 * 3 * 2)
      }))
  }

  it.effect("RFC S5 the same crashes leave the same trace, however often they are repeated", () =>
    Effect.gen(function*() {
      const traces = new Set<string>()
      for (let time = 0; time < 20; time++) {
        const world = yield* crowd("rest_for_one", ["p", "t", "p"])
        yield* world.crash(world.refOf("b"), world.refOf("c"), world.refOf("a"))
        traces.add(world.trace())
      }
      assert.strictEqual(traces.size, 1, [...traces].join("\n"))
    }))
})

describe("siblings that crash at once", () => {
  /** Strategy, the children that crash, the trace, and the number of restarts that count. */
  const together: ReadonlyArray<readonly [Strategy, ReadonlyArray<string>, string, number]> = [
    ["one_for_one", ["c", "a"], "crash c, stop c, crash a, stop a, start c#2, start a#2", 2],
    ["one_for_all", ["c", "a"], "crash c, stop c, crash a, stop a, stop b, start a#2, start b#2, start c#2", 1],
    // c is decided first, and restarted alone; then a is restarted, with b and the new c.
    [
      "rest_for_one",
      ["c", "a"],
      "crash c, stop c, crash a, stop a, start c#2, stop c, stop b, start a#2, start b#2, start c#3",
      2
    ],
    ["rest_for_one", ["a", "c"], "crash a, stop a, crash c, stop c, stop b, start a#2, start b#2, start c#2", 1]
  ]
  for (const [strategy, who, seen, restarts] of together) {
    it.effect(`RFC S3 ${strategy}: ${who.join(" and ")}`, () =>
      Effect.gen(function*() {
        const world = yield* crowd(strategy, ["p", "p", "p"])
        yield* world.crash(...who.map(world.refOf))
        assert.strictEqual(world.trace(), seen)
        assert.strictEqual(world.root.inspect().restarts, restarts, "one for each decision, as in OTP")
      }))
  }
})

describe("kinds and ends", () => {
  /** The trace of one child, and whether it is still there. */
  const ends: ReadonlyArray<
    readonly [RestartKind, "crashes" | "leaves" | "is stopped" | "is closed", string, boolean]
  > = [
    ["permanent", "crashes", "crash a, stop a, start a#2", true],
    ["permanent", "leaves", "stop a, start a#2", true],
    ["permanent", "is stopped", "stop a", false],
    ["permanent", "is closed", "stop a", false],
    ["transient", "crashes", "crash a, stop a, start a#2", true],
    ["transient", "leaves", "stop a", false],
    ["transient", "is stopped", "stop a", false],
    ["transient", "is closed", "stop a", false],
    ["temporary", "crashes", "crash a, stop a", false],
    ["temporary", "leaves", "stop a", false],
    ["temporary", "is stopped", "stop a", false],
    ["temporary", "is closed", "stop a", false]
  ]
  for (const [restart, end, seen, stays] of ends) {
    it.effect(`RFC S3 a ${restart} child that ${end}`, () =>
      Effect.gen(function*() {
        const { log, root, trace } = yield* makeWorld()
        const scope = yield* Scope.make()
        const ref = yield* Scope.provide(root.spawn(definitionOf(log, "a", { restart })), scope)
        trace()
        if (end === "crashes") ref.tellUnsafe(new Crash({}))
        if (end === "leaves") ref.tellUnsafe(new Leave())
        if (end === "is stopped") yield* ref.stop
        if (end === "is closed") yield* Scope.close(scope, Exit.void)
        yield* calm
        assert.strictEqual(trace(), seen)
        assert.strictEqual(root.inspect().children.length, stays ? 1 : 0)
        assert.strictEqual(ref.tellUnsafe(new Work({ n: 1 })), stays)
        assert.strictEqual(ref.inspect().phase, stays ? "running" : "ended")
        assert.strictEqual(root.inspect().restarts, stays ? 1 : 0)
      }))
  }

  it.effect("RFC S3 stopping twice, or stopping an ended actor, has no effect", () =>
    Effect.gen(function*() {
      const { child, trace } = yield* makeWorld()
      const a = yield* child("a", { restart: "transient" })
      const b = yield* child("b", { restart: "transient" })
      b.tellUnsafe(new Leave())
      yield* Effect.all([a.stop, a.stop, b.stop], { concurrency: "unbounded" })
      yield* calm
      assert.strictEqual(trace(), "start a#1, start b#1, stop b, stop a")
    }))
})

describe("waiting messages", () => {
  it.effect("RFC S3 the next incarnation handles waiting messages in order, and never the one that crashed the last", () =>
    Effect.gen(function*() {
      const { child, system, trace } = yield* makeWorld()
      const a = yield* child("a")
      const first = yield* Effect.forkChild(a.ask(new Work({ n: 1 })), { startImmediately: true })
      const crashed = yield* Effect.forkChild(Effect.flip(a.ask(new Crash({ why: "boom" }))), {
        startImmediately: true
      })
      const rest = yield* Effect.forEach(
        [2, 3],
        (n) => Effect.forkChild(a.ask(new Work({ n })), { startImmediately: true })
      )
      assert.strictEqual(yield* Fiber.join(first), "1 by a#1")
      const error = yield* Fiber.join(crashed)
      if (error._tag !== "ActorCrashed") return assert.fail(error._tag)
      assert.strictEqual(error.actor, "root/a")
      assert.instanceOf(error.cause, Error)
      assert.strictEqual(error.cause.message, "boom")
      assert.deepStrictEqual(yield* Effect.forEach(rest, Fiber.join), ["2 by a#2", "3 by a#2"])
      assert.strictEqual(trace(), "start a#1, a#1 works 1, crash a, stop a, start a#2, a#2 works 2, a#2 works 3")
      assert.deepStrictEqual(system.deadLetters.recent().map(({ reason, tag }) => [tag, reason]), [[
        "Crash",
        "crashed"
      ]])
      const { accepted, buried, handled, lastCrash } = a.inspect()
      assert.deepStrictEqual({ accepted, buried, handled, lastCrash: lastCrash?.message }, {
        accepted: 4,
        buried: 1,
        handled: 3,
        lastCrash: "Error: boom"
      })
    }))

  for (const strategy of ["one_for_all", "rest_for_one"] as const) {
    it.effect(`RFC S3 ${strategy}: siblings that are restarted along keep their messages, those of temporary ones become dead letters`, () =>
      Effect.gen(function*() {
        const { child, system, trace } = yield* makeWorld({ strategy })
        const a = yield* child("a")
        const b = yield* child("b", { suspended: true })
        const c = yield* child("c", { suspended: true, restart: "temporary" })
        const asked = yield* Effect.forEach(
          [b, c],
          (ref) => Effect.forkChild(Effect.result(ref.ask(new Work({ n: 1 }))), { startImmediately: true })
        )
        a.tellUnsafe(new Crash({}))
        yield* calm
        yield* b.resume
        const [kept, left] = yield* Effect.forEach(asked, Fiber.join)
        assert.strictEqual(kept?._tag === "Success" ? kept.success : "", "1 by b#2")
        assert.strictEqual(left?._tag === "Failure" ? left.failure._tag : "", "ActorStopped")
        assert.deepStrictEqual(system.deadLetters.recent().map(({ actor, reason }) => [actor, reason]), [
          ["root/a", "crashed"],
          ["root/c", "stopped"]
        ])
        assert.include(trace(), "crash a, stop a, stop c, stop b, start a#2, start b#2, b#2 works 1")
      }))
  }

  it.effect("RFC S3 a permanent child that stops itself leaves the waiting messages to the next incarnation", () =>
    Effect.gen(function*() {
      const { child, trace } = yield* makeWorld()
      const a = yield* child("a")
      for (const message of [new Leave(), new Work({ n: 1 })]) a.tellUnsafe(message)
      yield* a.settled
      assert.strictEqual(trace(), "start a#1, stop a, start a#2, a#2 works 1")
    }))
})

describe("names", () => {
  it.effect("RFC S3 a name that is taken is refused, and free again when its actor has ended", () =>
    Effect.gen(function*() {
      const { child, root, supervise, trace } = yield* makeWorld()
      const first = yield* child("a")
      for (const taken of [Effect.asVoid(child("a")), Effect.asVoid(supervise("a"))]) {
        const failed = yield* Effect.flip(taken)
        assert.instanceOf(failed, StartFailed)
        assert.deepStrictEqual([failed.actor, String(failed.cause)], ["root/a", "Error: the name is taken"])
      }
      yield* first.stop
      const second = yield* child("a")
      assert.strictEqual(trace(), "start a#1, stop a, start a#1")
      assert.isFalse(first.tellUnsafe(new Work({ n: 1 })), "the old address is not the new actor's")
      assert.isTrue(second.tellUnsafe(new Work({ n: 1 })))
      assert.strictEqual(shape(root.inspect()), "root running#1 [a running#1]")
    }))

  it.effect("RFC S3 without a name a child gets the definition's name, then numbers; taken numbers are skipped", () =>
    Effect.gen(function*() {
      const { child, root } = yield* makeWorld()
      const given: Array<string> = []
      for (const spawning of [{}, {}, { name: "a-2" }, {}, {}]) given.push((yield* child("a", {}, root, spawning)).path)
      assert.deepStrictEqual(given, ["root/a", "root/a-1", "root/a-2", "root/a-3", "root/a-4"])
    }))

  for (const name of ["", "/", "x/y", "/y", "x/", "..//", "a\u0000/"]) {
    it.effect(`RFC S3 a name that would make two paths equal is refused: ${JSON.stringify(name)}`, () =>
      Effect.gen(function*() {
        const { child, root, scope, supervise } = yield* makeWorld()
        const x = yield* supervise("x")
        yield* child("y", {}, x)
        const spawned = yield* Effect.flip(child("y", {}, root, { name }))
        assert.include(String(spawned.cause), "a name is not empty and has no slash")
        const supervised = yield* Effect.flip(supervise(name))
        assert.include(String(supervised.cause), "a name is not empty and has no slash")
        const byDefault = yield* Effect.flip(Scope.provide(root.spawn(definitionOf([], name)), scope))
        assert.include(String(byDefault.cause), "a name is not empty and has no slash")
        const system = yield* Effect.exit(ActorSystem.make({ name }))
        assert.strictEqual(system._tag, "Failure")
        assert.strictEqual(shape(root.inspect()), "root running#1 [x running#1 [y running#1]]")
      }))
  }

  it.effect("RFC S3 nothing is spawned under a supervisor that has ended", () =>
    Effect.gen(function*() {
      const { child, close, root, supervise, system } = yield* makeWorld()
      const scope = yield* Scope.make()
      const inner = yield* Scope.provide(root.supervise("inner"), scope)
      const a = yield* child("a", {}, inner)
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(a.tellUnsafe(new Work({ n: 1 })), "it ends what is under it, whoever spawned that")
      for (const late of [Effect.asVoid(child("b", {}, inner)), Effect.asVoid(supervise("b", {}, inner))]) {
        const failed = yield* Effect.flip(late)
        assert.deepStrictEqual([failed._tag, failed.actor], ["StartFailed", "root/inner/b"])
      }
      yield* close
      assert.strictEqual((yield* Effect.flip(Effect.asVoid(child("c"))))._tag, "StartFailed")
      assert.strictEqual(shape(system.inspect()), "root ended#1 []")
    }))
})
