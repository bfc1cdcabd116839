/**
 * Watchers of the end of an incarnation, for monitors and links. Each is called once and then
 * removed.
 */
import type { Down } from "./ActorRef.ts"

/** Called when the watched incarnation has ended. Must not throw. */
export type Watch = (down: Down) => void

/** The watchers of one actor. The set is allocated with the first of them. */
export class Watchers {
  #watches: Set<Watch> | undefined

  /** Returns a function that removes the watcher. */
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
    // A watcher may remove another one that was not called yet: a Set skips it.
    for (const watch of watches) watch(down)
  }
}

/** An actor that can be watched and linked. */
export interface Peer {
  readonly path: string
  /**
   * Calls back once, when the current incarnation ends, or the next one if there is none now; with
   * `gone` if there will be none. Returns a function that removes the watcher.
   */
  readonly watch: (watch: Watch) => () => void
  /** Whether it has an incarnation now. */
  readonly isThere: boolean
  /** Reacts to the end of a linked actor. */
  readonly follow: (down: Down) => void
}

/**
 * Watches both incarnations until the first of them ends: calls `onOther` if that is the other's,
 * `onOne` if it is the one's, and never both. If the other is between two incarnations, its next
 * one is meant; if the one has none, that has ended first.
 */
export const watchBoth = (one: Peer, other: Peer, onOther: Watch, onOne: Watch): void => {
  let unwatchOne = (): void => undefined
  let isOver = false
  const unwatchOther = other.watch((down) => {
    isOver = true
    unwatchOne()
    onOther(down)
  })
  // The other was gone already.
  if (isOver) return
  if (!one.isThere) {
    unwatchOther()
    return onOne({ actor: one.path, reason: "gone" })
  }
  unwatchOne = one.watch((down) => {
    unwatchOther()
    onOne(down)
  })
}
