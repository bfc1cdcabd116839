/**
 * The same programs with cold storage in a real directory: the envelopes there can be opened, whole
 * and in order, and are those that the model says were sent.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openEnvelope } from "../../src/runtime/openEnvelope.ts"
import { Tracehound } from "../../src/runtime/Tracehound.ts"
import * as ManualClock from "../../src/testing/ManualClock.ts"
import { hunt } from "../support/tiers.ts"
import { Bounds, Command } from "./commands.ts"
import { configOf, start } from "./runs.ts"
import { makeWorld } from "./world.ts"

const temporaryDirectory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "tracehound-model-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

/**
 * Runs a program with cold storage that works, waits for it after every tenth command, and gives
 * what it wrote.
 */
const written = (bounds: Bounds, commands: ReadonlyArray<Command>) =>
  Effect.gen(function*() {
    const directory = yield* temporaryDirectory
    const clock = ManualClock.make(start, yield* Clock.Clock)
    const told = { ...bounds, coldStorage: Number.POSITIVE_INFINITY }
    return yield* Effect.scoped(Effect.gen(function*() {
      const { audit: _, ...config } = configOf(bounds)
      const context = yield* Tracehound.layer({ ...config, audit: { coldStorage: { endpoint: `file:${directory}` } } })
        .pipe(
          Layer.provide(Layer.succeed(Clock.Clock, clock)),
          Layer.provide(Logger.layer([])),
          Layer.build
        )
      const tracehound = Context.get(context, Tracehound)
      const world = makeWorld(tracehound.sync, clock, told)
      for (const [index, command] of commands.entries()) {
        // Evidence that was written to differs from its record, and need not open.
        world.step(command.do === "read" ? { ...command, scribble: false } : command)
        if (index % 10 === 9) {
          yield* tracehound.settled
          assert.strictEqual(tracehound.sync.coldStorage.stats().written, world.model.stored.length)
        }
      }
      // The rest is written while the scope closes.
      return world.model
    })).pipe(Effect.map((model) => ({
      model,
      envelopes: readdirSync(directory).toSorted().map((name) => openEnvelope(readFileSync(join(directory, name))))
    })))
  })

const { runs, seed } = hunt("COLD", { seed: 3, runs: 25, long: 1000 })

describe("cold storage and the reference model", () => {
  const commands = Schema.Array(Command).check(Schema.isMinLength(30), Schema.isMaxLength(60))

  it.live(
    "RFC E4 C1 Q2 everything that was evicted or evacuated can be opened, in order and whole",
    () =>
      Effect.gen(function*() {
        const programs = yield* Arbitrary.sampleEffect(Arbitrary.schema(Schema.Struct({ bounds: Bounds, commands })), {
          count: runs,
          size: 60,
          seed
        })
        let envelopes = 0
        for (const program of programs) {
          const found = yield* Effect.scoped(written(program.bounds, program.commands))
          assert.deepStrictEqual(
            found.envelopes.map(({ record }) => `${record.signature} ${record.severity} ${record.size}`),
            found.model.stored.map(({ severity, signature, size }) => `${signature} ${severity} ${size}`)
          )
          envelopes += found.envelopes.length
        }
        assert.isAbove(envelopes, 2 * runs)
      }),
    900_000
  )
})
