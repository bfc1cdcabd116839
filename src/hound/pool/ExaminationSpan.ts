/**
 * The span of an examination, from the first hound that has the evidence to the end.
 */
import type { OpenSpan, RootSpans } from "../../telemetry/RootSpans.ts"
import type { ExaminationOutcome } from "./Examination.ts"
import type { HoundJob, HoundOutcomes } from "./HoundPool.ts"

/**
 * A span of its own, linked to the one in which the threat came, which may have ended long ago;
 * null where nobody would see it.
 */
export const openSpan = (spans: RootSpans, { category, severity, signature, size, span }: HoundJob): OpenSpan | null =>
  spans.open("tracehound.hound.examine", () => ({
    kind: "internal",
    origin: span,
    attributes: {
      "tracehound.signature": signature,
      "tracehound.category": category,
      "tracehound.severity": severity,
      "tracehound.size": size
    }
  }))

/** The outcomes that are no good end: the span is then a failure. */
const failures: ReadonlySet<keyof HoundOutcomes> = new Set(["error", "timeout", "unavailable"])

/** Ends it with the outcome. Of an `error` the cause says more than the word. */
export const endSpan = (
  span: OpenSpan | null,
  kind: keyof HoundOutcomes,
  { cause, hound }: Pick<ExaminationOutcome, "cause" | "hound">
): void => {
  span?.set({ "tracehound.outcome": kind, ...(hound === "" ? {} : { "tracehound.hound": hound }) })
  span?.end(failures.has(kind) ? kind === "error" ? cause ?? kind : kind : undefined)
}
