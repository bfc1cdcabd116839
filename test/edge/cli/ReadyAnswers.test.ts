/**
 * Answers that the executable has without loading the command line. That they are those of the
 * command line is a test of the package's (`../../architecture/package.slow.test.ts`).
 */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer, Stdio } from "effect"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { canColor, readyAnswer } from "../../../src/edge/cli/ReadyAnswers.ts"
import { inTemporaryDirectory } from "../../support/command.ts"

const plain = { env: {}, isTerminal: false }

describe("an answer that is ready", () => {
  it("is given to the arguments that it was made for, word for word, and to no others", () =>
    inTemporaryDirectory(async (directory) => {
      const file = pathToFileURL(join(directory, "answers.json"))
      const answers = { plain: { "": "bare\n", "a\0b": "both\n", c: "no color\n" }, colored: { c: "color\n" } }
      writeFileSync(file, JSON.stringify(answers))
      const said = (args: ReadonlyArray<string>, terminal = plain) => readyAnswer(args, terminal, file)
      assert.strictEqual(said([]), "bare\n")
      assert.strictEqual(said(["a", "b"]), "both\n")
      for (const args of [["a"], ["a b"], ["ab"], ["a", "b", "c"], ["b", "a"], ["__proto__"], ["toString"]])
        assert.strictEqual(said(args), null)
      const colored = { env: {}, isTerminal: true }
      assert.deepStrictEqual([said(["c"]), said(["c"], colored), said([], colored)], [
        "no color\n",
        "color\n",
        "bare\n"
      ])
    }))

  it("is none where there are none, and where they cannot be read", () =>
    inTemporaryDirectory(async (directory) => {
      const file = pathToFileURL(join(directory, "answers.json"))
      assert.strictEqual(readyAnswer(["--version"], plain, file), null)
      writeFileSync(file, "{")
      assert.strictEqual(readyAnswer(["--version"], plain, file), null)
      assert.strictEqual(readyAnswer(["--version"], plain), null)
    }))

  it("has colors where Effect's command line has them", () => {
    const values = [undefined, "", "0", "1", "false", "False", "true", "dumb", "xterm"]
    const colorsOf = (env: Readonly<Record<string, string>>, isTerminal: boolean): boolean => {
      const stdio = Stdio.layerTest({
        stdinIsTerminal: Effect.succeed(false),
        stdoutIsTerminal: Effect.succeed(isTerminal)
      })
      const provider = ConfigProvider.layer(ConfigProvider.fromEnvRecord(env))
      const services = Layer.provide(TerminalCapabilities.layer, Layer.merge(stdio, provider))
      return Effect.runSync(Effect.provide(TerminalCapabilities.TerminalCapabilities, services)).canColor
    }
    for (const isTerminal of [false, true]) {
      for (const FORCE_COLOR of values) {
        for (const NO_COLOR of values) {
          for (const TERM of values) {
            const env = { FORCE_COLOR, NO_COLOR, TERM }
            const set = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined)
            const expected = colorsOf(Object.fromEntries(set), isTerminal)
            assert.strictEqual(canColor({ env, isTerminal }), expected, JSON.stringify({ env, isTerminal }))
          }
        }
      }
    }
  })
})
