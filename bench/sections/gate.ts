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

/** All scents here come from one place, as in a host: V8 puts a number that it reads of several shapes into an object each time. */
const scentOf = (payload: unknown, threat: ThreatSignal | undefined, id: string = "request-1") => ({
  id,
  source: many[0] ?? "",
  timestamp: 1_760_000_000_000,
  payload,
  threat
})

/** Sends the same scent from source after source. */
const sending = <S extends { source: string }, A>(scent: S, intercept: (scent: S) => A) => (i: number): A => {
  scent.source = many[i & 255] ?? ""
  return intercept(scent)
}

export const measure: Measure = (context) =>
  measureLines(context, {
    "clock + Map.get": () => ({ run: clockAndMap(many) }),
    clean: () => {
      const tracehound = roomyTracehound()
      const scent = scentOf({ a: 1 }, undefined)
      mustBe("clean", tracehound.intercept(scent))
      return { run: sending(scent, tracehound.intercept) }
    },
    "rate limited": () => {
      const tracehound = roomyTracehound({ rateLimit: { maxRequests: 1 } })
      for (const source of [...many, ...many]) tracehound.rateLimiter.check(source)
      const scent = scentOf({ a: 1 }, undefined)
      mustBe("rate_limited", tracehound.intercept(scent))
      return { run: sending(scent, tracehound.intercept) }
    },
    "too large, bytes": () => {
      const tracehound = roomyTracehound({ maxPayloadSize: 1_000_000 })
      const scent = scentOf(changingBytes(1_048_576)(1), lowThreat)
      mustBe("payload_too_large", tracehound.intercept(scent))
      return { run: sending(scent, tracehound.intercept) }
    },
    "not a scent": () => {
      const tracehound = roomyTracehound()
      const scent = scentOf("x", lowThreat, "x".repeat(257))
      mustBe("error", tracehound.intercept(scent))
      return { run: sending(scent, tracehound.intercept) }
    }
  })
