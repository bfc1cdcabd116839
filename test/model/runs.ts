/**
 * Draws, runs and shrinks sequences of commands. A falsified run is shown as a program: bounds,
 * then one command a line.
 *
 * **Gotchas**
 *
 * - The sequences are the same in every run of the suite. To hunt, `npm run test:long`, or set
 *   `MODEL_SEED` and `MODEL_RUNS`.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import type { TracehoundConfigInput } from "../../src/config/TracehoundConfig.ts"
import { Tracehound } from "../../src/runtime/Tracehound.ts"
import type { TracehoundSync } from "../../src/runtime/TracehoundSync.ts"
import * as ManualClock from "../../src/testing/ManualClock.ts"
import { Bounds, Command, show } from "./commands.ts"
import { makeWorld } from "./world.ts"

/** A program: what is run, and what shrinks. */
export const Program = Schema.Struct({
  bounds: Bounds,
  commands: Schema.Array(Command).check(Schema.isMinLength(1), Schema.isMaxLength(60))
})
export type Program = typeof Program.Type

/** As text for people. */
export const showProgram = ({ bounds, commands }: Program): string =>
  [JSON.stringify(bounds), ...commands.map(show)].join("\n")

/** A whole second, so that seconds of the time of day and of the monotonic clock begin together. */
export const start = 1_760_000_000_000

/** Cold storage that is never started takes exactly as many envelopes as its mailbox holds. */
export const configOf = (bounds: Bounds): TracehoundConfigInput => ({
  hound: { enabled: false },
  maxPayloadSize: bounds.maxPayloadSize,
  rateLimit: bounds.rateLimit,
  quarantine: bounds.quarantine,
  audit: bounds.coldStorage === null
    ? {}
    : { coldStorage: { endpoint: "file:/nowhere", maxPendingCount: bounds.coldStorage } }
})

/**
 * Runs a program against both; dies where they differ. `sabotage` wraps the real one, to show that
 * the test can fail.
 */
const run = (program: Program, sabotage = (real: TracehoundSync) => real): Effect.Effect<number> =>
  Effect.scoped(Effect.gen(function*() {
    const clock = ManualClock.make(start, yield* Clock.Clock)
    const context = yield* Tracehound.layerUnstarted(configOf(program.bounds)).pipe(
      Layer.provide(Layer.succeed(Clock.Clock, clock)),
      Layer.provide(Logger.layer([])),
      Layer.build,
      Effect.orDie
    )
    const world = makeWorld(sabotage(Context.get(context, Tracehound).sync), clock, program.bounds)
    for (const command of program.commands) world.step(command)
    world.step({ do: "flush" })
    return program.commands.length
  }))

/** The result of a check. */
export interface Found {
  /** Commands done to both, over all programs. */
  readonly steps: number
  /** The smallest program found on which they differ, and how; undefined where there is none. */
  readonly difference: { readonly program: Program; readonly message: string } | undefined
}

/** Runs random programs. The same seed gives the same programs. */
export const check = (
  options: { readonly seed: number; readonly runs: number },
  sabotage?: (real: TracehoundSync) => TracehoundSync
): Effect.Effect<Found> =>
  Effect.gen(function*() {
    let steps = 0
    const result = yield* Arbitrary.checkEffect(
      Arbitrary.schema(Program),
      (program) =>
        run(program, sabotage).pipe(
          Effect.map((done) => {
            steps += done
            return true
          }),
          Effect.catchCause((cause) => Effect.fail(String(Cause.squash(cause))))
        ),
      { ...options, size: 100, maxShrinks: 3000 }
    )
    if (result._tag === "Passed") return { steps, difference: undefined }
    if (result._tag !== "Falsified") return yield* Effect.die(new Error(Arbitrary.formatCheckFailure(result)))
    const message = result.failure._tag === "PropertyError" ? result.failure.error : "false"
    return { steps, difference: { program: result.shrunkInput, message } }
  })
