/**
 * Shows progress on a terminal: one line on standard error, rewritten in place.
 *
 * Promises silence where standard error is no terminal, and no colour where NO_COLOR is set
 * (no-color.org) or TERM is dumb.
 */
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"

export interface ProgressState {
  readonly lines: number
  readonly invalid: number
  readonly held: number
  readonly evicted: number
  /** The part that is done, from 0 to 1; null where the end is not known. */
  readonly done: number | null
}

export interface Progress {
  /** Shows the state, at most ten times a second. */
  readonly show: (state: ProgressState) => Effect.Effect<void>
  /** Takes the line away, so that something else can be written in its place. */
  readonly clear: Effect.Effect<void>
}

const intervalNanos = 100_000_000n
const barWidth = 20

/** The line as text, without colour, after so many seconds. Pure. */
export const render = (state: ProgressState, seconds: number): string => {
  const rate = seconds > 0 ? Math.round(state.lines / seconds) : 0
  const filled = Math.round(Math.min(1, Math.max(0, state.done ?? 0)) * barWidth)
  const bar = state.done === null
    ? ""
    : `${"█".repeat(filled)}${"░".repeat(barWidth - filled)} ${String(Math.floor(state.done * 100)).padStart(3)} %  `
  const invalid = state.invalid === 0 ? "" : `  ${group(state.invalid)} invalid`
  return `${bar}${group(state.lines)} lines  ${group(rate)} lines/s  ${group(state.held)} held  ` +
    `${group(state.evicted)} evicted${invalid}`
}

/** A number with commas, the same in every locale. */
export const group = (n: number): string => String(n).replaceAll(/\B(?=(?:\d{3})+$)/g, ",")

const silent: Progress = { show: () => Effect.void, clear: Effect.void }

const isSet = (name: string) => Effect.orElseSucceed(Config.String(name), () => "")

/** Shows progress on the standard error of the context. */
export const make = Effect.gen(function*() {
  const stdio = yield* Stdio.Stdio
  if (!(yield* stdio.stderrIsTerminal)) return silent
  const plain = (yield* isSet("NO_COLOR")) !== "" || (yield* isSet("TERM")) === "dumb"
  const clock = yield* Clock.Clock
  const write = (text: string) => Effect.ignore(Stream.run(Stream.make(text), stdio.stderr()))
  const start = clock.monotonicTimeNanosUnsafe()
  let shownAt = start
  let shown = false
  return {
    show: (state) =>
      Effect.suspend(() => {
        const now = clock.monotonicTimeNanosUnsafe()
        if (now - shownAt < intervalNanos) return Effect.void
        shownAt = now
        shown = true
        const line = render(state, Number(now - start) / 1e9)
        return write(`\r${plain ? line : `\u001b[36m${line}\u001b[39m`}\u001b[K`)
      }),
    clear: Effect.suspend(() => {
      if (!shown) return Effect.void
      shown = false
      return write("\r\u001b[K")
    })
  } satisfies Progress
})
