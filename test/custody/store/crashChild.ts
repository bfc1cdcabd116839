/**
 * Appends until it is killed, and says on its standard output how much is durable; a disk that
 * refuses is asked again. Arguments: the directory, and the entries of a step.
 */
import { Effect } from "effect"
import { writeSync } from "node:fs"
import { openIn, pushTo } from "./stores.ts"

const [directory = "", step = ""] = process.argv.slice(2)

await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
  const store = yield* openIn(directory)
  // Larger than those of all processes before, also where entries are behind their pieces.
  let key = Date.now() * 1_000
  for (let size = store.opened.size;; size += Number(step)) {
    store.journal.putUnsafe({ key: ++key, facts: "{}", content: new Uint8Array(1_000).fill(7) })
    const next = pushTo(store, size, size + Number(step))
    while (store.durableSize() < next) yield* Effect.ignore(store.durable(next - 1))
    writeSync(1, `${next}\n`)
  }
})))
