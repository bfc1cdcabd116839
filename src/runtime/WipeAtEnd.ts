/**
 * Wipes evidence and keys at the end of a process that nobody gets to close first: by SIGTERM or
 * SIGINT, by `process.exit`, by an error that nobody caught, or as there is nothing left to do.
 *
 * Promises that a host keeps its own handling of signals. Where nobody else listens for one, its
 * memory is wiped and the signal is raised again, now without a listener, so that the process ends
 * by it. Where somebody does, they decide when the process ends, and what they still hold is theirs
 * until then: it is wiped at the event `exit`, which follows `beforeExit` and every
 * `process.exit`.
 *
 * **Gotchas**
 *
 * - A process that is killed by SIGKILL, or aborts, wipes nothing: its memory is the system's.
 * - Process 1 of a container does not end by a signal that nobody listens for. It is wiped by it,
 *   and goes on.
 * - Who prepends a listener with `prependOnceListener` later on is not seen by the time that ours
 *   is called.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { TracehoundSync } from "./TracehoundSync.ts"

const signals = ["SIGTERM", "SIGINT"] as const

/** Marks the listeners of every copy of this package that a process has loaded. */
const ours = Symbol.for("tracehound/WipeAtEnd")

/** All that is to be wiped, once each. */
const wipes = new Set<() => void>()

const wipeAll = (): void => {
  for (const wipe of wipes) wipe()
  stop()
}

const isOthers = (listener: object): boolean => !Object.hasOwn(listener, ours)

const onSignal = (signal: NodeJS.Signals): void => {
  if (process.rawListeners(signal).some(isOthers)) return
  wipeAll()
  // Another copy's listener, where there is one, comes first; the last one ends the process.
  process.kill(process.pid, signal)
}

Object.defineProperty(onSignal, ours, { value: true })

const start = (): void => {
  // First, as a listener that is called once is taken off before it is called.
  for (const signal of signals) process.prependListener(signal, onSignal)
  process.on("exit", wipeAll)
}

const stop = (): void => {
  wipes.clear()
  for (const signal of signals) process.off(signal, onSignal)
  process.off("exit", wipeAll)
}

/** Calls `wipe` at the end of the process, unless the function that it gives is called before. */
export const wipeAtEnd = (wipe: () => void): () => void => {
  const own = () => wipe()
  if (wipes.size === 0) start()
  wipes.add(own)
  return () => {
    if (wipes.delete(own) && wipes.size === 0) stop()
  }
}

/**
 * Wipes this Tracehound at the end of the process, for as long as the scope is open: what
 * `createTracehound` has as its option `wipeOnSignals`. A program that `NodeRuntime.runMain` runs
 * closes its scopes at a signal, which wipes as well; this is for a close that takes too long, and
 * for `process.exit`.
 */
export const wipeOnSignals = ({ wipe }: Pick<TracehoundSync, "wipe">): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(Effect.sync(() => wipeAtEnd(wipe)), (forget) => Effect.sync(forget)))
