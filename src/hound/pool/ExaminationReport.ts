/**
 * Reports on examinations: counts, spans, and the failures that the fail-safe is told of
 * (CONFORMANCE H4, F1).
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import type { ExaminationOutcome } from "./Examination.ts"
import { type HoundFailure, type HoundJob, type HoundOutcomes, noOutcomes } from "./HoundPool.ts"
import type { HoundTally } from "./HoundTally.ts"

/** A span that is open until its scope is closed. */
export interface OpenSpan {
  readonly span: Tracer.Span
  readonly scope: Scope.Closeable
}

/**
 * How the span of an examination ends: what did not come to a good end is a failure. Fixed words,
 * as the text of a failure is exported.
 */
const exits: { readonly [kind in keyof HoundOutcomes]?: Exit.Exit<void, string> } = {
  error: Exit.fail("error"),
  timeout: Exit.fail("timeout")
}

/** What a pool reports of its examinations, in the context that it was built in. */
export class ExaminationReport {
  readonly #context: Context.Context<never>
  readonly #tally: Pick<HoundTally, "countRetry" | "recordVerdict">
  /**
   * With no tracer but Effect's own nobody sees a span, which is a tenth of an examination's cost.
   */
  readonly #isTraced: boolean
  readonly #listeners: Array<(failure: HoundFailure) => void> = []
  readonly #outcomes: { -readonly [kind in keyof HoundOutcomes]: number } = { ...noOutcomes }

  constructor(context: Context.Context<never>, tally: Pick<HoundTally, "countRetry" | "recordVerdict">) {
    this.#context = context
    this.#tally = tally
    this.#isTraced = context.mapUnsafe.has(Tracer.Tracer.key)
  }

  /** Examinations that have ended so far, by how. */
  get outcomes(): HoundOutcomes {
    return { ...this.#outcomes }
  }

  /** From now on, calls back with each failure. Must not throw. */
  onFailure(listener: (failure: HoundFailure) => void): void {
    this.#listeners.push(listener)
  }

  /**
   * A span of its own, linked to the one in which the threat came, which may have ended long ago;
   * null where nobody would see it.
   */
  openSpan({ category, severity, size, span: cause }: HoundJob): OpenSpan | null {
    if (!this.#isTraced && cause === undefined) return null
    const scope = Scope.makeUnsafe()
    const opening = Effect.makeSpanScoped("tracehound.hound.examine", {
      root: true,
      kind: "consumer",
      links: cause === undefined ? [] : [{ span: cause, attributes: {} }],
      attributes: { category, severity, size }
    })
    return { scope, span: Effect.runSyncWith(this.#context)(Scope.provide(opening, scope)) }
  }

  /** A hound was lost, and another one takes over. */
  retried(): void {
    this.#tally.countRetry()
  }

  /** Evidence was not taken on, as no hound was free. */
  skipped(): void {
    this.#outcomes.skipped += 1
  }

  ended(
    { signature }: HoundJob,
    kind: keyof HoundOutcomes,
    { hound, isVerdict, took }: ExaminationOutcome,
    span: OpenSpan | null
  ): void {
    if (span !== null) this.#close(span, kind, hound)
    if (kind === "complete" || kind === "error") this.#tally.recordVerdict(took)
    this.#outcomes[kind] += 1
    if (kind !== "error" && kind !== "timeout") return
    for (const listener of this.#listeners) listener({ kind, isVerdict, hound, signature })
  }

  #close({ scope, span }: OpenSpan, outcome: keyof HoundOutcomes, hound: string): void {
    span.attribute("outcome", outcome)
    span.attribute("hound", hound)
    Effect.runSyncWith(this.#context)(Scope.close(scope, exits[outcome] ?? Exit.void))
  }
}
