/**
 * Rotates the keys of a directory again and again until it is killed, and says on its standard
 * output how far it is. Arguments: the directory, and the seeds of the master secrets, the current
 * one first.
 */
import { Effect, Redacted } from "effect"
import { writeSync } from "node:fs"
import { noise } from "../../host/port/contract.ts"
import { openIn } from "./stores.ts"

const [directory = "", ...seeds] = process.argv.slice(2)
const [current = Redacted.make(noise(32, 1)), ...former] = seeds.map((seed) => Redacted.make(noise(32, Number(seed))))

await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const { cipher } = yield* openIn(directory, { keys: { secrets: Effect.succeed({ current, former }) } })
  if (cipher === null) return
  writeSync(1, "open\n")
  for (;;) yield* cipher.rotate(({ left }) => writeSync(1, `${left}\n`))
})))
