/**
 * Writes to a server that takes a name once: under `If-None-Match: *` it answers 412 where the name
 * is taken (CONFORMANCE C1).
 *
 * A 412 is a success where what is there is ours: the answer to an earlier try was lost. A 409 is
 * another write under way, and is asked again, three times in all. A server that does not know the
 * condition overwrites without a word, so the first write that it takes is sent a second time:
 * bytes that are the same harm nothing, and a refusal (412, 409) tells. From then on it is known,
 * until the next start, and writes to such a server are `unconfirmed`.
 *
 * Cost: one request for a write; two for the first one, and for a name that is taken.
 *
 * **Gotchas**
 *
 * - Where that second answer does not come, the write has failed: another try finds the name taken
 *   by itself, which says that the server knows the condition.
 */
import * as Effect from "effect/Effect"
import { ColdStorageError, type Written } from "./Endpoint.ts"
import { type Answer, refusal } from "./HttpExchange.ts"

/** One write, as its endpoint sends it. */
export interface Conditional {
  readonly name: string
  /** Sends the bytes under `If-None-Match: *`. */
  readonly put: Effect.Effect<Answer, ColdStorageError>
  /** Whether what the server has under the name, which it called taken by this answer, is ours. */
  readonly isOurs: (answer: Answer) => Effect.Effect<boolean, ColdStorageError>
}

/** Tries of one write while others of the same name are under way. */
const maxRaces = 3

/** What is known of one server. */
export class AppendOnly {
  readonly #destination: string
  #conditions: "honoured" | "ignored" | "unknown" = "unknown"

  /** `destination`: the endpoint as messages call it. */
  constructor(destination: string) {
    this.#destination = destination
  }

  /** Writes once, or fails; nothing that is there is overwritten by a server that can help it. */
  write(write: Conditional, races = maxRaces): Effect.Effect<Written, ColdStorageError> {
    return Effect.flatMap(write.put, (answer) => {
      if (isDone(answer)) return this.#confirm(write)
      if (answer.status === 412) return this.#compare(write, answer)
      if (answer.status === 409 && races > 1) return this.write(write, races - 1)
      return Effect.fail(refusal(this.#destination, answer))
    })
  }

  #confirm({ put }: Conditional): Effect.Effect<Written, ColdStorageError> {
    if (this.#conditions === "honoured") return Effect.void
    if (this.#conditions === "ignored") return Effect.succeed("unconfirmed")
    return Effect.flatMap(put, (answer): Effect.Effect<Written, ColdStorageError> => {
      if (answer.status === 412 || answer.status === 409) this.#conditions = "honoured"
      else if (isDone(answer)) this.#conditions = "ignored"
      else return Effect.fail(refusal(this.#destination, answer))
      return this.#conditions === "ignored" ? Effect.succeed("unconfirmed") : Effect.void
    })
  }

  #compare({ isOurs, name }: Conditional, answer: Answer): Effect.Effect<void, ColdStorageError> {
    this.#conditions = "honoured"
    return Effect.flatMap(isOurs(answer), (isSame) =>
      isSame ? Effect.void : Effect.fail(
        new ColdStorageError({ reason: "taken", message: `cold storage ${this.#destination}: ${name} is taken` })
      ))
  }
}

const isDone = ({ status }: Answer): boolean => status >= 200 && status < 300

/** What goes into a URL as it is, and what every store and every signer spells alike. */
const plain = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}$/

/** The name of an envelope's object; refused where a URL would have to encode it. */
export const objectName = (destination: string, name: string): Effect.Effect<string, ColdStorageError> =>
  plain.test(name)
    ? Effect.succeed(`${name}.thev`)
    : Effect.fail(
      new ColdStorageError({
        reason: "write",
        message: `cold storage ${destination}: a name is 1 to 128 letters, digits and . _ -`
      })
    )
