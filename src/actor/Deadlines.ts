/**
 * The timeouts of asks: tells the asker that no answer came in time.
 *
 * Nearly all asks are answered within a turn, and all of one system have the same few timeouts. So
 * the time is read once a turn; only an ask that outlives two turns waits in a line, one for each
 * timeout, in which the first is always the next to be due; and each line has one timer, while
 * there is somebody in it. Every operation is O(1).
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Scheduler from "effect/Scheduler"
import { AskTimeout } from "./Errors.ts"
import type { AnyReply } from "./Reply.ts"

/** What timeouts need of their system. */
interface Time {
  /** Milliseconds. Only goes forward. */
  readonly elapsed: () => number
  /** Of the clock's own. */
  readonly context: Context.Context<never>
  readonly dispatcher: Scheduler.SchedulerDispatcher
}

/** The timeout of one ask. */
export class Deadline {
  readonly reply: AnyReply
  readonly actor: string
  readonly tag: string
  /** From the ask until then, in ms. */
  readonly timeout: number
  /** In ms of `Time.elapsed`. */
  readonly due: number
  line: Line | undefined
  before: Deadline | undefined
  after: Deadline | undefined

  constructor(reply: AnyReply, actor: string, tag: string, timeout: number, now: number) {
    this.reply = reply
    this.actor = actor
    this.tag = tag
    this.timeout = timeout
    this.due = now + timeout
  }

  /** The ask has been answered. */
  cancel(): void {
    this.line?.remove(this)
  }
  /** The answer did not come. */
  pass(): void {
    const { actor, reply, tag } = this
    reply.done(Exit.fail(new AskTimeout({ actor, tag })))
  }
}

/** Asks in the order in which they came. */
class Line {
  first: Deadline | undefined
  #last: Deadline | undefined

  add(deadline: Deadline): void {
    deadline.line = this
    deadline.before = this.#last
    if (this.#last === undefined) this.first = deadline
    else this.#last.after = deadline
    this.#last = deadline
  }
  remove(deadline: Deadline): void {
    const { after, before } = deadline
    if (before === undefined) this.first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    deadline.line = undefined
    deadline.before = undefined
    deadline.after = undefined
  }
}

/** Asks of one timeout: they are due in the order in which they came. */
class TimedLine extends Line {
  readonly #time: Time
  readonly #onEmpty: () => void
  #timer: Fiber.Fiber<void> | undefined

  constructor(time: Time, onEmpty: () => void) {
    super()
    this.#time = time
    this.#onEmpty = onEmpty
  }

  override add(deadline: Deadline): void {
    super.add(deadline)
    this.#timer ??= Effect.runForkWith(this.#time.context)(this.#wait)
  }
  override remove(deadline: Deadline): void {
    super.remove(deadline)
    if (this.first !== undefined) return
    this.#onEmpty()
    this.#timer?.interruptUnsafe()
  }

  /** Waits for the first, and for those after it, until nobody is left. */
  get #wait(): Effect.Effect<void> {
    const wait: Effect.Effect<void> = Effect.suspend(() => {
      const { first } = this
      if (first === undefined) return Effect.void
      const left = first.due - this.#time.elapsed()
      if (left > 0) return Effect.andThen(Effect.sleep(left), wait)
      super.remove(first)
      if (this.first === undefined) this.#onEmpty()
      first.pass()
      return wait
    })
    return wait
  }
}

/** The timeouts of all asks of one system. */
export class Deadlines {
  readonly #time: Time
  readonly #lines = new Map<number, TimedLine>()
  /** The asks of this turn, and those of the turn before. */
  #fresh = new Line()
  #last = new Line()
  /** The time of this turn, if it is known. */
  #now: number | undefined
  #isScheduled = false
  readonly #endTurn = (): void => {
    this.#now = undefined
    const last = this.#last
    for (let next = last.first; next !== undefined; next = last.first) {
      last.remove(next)
      this.#lineOf(next.timeout).add(next)
    }
    this.#last = this.#fresh
    this.#fresh = last
    this.#isScheduled = this.#last.first !== undefined
    if (this.#isScheduled) this.#time.dispatcher.scheduleTask(this.#endTurn, 0)
  }

  constructor(time: Time) {
    this.#time = time
  }

  /** Begins the timeout, in ms, of an ask for this reply. */
  begin(reply: AnyReply, actor: string, tag: string, timeout: number): Deadline {
    if (!this.#isScheduled) {
      this.#isScheduled = true
      this.#time.dispatcher.scheduleTask(this.#endTurn, 0)
    }
    this.#now ??= this.#time.elapsed()
    const deadline = new Deadline(reply, actor, tag, timeout, this.#now)
    this.#fresh.add(deadline)
    return deadline
  }
  #lineOf(timeout: number): TimedLine {
    const found = this.#lines.get(timeout)
    if (found !== undefined) return found
    const line: TimedLine = new TimedLine(this.#time, () => {
      if (this.#lines.get(timeout) === line) this.#lines.delete(timeout)
    })
    this.#lines.set(timeout, line)
    return line
  }
}
