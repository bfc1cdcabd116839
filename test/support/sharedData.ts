/**
 * Data that nobody of this project wrote: standard vectors and recorded traffic. It lies outside
 * the repository, in a `shared/data` beside one of the parent directories.
 */
import { existsSync } from "node:fs"
import { dirname, join } from "node:path"

/** The absolute path of `shared/data/<path>` above this file, or undefined when there is none. */
const sharedData = (path: string): string | undefined => {
  for (let directory = import.meta.dirname;; directory = dirname(directory)) {
    const candidate = join(directory, "shared", "data", path)
    if (existsSync(candidate)) {
      return candidate
    }
    if (directory === dirname(directory)) {
      return undefined
    }
  }
}

/**
 * The same for a test that is nothing without its data: hand the answer to `it.skipIf(path ===
 * undefined)`. What is missing is said aloud; where CI=true it is an error, so that a vector cannot
 * vanish unnoticed.
 */
export const needsSharedData = (path: string): string | undefined => {
  const found = sharedData(path)
  if (found === undefined) {
    const message = `shared/data/${path} is in none of the parent directories`
    if (process.env["CI"] === "true") {
      throw new Error(message)
    }
    console.warn(`SKIPPED: ${message}`)
  }
  return found
}
