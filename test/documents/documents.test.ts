/**
 * Every document: its links lead somewhere, its paths are in the tree, its programs type-check, and
 * its tables are complete.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { createTracehound } from "tracehound"
import { TracehoundConfig } from "../../src/config/TracehoundConfig.ts"
import { alertTypes, PostedAlert } from "../../src/domain/Alert.ts"
import { house } from "../architecture/imports.ts"
import { settings as known } from "../config/configs.ts"
import { programsOf, root, typeCheck } from "../support/programs.ts"
import { anchorsOf, deadLinks, deadPaths, documentAt, documents, exists, namedInTables } from "./documents.ts"

const nothing: ReadonlyArray<string> = []
const textOf = (path: string): string => path.endsWith(".md") ? readFileSync(join(root, path), "utf8") : ""

describe("documents", () => {
  it("are those that README lists", () => {
    const { text } = documentAt("README.md")
    const pages = documents.map(({ path }) => path).filter((path) => path.startsWith("docs/"))
    assert.deepStrictEqual(
      pages.filter((path) => path !== "docs/decisions.md" && !text.includes(`(${path})`)),
      nothing
    )
  })

  it("have links and paths that lead somewhere", () => {
    assert.deepStrictEqual(documents.flatMap((document) => deadLinks(document, exists, textOf)), nothing)
    assert.deepStrictEqual(documents.flatMap((document) => deadPaths(document, exists)), nothing)
  })

  it("have programs that type-check", () => {
    const programs = documents.flatMap(({ text }) => programsOf(text))
    assert.isAtLeast(programs.length, 15)
    return typeCheck(programs)
  })
})

describe("docs/configuration.md", () => {
  const { text: whole } = documentAt("docs/configuration.md")
  // A table of something else stands before those of settings.
  const text = whole.slice(whole.indexOf("| setting |"))
  const named = namedInTables(text)

  it("names every setting once, and no other", () => {
    assert.sameMembers([...named], settings)
    assert.strictEqual(new Set(named).size, named.length)
  })

  it("gives the defaults as they are", () => {
    const wrong = rowsOf(text).flatMap(([names, defaults]) => {
      const values = valuesIn(defaults)
      return names.flatMap((name, i) => {
        const actual = String(valueAt(name) ?? "none")
        return values[i] === undefined || values[i] === actual ? [] : [`${name}: ${values[i]}, and it is ${actual}`]
      })
    })
    assert.deepStrictEqual(wrong, nothing)
  })
})

describe("docs/alerts-and-fail-safe.md", () => {
  it("names every alert", () => {
    const named = new Set(namedInTables(documentAt("docs/alerts-and-fail-safe.md").text))
    assert.deepStrictEqual(alertTypes.filter((type) => !named.has(type)), nothing)
  })

  it("names every key of the body that is posted, and no other", () => {
    const { text } = documentAt("docs/alerts-and-fail-safe.md")
    const keys = text.slice(text.indexOf("| key |"), text.indexOf("| type | severity |"))
    assert.sameMembers([...namedInTables(keys)], Object.keys(PostedAlert.fields))
  })
})

describe("ARCHITECTURE.md", () => {
  const { text } = documentAt("ARCHITECTURE.md")

  it("draws each group on its floor", () => {
    const drawn = Object.entries(house).map(([group, { floor }]) => {
      const name = group.endsWith(".ts") ? group : `${group}/`
      return new RegExp(`^\\| ${floor} \\|[^|]*\`${name.replace(".", "\\.")}\``, "m").test(text) ? "" : group
    })
    assert.deepStrictEqual(drawn.filter((group) => group !== ""), nothing)
  })

  it("has every room in its code map", () => {
    const map = text.slice(text.indexOf("## Code map"), text.indexOf("## The way of a threat"))
    const rooms = Object.entries(house).flatMap(([group, { rooms }]) =>
      rooms === undefined
        ? [group]
        : Object.keys(rooms).filter((room) => room !== "index").map((room) => `${group}/${room}`)
    )
    const missing = rooms.filter((room) => !/index\.ts|extensions/.test(room) && !map.includes(`**${room}/**`))
    assert.deepStrictEqual(missing, nothing)
  })

  it("has every actor of a Tracehound in its table", () => {
    const tracehound = createTracehound({
      alerts: { devopsEndpoint: "http://127.0.0.1:9" },
      audit: { coldStorage: { endpoint: "file:/nowhere" } }
    }, { onPurge: () => {}, onEscalate: () => {} })
    const named = new Set(namedInTables(text))
    const actors = tracehound.actors().children.map(({ name }) => name)
    assert.includeMembers(actors, ["alerts", "coldstorage", "purge"])
    assert.deepStrictEqual(actors.filter((name) => !named.has(name)), nothing)
  })

  it("answers a newcomer's questions with places that are there", () => {
    const answers = text.slice(text.indexOf("## Where do I find"))
    for (const question of ["becomes evidence", "may import what", "cold storage is down", "log format"])
      assert.include(answers, question)
    const says = (path: string, word: string) => assert.include(readFileSync(join(root, path), "utf8"), word, path)
    says("src/custody/quarantine/Quarantine.ts", "hold")
    says("test/architecture/imports.ts", "export const house")
    says("src/intake/signal/Decoder.ts", "modsecurity")
    says("CONTRIBUTING.md", "## Add a log format")
    says("src/intake/agent/Agent.ts", "interceptUnsafe")
    says("src/safety/failsafe/FailSafe.ts", "reportUnsafe")
  })
})

describe("the checks themselves", () => {
  const there = (path: string): boolean => ["docs/a.txt", "src/a/"].includes(path)

  it("find dead links, headings and paths", () => {
    const text = "[a](a.txt) [b](b.txt) [c](a.txt#one-two) [d](a.txt#three) [e](https://x/y) `src/a/` `src/b/C.ts`"
    const document = { path: "docs/x.txt", text }
    assert.deepStrictEqual(deadLinks(document, there, () => "## One, two"), [
      "docs/x.txt: b.txt leads nowhere",
      "docs/x.txt: a.txt#three names no heading"
    ])
    assert.deepStrictEqual(deadPaths(document, there), ["docs/x.txt: there is no src/b/C.ts"])
  })

  it("read headings and tables, and no code", () => {
    assert.deepStrictEqual([...anchorsOf("# A b\n```\n# C\n```\n## D: `e`")], ["a-b", "d-e"])
    assert.deepStrictEqual([...namedInTables("| `a`, `b` | `c` |\n| --- | --- |\n| d | `e` |")], ["a", "b"])
  })
})

/** Every setting there is, as a path; a secret has no values that tests share. */
const settings = [
  ...known.map(([path]) => path),
  "signature.key",
  "audit.coldStorage.http.key",
  "audit.coldStorage.s3.accessKeyId",
  "audit.coldStorage.s3.secretAccessKey",
  "audit.coldStorage.s3.sessionToken"
]

const defaults: unknown = Schema.decodeUnknownSync(TracehoundConfig)({
  audit: { coldStorage: { endpoint: "file:x" } }
})

const valueAt = (path: string): unknown => {
  if (path === "audit.coldStorage.endpoint") return undefined
  let value: unknown = defaults
  for (const key of path.split(".")) value = Object(value)[key]
  return value
}

/** The settings that a row is about, and the text of their defaults. */
const rowsOf = (text: string): ReadonlyArray<readonly [names: ReadonlyArray<string>, defaults: string]> =>
  Array.from(text.matchAll(/^\| (`[^|]+?) \| ([^|]+?) \|/gm), ([, cell = "", defaults = ""]) => [
    Array.from(cell.matchAll(/`([^`]+)`/g), ([, name = ""]) => name),
    defaults
  ])

/** Numbers, words and `words` of a cell, in order; a cell that is prose has none. */
const valuesIn = (cell: string): ReadonlyArray<string> => {
  const values = cell.replaceAll(/(\d),(?=\d{3})/g, "$1").split(", ").map((value) => value.replaceAll("`", ""))
  return values.every((value) => /^[\w.-]+$/.test(value)) ? values : []
}
