/**
 * The turns of a system: runs tasks on a later turn of the event loop, in the order in which they
 * were scheduled.
 *
 * What the tasks of a turn schedule runs on the same turn, as long as that has run fewer than
 * `mostTasks`: a turn of the event loop costs more than handling a message does, and a message that
 * leads to others would wait for one each time. The bound keeps actors that go on telling each
 * other from holding up all else that the process does.
 */
import type * as Scheduler from "effect/Scheduler"

/** Tasks of a turn: of those that are scheduled, the rest waits for the next one. */
export const mostTasks = 32

export class Turns {
  readonly #dispatcher: Pick<Scheduler.SchedulerDispatcher, "scheduleTask">
  /** Those that were run, up to `#next`, and those that were not. */
  #tasks: Array<() => void> = []
  #next = 0
  #isPlanned = false

  constructor(dispatcher: Pick<Scheduler.SchedulerDispatcher, "scheduleTask">) {
    this.#dispatcher = dispatcher
  }

  /** Runs a task later. It must not throw. */
  schedule(task: () => void): void {
    this.#tasks.push(task)
    if (this.#isPlanned) return
    this.#isPlanned = true
    this.#dispatcher.scheduleTask(this.#run, 0)
  }

  readonly #run = (): void => {
    try {
      for (let ran = 0; ran < mostTasks; ran++) {
        const task = this.#tasks[this.#next]
        if (task === undefined) return
        this.#next += 1
        task()
      }
    } finally {
      this.#forget()
      this.#isPlanned = this.#tasks.length > 0
      if (this.#isPlanned) this.#dispatcher.scheduleTask(this.#run, 0)
    }
  }

  /** Forgets tasks that were run, when they are half of all or more. */
  #forget(): void {
    if (this.#next * 2 < this.#tasks.length) return
    this.#tasks = this.#tasks.slice(this.#next)
    this.#next = 0
  }
}
