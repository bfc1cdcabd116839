/**
 * What may be said of a failure. An error's message can hold an attacker's text, and so can its
 * name and every line of its stack that only looks like a frame. What is said here is the class,
 * frames, and the message escaped.
 *
 * Nothing here throws, whatever was thrown.
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import { escaped } from "./Escaped.ts"

/** Characters of an escaped message. */
const maxMessage = 200

/** Frames that are shown of one error. */
const maxFrames = 8

/** Frames of a stack that are looked at. */
const maxLines = 64

const className = /^[A-Za-z_$][A-Za-z0-9_$]{0,63}$/

/**
 * The class of what was thrown, such as `TypeError`; of what is no object its type. The name is
 * that of the class and not the one that the error has: an error can be given any.
 */
export const classOf = (thrown: unknown): string => {
  if (typeof thrown !== "object" || thrown === null) return thrown === null ? "null" : typeof thrown
  const name = attempt(() => {
    const prototype: unknown = Object.getPrototypeOf(thrown)
    return typeof prototype === "object" && prototype !== null ? prototype.constructor.name : undefined
  })
  return typeof name === "string" && className.test(name) ? name : "Error"
}

/** The message of what was thrown, escaped and cut. */
export const messageOf = (thrown: unknown): string => {
  const text = attempt(() => thrown instanceof Error ? thrown.message : String(thrown))
  return escaped(typeof text === "string" ? text : "something that cannot be shown", maxMessage)
}

/** One frame of a stack, as every runtime that we know writes it. */
const frameLine = /^\s*at (?:(?:async )?(?<name>[^()]{1,120}?) \()?(?<file>[^()]{1,400}?):(?<line>\d+):\d+\)?$/

const frameName = /^[\w$.<> #[\]]{1,80}$/
const frameFile = /^[\w./@-]{1,200}$/

/**
 * The frames of an error in Tracehound's own code, innermost first, as `name (room/File.ts:12)`;
 * none where its stack cannot be told from its message.
 */
export const framesOf = (thrown: unknown): ReadonlyArray<string> => {
  const frames: Array<string> = []
  for (const line of stackOf(thrown)) {
    const { file = "", line: at = "", name = "" } = frameLine.exec(line)?.groups ?? {}
    const path = pathIn(file)
    if (path === undefined || !frameFile.test(path)) continue
    frames.push(frameName.test(name) ? `${name} (${path}:${at})` : `${path}:${at}`)
    if (frames.length === maxFrames) break
  }
  return frames
}

/** The path of a file from our own folder; undefined where it is not in there. */
const pathIn = (file: string): string | undefined =>
  home.filter((start) => file.startsWith(start)).map((start) => file.slice(start.length))[0]

/**
 * The frames of a stack, as lines. It begins with the error's name and message, and a message can
 * hold lines that look like frames: where it does not begin as it should, there are none.
 */
const stackOf = (thrown: unknown): ReadonlyArray<string> => {
  const known = attempt(() => thrown instanceof Error ? [thrown.name, thrown.message, thrown.stack] as const : [])
  const [name, message, stack] = known ?? []
  if (typeof name !== "string" || typeof message !== "string" || typeof stack !== "string") return []
  const heads = [name, classOf(thrown), "Error"].flatMap((head) => [`${head}: ${message}\n`, `${head}\n`])
  const head = heads.find((head) => stack.startsWith(head))
  return head === undefined
    ? []
    : stack.slice(head.length).split("\n", maxLines).filter((line) => /^\s*at /.test(line))
}

/**
 * The cause with every text of it escaped: what is logged, and what exporters make of a span's
 * failure, holds the class, the message escaped and cut, and the frames.
 */
export const escapedCause = (cause: Cause.Cause<unknown>): Cause.Cause<unknown> =>
  Cause.fromReasons(cause.reasons.map((reason) =>
    Cause.isFailReason(reason)
      ? Cause.makeFailReason(escapedError(reason.error))
      : Cause.isDieReason(reason)
      ? Cause.makeDieReason(escapedError(reason.defect))
      : reason
  ))

/** The same of a failure; a success as it is. */
export const escapedExit = <A>(exit: Exit.Exit<A, unknown>): Exit.Exit<A, unknown> =>
  Exit.isSuccess(exit) ? exit : Exit.failCause(escapedCause(exit.cause))

/** An error is a new one of the same class's name; what is none becomes a text. */
const escapedError = (thrown: unknown): unknown => {
  const message = messageOf(thrown)
  if (attempt(() => thrown instanceof Error) !== true) return message
  const name = classOf(thrown)
  const stack = [`${name}: ${message}`, ...stackOf(thrown).map((line) => escaped(line, 400))].join("\n")
  // Defined, as a host may have frozen what all errors inherit: assigning would throw.
  return Object.defineProperties(new Error(message), { name: { value: name }, stack: { value: stack } })
}

/** Undefined where it throws: what was thrown may be hostile itself. */
const attempt = <A>(read: () => A): A | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}

/**
 * Where our own code is, as runtimes write it: src/ or dist/, and in a process that reads source
 * maps the src/ that those of dist/ name. A bundle may not know: then there are no frames.
 */
const home: ReadonlyArray<string> = attempt(() => {
  const own = new URL("../", import.meta.url)
  return [own, new URL("../src/", own)].flatMap(({ href, pathname }) => [href, decodeURIComponent(pathname)])
}) ?? []
