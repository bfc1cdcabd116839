/**
 * Answers that are the same for whoever asks: the version, the help of each command, and the
 * scripts that complete it. The build makes them (`.ci/answers.mjs`) by asking the command line
 * itself, and the executable prints them without loading it: a shell's start may ask, and loading
 * takes ten times as long as Node does.
 *
 * **Gotchas**
 *
 * - Only arguments that are word for word those that the build asked with are answered. The sources
 *   have no answers.
 */
import { readFileSync } from "node:fs"

/** What the build asked with, joined by NUL, and what the command line said to it. */
export interface ReadyAnswers {
  readonly plain: Readonly<Record<string, string>>
  /** Those that have colors. */
  readonly colored: Readonly<Record<string, string>>
}

/** The parts of a process that say whether its output has colors. */
export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly isTerminal: boolean
}

const isForced = (value: string | undefined): boolean =>
  value !== undefined && value !== "" && value !== "0" && value.toLowerCase() !== "false"

/** As Effect's command line has it (`TerminalCapabilities`), which a test holds. */
export const canColor = ({ env, isTerminal }: Terminal): boolean => {
  const { FORCE_COLOR, NO_COLOR, TERM } = env
  return TERM !== "dumb" && (NO_COLOR === undefined || NO_COLOR === "") && (isForced(FORCE_COLOR) || isTerminal)
}

/** The answer to these arguments, with the newline at its end; null where none is ready. */
export const readyAnswer = (
  args: ReadonlyArray<string>,
  terminal: Terminal,
  file: URL = new URL("./answers.json", import.meta.url)
): string | null => {
  const answers = read(file)
  if (answers === null) return null
  const key = args.join("\0")
  const { colored, plain } = answers
  if (canColor(terminal) && Object.hasOwn(colored, key)) return colored[key] ?? null
  return Object.hasOwn(plain, key) ? plain[key] ?? null : null
}

/** Null in the sources, and where the package lacks the file. */
const read = (file: URL): ReadyAnswers | null => {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as ReadyAnswers
  } catch {
    return null
  }
}
