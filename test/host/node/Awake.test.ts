import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"

const file = (path: string): string => JSON.stringify(fileURLToPath(new URL(`../../../${path}`, import.meta.url)))

/**
 * Runs a program that has `nap`, which waits for a timer that keeps no process alive, and gives its
 * output; the status is null where the process does not end.
 */
const runs = (program: string) => {
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `
      import * as Effect from "effect/Effect"
      import * as Fiber from "effect/Fiber"
      import * as Layer from "effect/Layer"
      import * as ManagedRuntime from "effect/ManagedRuntime"
      import { awake, awakeWhileClosing, uncut } from ${file("src/host/node/Awake.ts")}
      const said = (text) => Effect.sync(() => console.log(text))
      const nap = Effect.callback((resume) => {
        const timer = setTimeout(() => resume(Effect.void), 50)
        timer.unref()
        return Effect.sync(() => clearTimeout(timer))
      })
      process.on("exit", () => console.log("ended"))
      ${program}`
    ],
    { cwd: fileURLToPath(new URL("../../..", import.meta.url)), encoding: "utf8", timeout: 25_000 }
  )
  return { status, stdout, stderr }
}

const output = (...lines: ReadonlyArray<string>) => ({
  status: 0,
  stdout: [...lines, "ended"].map((line) => `${line}\n`).join(""),
  stderr: ""
})

describe("awake", () => {
  it("RFC R4 a process ends in the middle of what is not awake, and not of what is", () => {
    assert.deepStrictEqual(runs(`Effect.runFork(Effect.andThen(nap, said("woke")))`), output())
    assert.deepStrictEqual(runs(`Effect.runFork(awake(Effect.andThen(nap, said("woke"))))`), output("woke"))
  })

  it("RFC R4 holds until the finalizers of what was interrupted, or has failed, have run", () => {
    const closing = `Effect.andThen(nap, said("closed"))`
    const interrupted = `
      const fiber = Effect.runFork(awake(Effect.ensuring(Effect.never, ${closing})))
      setTimeout(() => Effect.runFork(Fiber.interrupt(fiber)), 1)`
    assert.deepStrictEqual(runs(interrupted), output("closed"))
    const failed = `Effect.runFork(Effect.ignore(awake(Effect.ensuring(Effect.fail("no"), ${closing}))))`
    assert.deepStrictEqual(runs(failed), output("closed"))
  })

  it("RFC R4 holds no longer, and one that ends takes nothing from another", () => {
    const program = `
      Effect.runFork(awake(Effect.andThen(nap, said("one"))))
      Effect.runFork(awake(Effect.andThen(Effect.andThen(nap, nap), said("two"))))
      Effect.runFork(awake(Effect.void))`
    assert.deepStrictEqual(runs(program), output("one", "two"))
  })
})

describe("awakeWhileClosing", () => {
  const layer = (name: string) => `Layer.effectDiscard(Effect.addFinalizer(() => Effect.andThen(nap, said("${name}"))))`

  it("RFC R4 a program ends after the finalizers of the layer, and of those below it", () => {
    const program = `
      const below = Layer.effectDiscard(Effect.addFinalizer(() => said("below")))
      const layers = Layer.provideMerge(awakeWhileClosing(${layer("closed")}), below)
      await Effect.runPromise(Effect.provide(said("used"), layers))
      console.log("after")`
    assert.deepStrictEqual(runs(program), output("used", "closed", "below", "after"))
    const bare = runs(program.replace("awakeWhileClosing", ""))
    assert.deepStrictEqual([bare.status, bare.stdout], [13, "used\nended\n"], "without it")
  })

  it("RFC R4 holds only while it closes", () => {
    const program = `
      const runtime = ManagedRuntime.make(awakeWhileClosing(${layer("closed")}))
      await runtime.runPromise(said("built"))`
    assert.deepStrictEqual(runs(program), output("built"))
    assert.deepStrictEqual(runs(`${program}\nawait runtime.dispose()`), output("built", "closed"))
  })

  it("RFC R4 each build of one layer holds for itself", () => {
    const program = `
      const layer = awakeWhileClosing(${layer("closed")})
      const [one, two] = [ManagedRuntime.make(layer), ManagedRuntime.make(layer)]
      await Promise.all([one.runPromise(said("one")), two.runPromise(said("two"))])
      await one.dispose()
      await two.dispose()`
    assert.deepStrictEqual(runs(program), output("one", "two", "closed", "closed"))
  })
})

describe("uncut", () => {
  it("RFC R4 comes back when the promise has ended, also where the caller is interrupted", () => {
    const program = `
      const promise = () => new Promise((resolve) => setTimeout(() => resolve(console.log("ended it")), 30))
      const fiber = Effect.runFork(uncut(promise))
      await Effect.runPromise(Effect.andThen(Effect.yieldNow, Fiber.interrupt(fiber)))
      console.log("back")`
    assert.deepStrictEqual(runs(program), output("ended it", "back"))
  })
})
