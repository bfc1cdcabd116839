/**
 * Foreign data: standard vectors and recorded traffic. It is outside the repository, in a
 * `shared/data` beside one of the parent directories.
 */
import { existsSync } from "node:fs"
import { dirname, join } from "node:path"

/** The absolute path of `shared/data/<path>` above this file, or undefined if there is none. */
const sharedData = (path: string): string | undefined => {
  for (let directory = import.meta.dirname;; directory = dirname(directory)) {
    const candidate = join(directory, "shared", "data", path)
    if (existsSync(candidate)) return candidate
    if (directory === dirname(directory)) return undefined
  }
}

/**
 * The path for a test that needs the data: pass it to `it.skipIf(path === undefined)`. Missing data
 * prints a warning; with CI=true it is an error, so that no vector can vanish unnoticed.
 */
export const needsSharedData = (path: string): string | undefined => {
  const found = sharedData(path)
  if (found === undefined) {
    const message = `shared/data/${path} is in none of the parent directories`
    if (process.env["CI"] === "true") throw new Error(message)
    console.warn(`SKIPPED: ${message}`)
  }
  return found
}
