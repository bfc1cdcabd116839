/**
 * Who hears of an event: functions that are called one after the other, on the turn of the event.
 *
 * Cost where nobody listens: `isHeard` is one comparison. Otherwise one call for each listener.
 *
 * **Gotchas**
 *
 * - A listener must not throw, and must not wait: it runs in the middle of what the event is about.
 * - A listener that is added or leaves during an event hears of the next one, or of this one still.
 */

export class Listeners<A> {
  /** Whether anybody listens. Ask it before an event is made that costs something. */
  isHeard = false
  /** Replaced and never changed, so that who leaves during an event disturbs nobody. */
  #all: ReadonlyArray<{ readonly hear: (event: A) => void }> = []

  /** Listens to each event from now on, until the function that it gives is called. */
  add(hear: (event: A) => void): () => void {
    const mine = { hear }
    this.#set([...this.#all, mine])
    return () => this.#set(this.#all.filter((other) => other !== mine))
  }

  tellUnsafe(event: A): void {
    for (const { hear } of this.#all) hear(event)
  }

  #set(all: ReadonlyArray<{ readonly hear: (event: A) => void }>): void {
    this.#all = all
    this.isHeard = all.length > 0
  }
}
