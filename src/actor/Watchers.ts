/**
 * Who is told of an actor's life: watchers of the end of an incarnation, for monitors and links,
 * each called once and then removed; and followers of its address, across all incarnations.
 */
import type * as Cause from "effect/Cause"
import type { Down, Watched } from "./ActorRef.ts"

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

/** Is told what happens at an address. Must not throw. */
export interface Follower {
  /** An incarnation has ended. */
  readonly onEnd?: () => void
  readonly onEvent: (event: Watched) => void
}

/** The followers of one address. */
export class Followers {
  readonly #actor: string
  readonly #all = new Set<Follower>()
  /** Of the incarnation that has ended last. */
  #cause: Cause.Cause<unknown> | undefined

  constructor(actor: string) {
    this.#actor = actor
  }

  /** Returns a function that removes the follower. */
  add(follower: Follower): () => void {
    this.#all.add(follower)
    return () => {
      this.#all.delete(follower)
    }
  }
  ended(crash: Cause.Cause<unknown> | undefined): void {
    this.#cause = crash
    for (const follower of this.#all) follower.onEnd?.()
  }
  restarted(incarnation: number): void {
    const cause = this.#cause
    this.#cause = undefined
    this.#tell({ _tag: "Restarted", actor: this.#actor, incarnation, ...(cause === undefined ? {} : { cause }) })
  }
  /** The actor has ended for good: because the supervisor at that path gave up, if there is one. */
  gone(gaveUp: string | undefined): void {
    this.#tell(lastEventOf(this.#actor, gaveUp, this.#cause))
    this.#all.clear()
  }
  #tell(event: Watched): void {
    for (const follower of this.#all) follower.onEvent(event)
  }
}

/** What is told of an actor that has ended for good. */
export const lastEventOf = (
  actor: string,
  supervisor: string | undefined,
  cause?: Cause.Cause<unknown>
): Watched =>
  supervisor === undefined
    ? { _tag: "Stopped", actor, ...(cause === undefined ? {} : { cause }) }
    : { _tag: "GaveUp", actor, supervisor }

/** An actor that can be watched and linked. */
export interface Peer {
  readonly path: string
  /**
   * Calls back once, when the current incarnation ends, or the next one if there is none now; with
   * `gone` if there will be none. Returns a function that removes the watcher.
   */
  readonly onDown: (watch: Watch) => () => void
  /**
   * Tells of its address from now on; at once if it has ended for good. Returns a function that
   * removes the follower.
   */
  readonly follow: (follower: Follower) => () => void
  /** Whether it has an incarnation now. */
  readonly isThere: boolean
  /** Reacts to the end of a linked actor. */
  readonly share: (down: Down) => void
}

/**
 * Watches both incarnations until the first of them ends: calls `onOther` if that is the other's,
 * `onOne` if it is the one's, and never both. If the other is between two incarnations, its next
 * one is meant; if the one has none, that has ended first.
 */
export const watchBoth = (one: Peer, other: Peer, onOther: Watch, onOne: Watch): void => {
  let unwatchOne = (): void => undefined
  let isOver = false
  const unwatchOther = other.onDown((down) => {
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
  unwatchOne = one.onDown((down) => {
    unwatchOther()
    onOne(down)
  })
}
