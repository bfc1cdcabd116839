/**
 * Orders to the keyring in the writer's thread, on the caller's side: who waits for which answer.
 *
 * A writer that dies leaves its orders in the ring, and the next one answers them: an answer may
 * come twice, and nobody waits for the second. A rotation that was begun goes on, and tells nobody.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { EncryptionError } from "../encryption/EncryptionError.ts"
import type { KeyAnswer } from "./KeyMessages.ts"

/** An answer that is the last one. */
export type LastAnswer = Exclude<KeyAnswer, { readonly kind: "failed" | "rotating" }>

/** An order that is not answered yet. */
interface Waiting {
  readonly answer: Deferred.Deferred<LastAnswer, EncryptionError>
  readonly onProgress: (left: number) => void
  /** Whether a rotation was begun. */
  isBegun: boolean
}

export class KeyDesk {
  #last = 0
  readonly #waiting = new Map<number, Waiting>()

  /** Whether nobody waits. */
  get isIdle(): boolean {
    return this.#waiting.size === 0
  }

  /** Sends an order by `push`, under a number of its own, and waits for its answer. */
  ask(
    push: (request: number) => Effect.Effect<void, EncryptionError>,
    onProgress: (left: number) => void = () => {}
  ): Effect.Effect<LastAnswer, EncryptionError> {
    return Effect.suspend(() => {
      const request = ++this.#last
      const answer = Deferred.makeUnsafe<LastAnswer, EncryptionError>()
      this.#waiting.set(request, { answer, onProgress, isBegun: false })
      return push(request).pipe(
        Effect.andThen(Deferred.await(answer)),
        Effect.ensuring(Effect.sync(() => this.#waiting.delete(request)))
      )
    })
  }

  hear(request: number, answer: KeyAnswer): void {
    const waiting = this.#waiting.get(request)
    if (waiting === undefined) return
    if (answer.kind === "rotating") {
      waiting.isBegun = true
      waiting.onProgress(answer.left)
      return
    }
    Deferred.doneUnsafe(
      waiting.answer,
      answer.kind === "failed"
        ? Effect.fail(new EncryptionError({ reason: answer.reason, message: answer.message }))
        : Effect.succeed(answer)
    )
  }

  /** The thread has ended: nobody hears of its rotation any more. */
  threadEnded(): void {
    this.#fail("the writer's thread ended: the rotation goes on with the next one", ({ isBegun }) => isBegun)
  }

  /** No further thread comes. */
  end(message: string): void {
    this.#fail(message, () => true)
  }

  #fail(message: string, isMeant: (waiting: Waiting) => boolean): void {
    for (const waiting of this.#waiting.values()) {
      if (isMeant(waiting))
        Deferred.doneUnsafe(waiting.answer, Effect.fail(new EncryptionError({ reason: "io", message })))
    }
  }
}
