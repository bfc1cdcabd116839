/**
 * The answer of an `ask`: it comes once, and one fiber waits for it. A Deferred has room for many,
 * and finds out which of them gives up: an ask that was interrupted needs neither, as a fiber that
 * no longer waits takes no answer.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"

/** A reply to any message. */
export type AnyReply = Reply<unknown, unknown>

export class Reply<A, E> {
  #answer: Exit.Exit<A, E> | undefined
  #resume: ((answer: Exit.Exit<A, E>) => void) | undefined

  get isDone(): boolean {
    return this.#answer !== undefined
  }

  /** Answers, if nobody has. Who waits goes on at once. */
  done(answer: Exit.Exit<A, E>): void {
    if (this.#answer !== undefined) return
    this.#answer = answer
    this.#resume?.(answer)
  }

  /** Waits for the answer. To be run once. */
  get wait(): Effect.Effect<A, E> {
    return Effect.callback((resume) => {
      if (this.#answer === undefined) this.#resume = resume
      else resume(this.#answer)
    })
  }
}
