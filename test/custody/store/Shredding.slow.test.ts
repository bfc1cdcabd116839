/**
 * Keys and the disk below them (SYS L7): a process that is killed while it rotates, and a device of
 * which every byte is looked at.
 *
 * **Gotchas**
 *
 * - A device takes root and a loop device. Where there is none these tests are skipped, aloud.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { spawn, spawnSync } from "node:child_process"
import { mkdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { slotAt } from "../../../src/custody/encryption/Slots.ts"
import { noise } from "../../host/port/contract.ts"
import { random } from "../../support/random.ts"
import { amount, restOf } from "../../support/tiers.ts"
import { append, bodyOf, openIn, temporaryDirectory } from "./stores.ts"

const utf8 = new TextEncoder()
const seeds = [31, 32] as const

const keysOf = (...given: ReadonlyArray<number>) => {
  const [current = Redacted.make(noise(32, 1)), ...former] = given.map((seed) => Redacted.make(noise(32, seed)))
  return { secrets: Effect.succeed({ current, former }) }
}

const textOf = (key: number): string => `piece ${key}`
const count = 3_000

/** All pieces are there and open. */
const inspect = (directory: string, ...given: ReadonlyArray<number>) =>
  Effect.gen(function*() {
    const store = yield* openIn(directory, { keys: keysOf(...given) })
    const pieces = yield* store.journal.pieces(-1, count + 1)
    assert.strictEqual(pieces.length, count)
    assert.isTrue(pieces.every(({ content, key }) => Buffer.from(content).toString() === textOf(key)))
  }).pipe(Effect.scoped)

describe("a rotation that is killed", () => {
  it.live("SYS L7 leaves every key to be found, whichever moment it was", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* Effect.scoped(Effect.gen(function*() {
        const { journal, wakeUnsafe } = yield* openIn(directory, { keys: keysOf(seeds[0]) })
        for (let key = 0; key < count; key++)
          assert.isTrue(journal.putUnsafe({ key, facts: "{}", content: utf8.encode(textOf(key)) }))
        wakeUnsafe()
        yield* journal.durable(count)
      }))
      const { below } = random(5)
      let killedWithin = 0
      for (let run = 0; run < amount({ sample: 1, rest: 10, long: 200 }); run++) {
        // To the other secret and back: whichever was reached by then, both are given.
        const [current, former] = run % 2 === 0 ? [seeds[1], seeds[0]] : seeds
        const program = join(import.meta.dirname, "rotatingChild.ts")
        const args = [program, directory, String(current), String(former)]
        const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
        const lines = yield* Effect.promise(() =>
          new Promise<string>((resolve) => {
            let said = ""
            child.stdout.on("data", (chunk: Buffer) => {
              if (!/\d/.test(said) && /\d/.test(chunk.toString())) setTimeout(() => child.kill("SIGKILL"), below(40))
              said += chunk.toString()
            })
            child.once("close", () => resolve(said))
          })
        )
        killedWithin += Number(lines.trimEnd().split("\n").at(-1) !== "0")
        yield* inspect(directory, ...seeds)
      }
      assert.isAbove(killedWithin, 0)
      yield* Effect.scoped(Effect.flatMap(
        openIn(directory, { keys: keysOf(...seeds) }),
        ({ cipher }) => (cipher ?? assert.fail()).rotate()
      ))
      yield* inspect(directory, seeds[0])
    }), 600_000)
})

/** Makes a file system of 64 MB on a loop device, until the scope closes; null where it cannot. */
const mounted = (directory: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const image = join(directory, "image")
      const at = join(directory, "at")
      mkdirSync(at)
      const done = (command: string, ...args: ReadonlyArray<string>): boolean => spawnSync(command, args).status === 0
      const isThere = done("truncate", "-s", "64M", image) && done("mkfs.ext4", "-q", image) &&
        done("mount", "-o", "loop", image, at)
      return isThere ? { image, at, unmount: () => done("umount", at) } : null
    }),
    (device) => Effect.sync(() => device?.unmount())
  )

restOf(describe)("a device", () => {
  it.live("SYS L7 has no byte of a key that was shredded, in any block", (context) =>
    Effect.gen(function*() {
      const device = yield* mounted(yield* temporaryDirectory)
      if (device === null) {
        console.warn("no loop device can be mounted here: what is left on a device is not looked at")
        return context.skip()
      }
      const directory = join(device.at, "data")
      const wrapped = yield* Effect.scoped(Effect.gen(function*() {
        const store = yield* openIn(directory, { keys: keysOf(seeds[0]) })
        const cipher = store.cipher ?? assert.fail()
        for (let key = 0; key < 200; key++)
          assert.isTrue(store.journal.putUnsafe({ key, facts: "{}", content: utf8.encode(textOf(key)) }))
        yield* append(store, 0, 10)
        const envelopes = yield* Effect.forEach(
          Array.from({ length: 200 }),
          () => cipher.seal({ tenant: "", signature: "a:b", plaintext: utf8.encode("an envelope") })
        )
        const slots = readFileSync(join(directory, "keys", "slots"))
        const wrapped = Array.from({ length: 400 }, (_, slot) => slots.subarray(slotAt(slot) + 12, slotAt(slot) + 44))
        // So that there is something to be found: all of it is on the device by now.
        spawnSync("sync", ["-f", directory])
        const before = readFileSync(device.image)
        assert.isTrue(wrapped.every((key) => before.includes(key)))
        for (const { key } of envelopes) assert.isTrue(yield* cipher.shred(key))
        for (let key = 0; key < 200; key++)
          assert.isTrue(store.pushUnsafe(10 + key, utf8.encode(bodyOf(10 + key)), key))
        store.wakeUnsafe()
        yield* store.durable(209)
        return wrapped
      }))
      assert.isTrue(device.unmount())
      const image = readFileSync(device.image)
      assert.strictEqual(wrapped.filter((key) => image.includes(key)).length, 0)
    }), 120_000)
})
