import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { InvalidConfig } from "../../src/config/ConfigSources.ts"
import { load, nested, settings, temporaryFile, variableOf } from "./configs.ts"

/**
 * A text that is wrong for every setting, whatever follows it, and is found in any message that
 * repeats it.
 */
const marker = "s3cr3t!"
const Secret = Schema.String.check(Schema.isMaxLength(20))
const whole = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))

/** All text of an error. */
const shown = (error: unknown): string => {
  assert.instanceOf(error, InvalidConfig)
  return [error.message, String(error), JSON.stringify(error), error.stack ?? ""].join("\n")
}

/** Shapes of a wrong value. */
const disguises: ReadonlyArray<(secret: string) => unknown> = [
  (secret) => secret,
  (secret) => [secret],
  (secret) => ({ value: secret }),
  (secret) => ({ toString: () => secret, toJSON: () => secret }),
  (secret) => [[{ deep: [secret] }]]
]

describe("no message repeats a value", () => {
  it.effect.prop(
    "RFC R2 of an argument, at any setting, in any shape",
    { noise: Secret, setting: whole(settings.length - 1), shape: whole(disguises.length - 1) },
    ({ noise, setting, shape }) =>
      Effect.gen(function*() {
        const value = disguises[shape]?.(marker + noise)
        const path = settings[setting]?.[0] ?? "maxDepth"
        const sections = path.split(".").slice(0, -1).join(".")
        const wrong = [
          nested(path, value),
          nested(sections === "" ? "x" : `${sections}.x`, value),
          ...(sections === "" ? [] : [nested(sections, value)])
        ]
        for (const argument of wrong) assert.notInclude(shown(yield* Effect.flip(load({ argument }))), marker)
      }),
    { arbitrary: { runs: 150 } }
  )

  it.effect("RFC R2 of a number that is out of bounds", () =>
    Effect.gen(function*() {
      for (const [path] of settings)
        assert.notInclude(shown(yield* Effect.flip(load({ argument: nested(path, -98_765.25) }))), "98765")
    }))

  it.effect("RFC R2 of a variable, known or not", () =>
    Effect.gen(function*() {
      for (const [path] of settings)
        assert.notInclude(shown(yield* Effect.flip(load({ env: { [variableOf(path)]: marker } }))), marker)
      assert.notInclude(shown(yield* Effect.flip(load({ env: { TRACEHOUND_TOKEN: marker } }))), marker)
    }))

  it.effect.prop(
    "RFC R2 of a file, whether it is JSON or not",
    { before: Secret, after: Secret, cut: whole(80) },
    ({ after, before, cut }) =>
      Effect.gen(function*() {
        const text = JSON.stringify({ maxDepth: marker, [before]: { [after]: [marker] }, token: marker })
        for (const content of [text, text.slice(0, cut), `${before}${marker}`, text.replace("{", `{${marker}`)]) {
          const { path } = yield* temporaryFile(content)
          assert.notInclude(shown(yield* Effect.flip(load({ file: path }))), marker)
        }
      }),
    { arbitrary: { runs: 60 } }
  )
})
