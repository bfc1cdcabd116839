/**
 * A job queue on actors: a pool of workers with retries, a limit for what waits, and an account in
 * which every job has one end.
 *
 * - The mailbox of the queue is the only place where jobs wait for the first time. When it is full,
 *   `submit` says so, and the caller slows down.
 * - A job that fails is tried again later, by a timer of the queue; one that crashes its worker, or
 *   takes too long, counts as failed. A crash costs no other job.
 * - The queue waits for nobody: the outcome of a job comes back as a message to itself.
 */
import { Console, Effect, Request } from "effect"
import * as Actor from "tracehound/actor"

/** What a job does is up to its kind: some work, some fail at first, some break the worker. */
interface Job {
  readonly id: number
  readonly kind: "works" | "fails twice" | "crashes" | "hangs"
}

class Run extends Request.TaggedClass("Run")<{ readonly job: Job; readonly attempt: number }, string, "failed"> {}

const Worker = Actor.define<Run>()("worker", {
  behaviour: () =>
    Effect.succeed({
      Run: ({ attempt, job }) => {
        switch (job.kind) {
          case "works":
            return Effect.as(Effect.sleep("2 millis"), `job ${job.id}`)
          case "fails twice":
            return attempt < 3 ? Effect.fail("failed" as const) : Effect.succeed(`job ${job.id}`)
          case "crashes":
            return Effect.die(new Error(`job ${job.id} is poison`))
          case "hangs":
            return Effect.never.pipe(
              Effect.timeoutOrElse({ duration: "20 millis", orElse: () => Effect.fail("failed" as const) })
            )
        }
      }
    })
})

class Submit extends Request.TaggedClass("Submit")<{ readonly job: Job }, void> {}
class Again extends Request.TaggedClass("Again")<{ readonly job: Job; readonly attempt: number }, void> {}
class Ended extends Request.TaggedClass("Ended")<
  { readonly job: Job; readonly attempt: number; readonly isDone: boolean },
  void
> {}
class Report extends Request.TaggedClass("Report")<{}, Counts> {}

interface Counts {
  readonly done: number
  readonly givenUp: number
  readonly retries: number
  readonly open: number
}

const maxAttempts = 3

/** Hands jobs to the pool, and keeps the account. */
const makeQueue = (pool: Actor.Pool<Run>) =>
  Actor.define<Submit | Again | Ended | Report>()("queue", {
    mailbox: Actor.fifo({ capacity: 64 }),
    behaviour: (self) =>
      Effect.sync(() => {
        let [done, givenUp, retries, open] = [0, 0, 0, 0]
        const attempt = (job: Job, attempt: number) =>
          Effect.asVoid(self.pipe(
            pool.ask(new Run({ job, attempt }), { timeout: "1 minute" }),
            (exit) => new Ended({ job, attempt, isDone: exit._tag === "Success" })
          ))
        return {
          Submit: ({ job }) => {
            open += 1
            return attempt(job, 1)
          },
          Again: ({ attempt: number, job }) => attempt(job, number),
          Ended: ({ attempt, isDone, job }) => {
            if (!isDone && attempt < maxAttempts) {
              retries += 1
              const again = new Again({ job, attempt: attempt + 1 })
              return self.timers.once(`job ${job.id}`, 10 * attempt, again)
            }
            open -= 1
            if (isDone) done += 1
            else givenUp += 1
            return Effect.void
          },
          Report: () => Effect.succeed({ done, givenUp, retries, open })
        }
      })
  })

const kindOf = (id: number): Job["kind"] =>
  id % 50 === 7 ? "crashes" : id % 50 === 11 ? "hangs" : id % 10 === 3 ? "fails twice" : "works"

const program = Effect.gen(function*() {
  const { root } = yield* Actor.ActorSystem
  // A poison job costs its worker a restart, so there may be many of them.
  const pool = yield* root.pool(Worker, { size: 4, route: "least_busy", intensity: 100, period: "1 second" })
  const queue = yield* root.spawn(makeQueue(pool))
  let refused = 0
  for (let id = 0; id < 200; id++) {
    const job: Job = { id, kind: kindOf(id) }
    while (!queue.tellUnsafe(new Submit({ job }))) {
      refused += 1
      yield* Effect.sleep("1 millis")
    }
  }
  let counts = yield* queue.ask(new Report())
  while (counts.open > 0) {
    yield* Effect.sleep("10 millis")
    counts = yield* queue.ask(new Report())
  }
  yield* Console.log(`done: ${counts.done}, given up: ${counts.givenUp}, retries: ${counts.retries}`)
  yield* Console.log(`the queue was full: ${refused > 0}`)
  yield* Console.log(`restarts of workers: ${pool.inspect().restarts}`)
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(Actor.ActorSystem.layer())))
