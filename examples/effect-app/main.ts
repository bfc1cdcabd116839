/**
 * Tracehound inside an Effect program: a layer, a service, three scents, and the proof of what
 * happened.
 */
import { Clock, Console, Effect } from "effect"
import { Tracehound } from "tracehound"

const program = Effect.gen(function*() {
  const tracehound = yield* Tracehound
  const timestamp = yield* Clock.currentTimeMillis

  const clean = yield* tracehound.intercept({ id: "1", source: "192.0.2.1", timestamp, payload: { q: "shoes" } })
  yield* Console.log(`a request without a threat signal: ${clean.status}`)

  const attack = {
    id: "2",
    source: "192.0.2.2",
    timestamp,
    payload: { q: "' UNION SELECT password FROM users --" },
    threat: { category: "injection", severity: "critical" }
  } as const
  const first = yield* tracehound.intercept(attack)
  const second = yield* tracehound.intercept({ ...attack, id: "3" })
  yield* Console.log(`an attack: ${first.status}; the same again: ${second.status}`)

  if ("handle" in first) {
    yield* Console.log(`signed ${first.handle.signature}`)
    yield* tracehound.neutralize(first.handle.signature)
    yield* Console.log(`neutralized: ${first.handle.disposed}, bytes left: ${first.handle.bytes?.byteLength ?? 0}`)
  }
  const { auditChain } = tracehound.sync
  yield* Console.log(`audit: ${auditChain.length} record, verified: ${auditChain.verify()}`)
})

await Effect.runPromise(program.pipe(Effect.provide(Tracehound.layer({ quarantine: { maxCount: 100 } }))))
