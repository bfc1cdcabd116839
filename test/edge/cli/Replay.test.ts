/**
 * A replay in this process, on a file system of the test's.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Path, PlatformError, Result, Stream } from "effect"
import { fromArgument, resolveConfig } from "../../../src/config/ConfigSources.ts"
import { replay } from "../../../src/edge/cli/Replay.ts"
import * as NodeInflate from "../../../src/host/node/NodeInflate.ts"

const lines = (count: number) =>
  Array.from({ length: count }, (_, i) =>
    `${
      JSON.stringify({
        id: String(i),
        source: `192.0.2.${i % 200}`,
        timestamp: 1000 + i,
        payload: `attack ${i}`,
        threat: { category: "injection", severity: "high" }
      })
    }\n`).join("")

/** An observer, and what it is told of evidence that was lost. */
const observing = () => {
  const losses: Array<readonly [number, string | undefined]> = []
  const observer = {
    answered: () => undefined,
    invalid: () => Effect.void,
    lost: (count: number, reason: string | undefined) => Effect.sync(() => void losses.push([count, reason])),
    progress: () => Effect.void
  }
  return { losses, observer }
}

/**
 * Replays so many threats with room for one, on a disk that takes what is written to it or does
 * not.
 */
const run = (count: number, coldStorage: object, write: Effect.Effect<void, PlatformError.PlatformError>) => {
  const written: Array<string> = []
  const { losses, observer } = observing()
  const disk = FileSystem.layerNoop({
    makeDirectory: () => Effect.void,
    writeFile: () => write,
    link: (_, to) => Effect.sync(() => void written.push(to)),
    remove: () => Effect.void
  })
  const config = Result.getOrThrow(resolveConfig([
    fromArgument({
      quarantine: { maxCount: 1 },
      audit: { coldStorage: { endpoint: "file:/evidence", ...coldStorage } }
    })
  ]))
  return replay(Stream.make(new TextEncoder().encode(lines(count))), { format: "scent", config, observer }).pipe(
    Effect.map((summary) => ({ losses, summary, written })),
    Effect.provide(Layer.mergeAll(disk, Path.layer, NodeInflate.layer))
  )
}

const diskIsFull = Effect.fail(
  PlatformError.systemError({ _tag: "WriteZero", module: "FileSystem", method: "writeFile", description: "no space" })
)

describe("replay", () => {
  it.live("RFC C1 waits for a cold storage that is slow and has room for two: nothing is lost", () =>
    Effect.gen(function*() {
      const { losses, summary, written } = yield* run(300, { maxPendingCount: 2 }, Effect.sleep("1 millis"))
      assert.strictEqual(summary.evictions, 299)
      assert.strictEqual(summary.deadLetters, 0)
      assert.strictEqual(new Set(written).size, 299)
      assert.deepStrictEqual(losses, [])
    }))

  it.live("RFC S2 counts what could not be written before it answers", () =>
    Effect.gen(function*() {
      const { losses, summary } = yield* run(50, { retries: 0 }, Effect.andThen(Effect.sleep("1 millis"), diskIsFull))
      assert.strictEqual(summary.evictions, 49)
      assert.strictEqual(summary.deadLetters, 49)
      assert.strictEqual(losses.length, 1)
      assert.strictEqual(losses[0]?.[0], 49)
      assert.match(losses[0]?.[1] ?? "", /^cold storage file:\/evidence: .*no space/)
    }))

  it.live("RFC S2 says why evidence was lost, be it a disk that is full or an endpoint that breaks or hangs", () =>
    Effect.gen(function*() {
      const reasons: ReadonlyArray<readonly [Effect.Effect<void, PlatformError.PlatformError>, RegExp]> = [
        [Effect.die("broken"), /the endpoint broke$/],
        [Effect.never, /no answer within 20 ms$/]
      ]
      for (const [write, expected] of reasons) {
        const { losses, summary } = yield* run(4, { retries: 0, writeTimeoutMs: 20 }, write)
        assert.deepStrictEqual(losses.map(([count]) => count), [3])
        assert.strictEqual(summary.deadLetters, 3)
        assert.match(losses[0]?.[1] ?? "", expected)
      }
    }))
})
