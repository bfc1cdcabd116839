import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { type RateLimitResult, Tracehound, type TracehoundSync } from "tracehound"

const threat = { category: "injection", severity: "high" } as const

/** A text of 256 MiB that takes no memory until something reads it: then it is written out. */
const enormous = (): string => `injection:${"0123456789abcdef".repeat(2 ** 24)}`

/** What no caller should give a method that asks for a text. */
const strange = (): ReadonlyArray<readonly [name: string, value: unknown]> => [
  ["256 MiB of text", enormous()],
  ["a signature and one digit", `injection:${"0".repeat(65)}`],
  ["undefined", undefined],
  ["null", null],
  ["a number", 7],
  ["a symbol", Symbol("injection")],
  ["a boxed text", Object(`injection:${"0".repeat(64)}`)],
  [
    "a Proxy that throws at everything",
    new Proxy({}, { get: () => assert.fail("asked"), has: () => assert.fail("asked") })
  ]
]

/** The methods that take a text, and what each answers where it is none of its own. */
const entrances: ReadonlyArray<
  readonly [name: string, call: (sync: TracehoundSync, value: never) => unknown, answer: unknown]
> = [
  ["quarantine.get", ({ quarantine }, value) => quarantine.get(value), null],
  ["neutralize", (sync, value) => sync.neutralize(value), null],
  ["evacuate", (sync, value) => sync.evacuate(value), null],
  ["hounds.activate", ({ hounds }, value) => hounds.activate(value), null],
  ["hounds.deactivate", ({ hounds }, value) => hounds.deactivate(value), false],
  ["hounds.terminate", ({ hounds }, value) => hounds.terminate(value), false],
  ["rateLimiter.reset", ({ rateLimiter }, value) => rateLimiter.reset(value), undefined]
]

describe("the public object", () => {
  layer(Tracehound.layer({ hound: { enabled: false } }))("given what it did not ask for", (it) => {
    it.effect.each(entrances)(
      "RFC F5 %s neither throws nor writes it out, and changes nothing",
      ([, call, answer]) =>
        Effect.gen(function*() {
          const { sync } = yield* Tracehound
          sync.intercept({ id: "1", source: "192.0.2.1", timestamp: 1, payload: "held", threat })
          const { length } = sync.auditChain
          for (const [name, value] of strange()) {
            const before = process.memoryUsage().heapUsed
            assert.strictEqual(call(sync, value as never), answer, name)
            assert.isBelow(process.memoryUsage().heapUsed - before, 64_000_000, name)
          }
          assert.strictEqual(sync.quarantine.count, 1)
          assert.strictEqual(sync.auditChain.length, length)
        })
    )

    it.effect("RFC A2 auditChain.inspect takes whatever is not its head for another head", () =>
      Effect.gen(function*() {
        const { sync: { auditChain } } = yield* Tracehound
        for (const [name, value] of strange()) {
          const before = process.memoryUsage().heapUsed
          assert.strictEqual(auditChain.inspect(value as string).valid, value === undefined, name)
          assert.isBelow(process.memoryUsage().heapUsed - before, 64_000_000, name)
        }
        assert.isTrue(auditChain.inspect(auditChain.lastHash).valid)
      }))

    it.effect("RFC G3 rateLimiter.check answers as for one source", () =>
      Effect.gen(function*() {
        const { sync } = yield* Tracehound
        const before = sync.watcher.snapshot().rateLimit.sources
        const answers: Array<RateLimitResult> = strange().map(([, value]) => sync.rateLimiter.check(value as string))
        // A signature and one digit is a source as good as any.
        assert.isTrue(answers.every(({ allowed }) => allowed))
        assert.strictEqual(sync.watcher.snapshot().rateLimit.sources, before + 2)
      }))
  })
})
