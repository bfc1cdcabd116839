/**
 * Who wants to know when an incarnation ends: monitors and links. Each is told once, and forgotten.
 */
import type { Down } from "./ActorRef.ts"

/** Called when the incarnation that it was given to has ended. Must not throw. */
export type Watch = (down: Down) => void

/** The watchers of one actor; nothing is made until there is one. */
export class Watchers {
  #watches: Set<Watch> | undefined

  get size(): number {
    return this.#watches?.size ?? 0
  }

  /** Gives a function that takes it back. */
  add(watch: Watch): () => void {
    const watches = this.#watches ??= new Set()
    watches.add(watch)
    return () => {
      watches.delete(watch)
    }
  }

  tell(down: Down): void {
    const watches = this.#watches
    if (watches === undefined) return
    this.#watches = undefined
    // What was taken back meanwhile, by one that was told before, is not told.
    for (const watch of watches) watch(down)
  }
}

/** What ties two actors together. */
export interface Peer {
  readonly watch: (watch: Watch) => () => void
  readonly follow: (down: Down) => void
}

/**
 * Has each know when the other's incarnation ends, for as long as both last: whichever is first.
 */
export const tie = (one: Peer, other: Peer, onOther: Watch, onOne: Watch): void => {
  let untie = (): void => undefined
  let isOver = false
  const unwatch = other.watch((down) => {
    isOver = true
    untie()
    onOther(down)
  })
  // The other was gone already: nothing ties this one to what may come after it.
  if (isOver) return
  untie = one.watch((down) => {
    unwatch()
    onOne(down)
  })
}
