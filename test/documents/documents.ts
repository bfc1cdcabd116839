/**
 * The project's documents, and what can be wrong with one, as pure functions over their texts.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { dirname, join, posix } from "node:path"
import { root } from "../support/programs.ts"

/** A document of the repository; `path` is relative to its root. */
export interface Document {
  readonly path: string
  readonly text: string
}

/** Every Markdown file at the root and in docs/, spec/ and bench/. */
export const documents: ReadonlyArray<Document> = ["", "docs", "spec", "bench"].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => posix.join(folder, name))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }))
)

/** The document at a path; throws where there is none. */
export const documentAt = (path: string): Document => {
  const found = documents.find((document) => document.path === path)
  if (found === undefined) throw new Error(`there is no ${path}`)
  return found
}

/** The anchors that headings give, as GitHub makes them. */
export const anchorsOf = (text: string): ReadonlySet<string> =>
  new Set(
    Array.from(withoutCode(text).matchAll(/^#+ +(.+)$/gm), ([, heading = ""]) =>
      heading.toLowerCase().replaceAll(/[^\w\- ]/g, "").replaceAll(" ", "-"))
  )

/** Links to files and headings that are not there. `exists` is asked for paths from the root. */
export const deadLinks = (
  { path, text }: Document,
  exists: (path: string) => boolean,
  textOf: (path: string) => string
): ReadonlyArray<string> =>
  Array.from(withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g), ([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .flatMap((target) => {
      const [file = "", anchor] = target.split("#")
      const linked = file === "" ? path : posix.join(dirname(path), file)
      if (!exists(linked)) return [`${path}: ${target} leads nowhere`]
      const isThere = anchor === undefined || anchorsOf(file === "" ? text : textOf(linked)).has(anchor)
      return isThere ? [] : [`${path}: ${target} names no heading`]
    })

/** Paths of the tree in backticks that are not there: `src/…`, `test/…`, `docs/…` and so on. */
export const deadPaths = (
  { path, text }: Document,
  exists: (path: string) => boolean
): ReadonlyArray<string> =>
  Array.from(
    withoutCode(text).matchAll(/`((?:src|test|docs|spec|bench|examples|\.ci)\/[\w./-]*\w\/?)`/g),
    ([, named = ""]) => named
  )
    .filter((named) => !exists(named))
    .map((named) => `${path}: there is no ${named}`)

/** The first cell of each row of a document's tables, its code spans one by one. */
export const namedInTables = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/^\| ([^|]+?) \|/gm), ([, cell = ""]) => cell)
    .flatMap((cell) => Array.from(cell.matchAll(/`([^`]+)`/g), ([, name = ""]) => name))

/** Whether a path from the root is there. */
export const exists = (path: string): boolean => existsSync(join(root, path))

const withoutCode = (text: string): string => text.replaceAll(/^```[\s\S]*?^```/gm, "")
