/**
 * The texts of destinations, by number: a record keeps one byte, and a text is encoded once.
 *
 * The first 254 different texts have a number for good. They come from the configuration, so that
 * one is the rule; were there more, each record would keep its own beside it, and give it up when
 * it leaves.
 */

/** A destination in both its forms. */
export interface Destination {
  /** From 1 in the table, `unlisted` out of it; 0 is no destination. */
  readonly number: number
  readonly text: string
  readonly bytes: Uint8Array
}

/** The number of all that the table had no room for. */
export const unlisted = 255

/** No destination. */
const nowhere: Destination = { number: 0, text: "", bytes: new Uint8Array(0) }

const utf8 = new TextEncoder()

/** A table of destinations, append-only. */
export class Destinations {
  private readonly listed: Array<Destination> = [nowhere]
  private readonly byText = new Map<string, Destination>()
  private last = nowhere

  /** The destination of this text. O(1) and without an allocation for one that is listed. */
  of(text: string | null): Destination {
    if (text === null) return nowhere
    if (this.last.number !== 0 && this.last.text === text) return this.last
    return this.last = this.byText.get(text) ?? this.add(text)
  }

  /** The one of a number in the table. */
  at(number: number): Destination {
    return this.listed[number] ?? nowhere
  }

  private add(given: string): Destination {
    // What is shown must be what was hashed, and UTF-8 has no lone surrogates.
    const text = given.toWellFormed()
    const number = Math.min(this.listed.length, unlisted)
    const added = { number, text, bytes: utf8.encode(text) }
    if (number < unlisted) {
      this.listed.push(added)
      this.byText.set(text, added)
    }
    return added
  }
}
