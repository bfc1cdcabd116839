/**
 * A channel written for clarity: it keeps all that it ever heard, and reads it from the start each
 * time.
 */
import type { Decision } from "../../../src/hound/channel/FrameChannel.ts"
import { frameOf } from "../../support/FakeSpawner.ts"

/** An event of a channel. */
export type Event =
  | { readonly type: "bytes"; readonly bytes: Uint8Array }
  | { readonly type: "send"; readonly job: number }

/** The frames that may come next, by those that came before. */
const turns: Readonly<Record<string, ReadonlyArray<number>>> = {
  "": [0],
  "0": [],
  s: [1],
  s1: [2, 3, 4],
  s14: [2, 3]
}

/**
 * The decisions of a whole dialogue in which no chunk is too long; only whether there is a
 * violation counts, not why.
 */
export const modelDecisions = (events: ReadonlyArray<Event>): ReadonlyArray<Decision | "violation"> => {
  const decisions: Array<Decision | "violation"> = []
  let path = ""
  let job = 0
  let count = 0
  let pending: Array<number> = []
  for (const event of events) {
    if (event.type === "send") {
      job = event.job
      path = "s"
      continue
    }
    if (event.bytes.length > 96) return [...decisions, "violation"]
    for (const byte of event.bytes) {
      if (turns[path]?.length === 0) return [...decisions, "violation"]
      pending.push(byte)
      if (pending.length < 24) continue
      const got = Buffer.from(pending)
      pending = []
      const kind = got[3] ?? 255
      const [time, memory] = [got.readUIntLE(12, 4), got.readUIntLE(16, 4)]
      const isLegal = turns[path]?.includes(kind) === true &&
        // The only frame that is right is the one we would have written.
        got.equals(
          frameOf(kind, count % 2 ** 32, path === "" ? 0 : job, kind === 4 ? time : 0, kind % 4 === 0 ? memory : 0)
        )
      if (!isLegal) return [...decisions, "violation"]
      count += 1
      path = kind === 2 || kind === 3 ? "0" : path + kind
      if (kind === 0) decisions.push({ type: "ready", memoryKiB: memory })
      else if (kind === 4)
        decisions.push({ type: "metrics", job, processingTime: time / 1_000, memoryUsed: memory * 1_024 })
      else {
        const state = kind === 1 ? "processing" : kind === 2 ? "complete" : "error"
        decisions.push({ type: "status", job, state })
      }
    }
  }
  return decisions
}
