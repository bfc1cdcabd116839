/**
 * An endpoint in memory that fails as the test tells it. It fulfils the endpoint's contract: see
 * FakeEndpoint.test.ts.
 */
import { Effect } from "effect"
import { type ColdStorageEndpoint, ColdStorageError } from "../../../src/custody/coldstorage/Endpoint.ts"

/**
 * How the next write fails. `hangs deaf` cannot be interrupted; `hangs, then tidies up` takes half
 * a second to be interrupted.
 */
export type Fault = "fails" | "hangs" | "hangs deaf" | "hangs, then tidies up" | "dies"

export interface FakeEndpoint {
  readonly endpoint: ColdStorageEndpoint["Service"]
  readonly stored: Map<string, Uint8Array>
  /** The names of all attempts, in order. */
  readonly attempts: Array<string>
  /** Faults of the writes to come, first one first; when there is none left, writes succeed. */
  readonly faults: Array<Fault>
  /** Whether it can be opened, and how that goes. */
  readonly door: { isLocked: boolean; opening: Effect.Effect<void> }
}

export const makeFakeEndpoint = (destination = "file:fake"): FakeEndpoint => {
  const stored = new Map<string, Uint8Array>()
  const attempts: Array<string> = []
  const faults: Array<Fault> = []
  const door: FakeEndpoint["door"] = { isLocked: false, opening: Effect.void }
  const refuse = (message: string) => new ColdStorageError({ reason: "write", message })
  return {
    stored,
    attempts,
    faults,
    door,
    endpoint: {
      destination,
      open: Effect.suspend(() =>
        door.isLocked ? Effect.fail(new ColdStorageError({ reason: "open", message: "it is locked" })) : door.opening
      ),
      write: (name, bytes) =>
        Effect.suspend(() => {
          attempts.push(name)
          const fault = faults.shift()
          if (fault === "hangs") return Effect.never
          if (fault === "hangs deaf") return Effect.uninterruptible(Effect.never)
          if (fault === "hangs, then tidies up") {
            return Effect.onInterrupt(Effect.never, () =>
              Effect.andThen(
                Effect.sleep(500),
                Effect.sync(() => attempts.push(`${name} tidied up`))
              ))
          }
          if (fault === "dies") return Effect.die("the endpoint broke")
          if (fault === "fails") return Effect.fail(refuse("the disk is full"))
          if (stored.has(name)) return Effect.fail(refuse(`${name} is taken`))
          stored.set(name, bytes.slice())
          return Effect.void
        })
    }
  }
}
