/**
 * All readers of a Tracehound: who closes it ends them.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Backlog, Reader } from "../../telemetry/Reader.ts"

/** The readers that are open. Its layer ends them all when its scope closes. */
export class Readers extends Context.Service<Readers, {
  /** Opens a reader. One that is opened after the end has ended already: it gives what is kept. */
  readonly open: <A>(backlog: Backlog<A>, listen: (ready: () => void) => () => void) => Reader<A>
  /** How many are open. */
  readonly count: () => number
}>()("tracehound/runtime/streams/Readers") {
  static readonly layer = Layer.effect(
    Readers,
    Effect.gen(function*() {
      const all = new Set<Reader<unknown>>()
      let isOver = false
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          isOver = true
          for (const reader of all) reader.endUnsafe()
        })
      )
      const open = <A>(backlog: Backlog<A>, listen: (ready: () => void) => () => void): Reader<A> => {
        const reader: Reader<A> = new Reader(backlog, (ready) => {
          const leave = listen(ready)
          return () => {
            leave()
            all.delete(reader)
          }
        })
        all.add(reader)
        if (isOver) reader.endUnsafe()
        return reader
      }
      return { open, count: () => all.size }
    })
  )
}
