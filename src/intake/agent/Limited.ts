/**
 * The answers `rate_limited`: a flood from a blocked source asks for the same one thousands of
 * times a millisecond, so each is made once and kept for as long as nothing else needs its place.
 *
 * Exact to the millisecond, as CONFORMANCE G1 asks. O(1), at most `places` answers in memory.
 */
import type { InterceptResult } from "../../domain/InterceptResult.ts"

type Limited = Extract<InterceptResult, { readonly status: "rate_limited" }>

const places = 1024

/** Answers by their milliseconds. */
export const makeLimited = (): (retryAfter: number) => InterceptResult => {
  const answers: Array<Limited | undefined> = Array.from({ length: places }, () => undefined)
  return (retryAfter) => {
    const place = retryAfter & (places - 1)
    const kept = answers[place]
    if (kept !== undefined && kept.retryAfter === retryAfter) return kept
    const answer = Object.freeze({ status: "rate_limited" as const, retryAfter })
    answers[place] = answer
    return answer
  }
}
