/**
 * How old the oldest pending message of an actor is, without a note for each message: marks say how
 * many messages had come by the end of a turn. As long as fewer have been settled, at least one of
 * those is still there, and it is at least as old as the mark.
 *
 * There are at most 32 marks, spread over the time that is waited for. One that is dropped leaves
 * its messages to the next, later one, by an eighth of that time at most: so no age is overstated.
 * The first is kept until its messages are settled. Exists only while messages wait.
 */
export class Marks {
  /** Messages that were taken back since this was made. */
  retracted = 0
  /** Oldest first. */
  #marks: Array<Mark> = []
  /** How far apart marks should be, in ns. */
  #gap = 0

  /** Notes that so many messages have come until now, in all of the actor's life. Times in ns. */
  add(come: number, now: number): void {
    const last = this.#marks.at(-1)
    if (last !== undefined && last.come >= come) return
    const before = this.#marks.at(-2)
    if (before !== undefined && now - before.at <= this.#gap) this.#marks.pop()
    else if (this.#marks.length === mostMarks) this.#thin(now)
    this.#marks.push({ come, at: now })
  }
  /** The age in ns of the oldest message, if so many have been settled. */
  age(settled: number, now: number): number {
    const oldest = this.#marks.find(({ come }) => come > settled)
    return oldest === undefined ? 0 : Math.max(0, now - oldest.at)
  }
  /** Forgets the marks whose messages have all been settled. O(1) but for those. */
  settle(settled: number): void {
    while ((this.#marks[0]?.come ?? Infinity) <= settled) this.#marks.shift()
  }
  #thin(now: number): void {
    this.#gap = (now - (this.#marks[0]?.at ?? now)) / 8
    const marks = this.#marks
    const kept: Array<Mark> = []
    for (const [index, mark] of marks.entries()) {
      const [last, next] = [kept.at(-1), marks[index + 1]]
      const isNeeded = last === undefined || next === undefined || next.at - last.at > this.#gap
      if (isNeeded) kept.push(mark)
    }
    this.#marks = kept
  }
}

interface Mark {
  readonly come: number
  readonly at: number
}

/**
 * Of these, thinning leaves little more than half: two gaps of what is left are more than an
 * eighth.
 */
const mostMarks = 32
