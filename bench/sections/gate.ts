/**
 * The gate: calls that leave nothing behind.
 *
 * Sources take turns, so that no line is about one string that happens to be in every cache.
 */
import type { ThreatSignal } from "../../src/index.ts"
import { clockAndMap } from "../floors.ts"
import { type Measure, measureLines } from "../measure.ts"
import { changingBytes, lowThreat, sources } from "../payloads.ts"
import { mustBe, roomyTracehound } from "../tracehounds.ts"

const many = sources(256)
const blocked = sources(256, "blocked ")

/**
 * All scents here come from one place, as in a host: V8 puts a number that it reads of several
 * shapes into an object each time.
 */
const scentOf = (payload: unknown, threat: ThreatSignal | undefined, id: string = "request-1") => ({
  id,
  source: many[0] ?? "",
  timestamp: 1_760_000_000_000,
  payload,
  threat
})

/** Sends the same scent from source after source. */
const sending =
  <S extends { source: string }, A>(scent: S, intercept: (scent: S) => A, from: ReadonlyArray<string> = many) =>
  (i: number): A => {
    scent.source = from[i & 255] ?? ""
    return intercept(scent)
  }

/** Within a window of 1 ms no source of the other lines comes near this. */
const maxRequests = 1000

export const measure: Measure = (context) => {
  // One for all lines, as a process has one: of several V8 would inline none.
  const tracehound = roomyTracehound({
    maxPayloadSize: 1_000_000,
    rateLimit: { maxRequests, windowMs: 1, blockDurationMs: 3_600_000 }
  })
  return measureLines(context, {
    "clock + Map.get": () => ({ run: clockAndMap(many) }),
    clean: () => {
      const scent = scentOf({ a: 1 }, undefined)
      mustBe("clean", tracehound.intercept(scent))
      return { run: sending(scent, tracehound.intercept) }
    },
    "rate limited": () => {
      for (const source of blocked) while (tracehound.rateLimiter.check(source).allowed);
      const scent = scentOf({ a: 1 }, undefined)
      scent.source = blocked[0] ?? ""
      mustBe("rate_limited", tracehound.intercept(scent))
      return { run: sending(scent, tracehound.intercept, blocked) }
    },
    "too large, bytes": () => {
      const scent = scentOf(changingBytes(1_048_576)(1), lowThreat)
      mustBe("payload_too_large", tracehound.intercept(scent))
      return { run: sending(scent, tracehound.intercept) }
    },
    "not a scent": () => {
      const scent = scentOf("x", lowThreat, "x".repeat(257))
      mustBe("error", tracehound.intercept(scent))
      return { run: sending(scent, tracehound.intercept) }
    }
  })
}
