/**
 * The gate: calls that leave nothing behind.
 *
 * Sources take turns, so that no line is about one string that happens to be in every cache.
 */
import { clockAndMap } from "../floors.ts"
import { type Measure, measureLines } from "../measure.ts"
import { changingBytes, sources, threatScent } from "../payloads.ts"
import { mustBe, roomyTracehound } from "../tracehounds.ts"

const many = sources(256)
const request = { id: "request-1", source: many[0] ?? "", timestamp: 1_760_000_000_000, payload: { a: 1 } }

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
      mustBe("clean", tracehound.intercept(request))
      return { run: sending({ ...request }, tracehound.intercept) }
    },
    "rate limited": () => {
      const tracehound = roomyTracehound({ rateLimit: { maxRequests: 1 } })
      for (const source of [...many, ...many]) tracehound.rateLimiter.check(source)
      mustBe("rate_limited", tracehound.intercept(request))
      return { run: sending({ ...request }, tracehound.intercept) }
    },
    "too large, bytes": () => {
      const tracehound = roomyTracehound({ maxPayloadSize: 1_000_000 })
      const scent = threatScent(changingBytes(1_048_576)(1))
      mustBe("payload_too_large", tracehound.intercept(scent))
      return { run: sending(scent, tracehound.intercept) }
    },
    "not a scent": () => {
      const tracehound = roomyTracehound()
      const scent = { ...threatScent("x"), id: "x".repeat(257) }
      mustBe("error", tracehound.intercept(scent))
      return { run: sending(scent, tracehound.intercept) }
    }
  })
