/**
 * The conformance list, the code and the tests name one another: spec/conformance.md is read with
 * all of `src/` and `test/`, and then each rule is shown a case it must refuse.
 */
import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import {
  citationsOf,
  lostDocuments,
  malformed,
  rowsOf,
  type Source,
  titlesOf,
  unheld,
  unknownCitations,
  unknownTitles
} from "./spec.ts"

const root = join(import.meta.dirname, "../..")

/** The files below a folder whose names end so, with their paths from the root. */
const filesOf = (folder: string, ending: RegExp): ReadonlyArray<string> =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((path) => `${folder}/${path.replaceAll("\\", "/")}`)
    .filter((path) => ending.test(path))
    .toSorted()

const read = (path: string): Source => ({ path, text: readFileSync(join(root, path), "utf8") })

const document = read("spec/conformance.md").text
const rows = rowsOf(document)
const sources = filesOf("src", /\.(?:ts|mjs)$/).map(read)

/** All tests but this one, which invents rows. */
const tests = filesOf("test", /\.ts$/).filter((path) => path !== "test/architecture/spec.test.ts").map(read)
const titles = tests.flatMap(titlesOf)
const testPaths = tests.map(({ path }) => path)

const nothing: ReadonlyArray<string> = []

describe("the conformance list", () => {
  it("is not empty, so that the rules below have something to hold", () => {
    assert.isAbove(rows.length, 0)
    assert.isAbove(sources.flatMap(citationsOf).length, 0)
    assert.isAbove(titles.length, 0)
  })

  it("has each row once, with a promise and its tests", () => {
    assert.deepStrictEqual(malformed(document), nothing)
  })

  it("has every row that the code cites", () => {
    assert.deepStrictEqual(unknownCitations(rows, sources), nothing)
  })

  it("has every row that the title of a test starts with", () => {
    assert.deepStrictEqual(unknownTitles(rows, titles), nothing)
  })

  it("names, for every row, files of which each has a test for it", () => {
    assert.deepStrictEqual(unheld(rows, testPaths, titles), nothing)
  })

  it("is one of the documents that code names, and all of them are there", () => {
    const documents = new Set([
      ...readdirSync(root).filter((path) => path.endsWith(".md")),
      ...["bench", "docs", "spec"].flatMap((folder) => filesOf(folder, /\.md$/))
    ])
    assert.isTrue(documents.has("spec/conformance.md"))
    const named = [...sources, ...tests, ...filesOf("bench", /\.ts$/).map(read)]
    assert.deepStrictEqual(lostDocuments(documents, named), nothing)
  })
})

const file = (path: string, ...lines: ReadonlyArray<string>): Source => ({ path, text: lines.join("\n") })

const row = (id: string, ...files: ReadonlyArray<string>): ReadonlyArray<string> => [
  `### ${id} A title`,
  "",
  "It holds.",
  "",
  `Tests: ${files.map((path) => `\`${path}\``).join(", ")}`,
  ""
]

const rowsFrom = (...lines: ReadonlyArray<ReadonlyArray<string>>) => rowsOf(lines.flat().join("\n"))

describe("the rules themselves", () => {
  it("reads rows with their promise and their files, over several lines", () => {
    const text = [
      "# A list",
      "",
      "## Domain",
      "",
      "### D1 First",
      "",
      "It holds `always`.",
      "",
      "Tests: `test/a/A.test.ts`,",
      "`test/b/B.test.ts`",
      "",
      "### SYS P4 Second",
      "",
      "Tests: `test/c/C.test.ts`"
    ].join("\n")
    assert.deepStrictEqual(rowsOf(text), [
      { id: "D1", line: 5, hasPromise: true, files: ["test/a/A.test.ts", "test/b/B.test.ts"] },
      { id: "SYS P4", line: 12, hasPromise: false, files: ["test/c/C.test.ts"] }
    ])
  })

  it.each([
    ["a heading without a number", ["### Title", "", "Text."], "1: \"### Title\" is no row"],
    ["a number alone", ["### D1", "", "Text."], "1: \"### D1\" is no row"],
    ["a row that is there twice", [...row("D1", "a.ts"), ...row("D1", "a.ts")], "7: there is a row D1 above"],
    ["a row without a promise", ["### D1 Title", "", "Tests: `a.ts`"], "1: row D1 promises nothing"],
    ["a row without tests", ["### D1 Title", "", "It holds."], "1: row D1 has no line \"Tests: `test/…`\""],
    [
      "a row whose tests are the next one's",
      ["### D1 Title", "", "It holds.", "", ...row("D2", "a.ts")],
      "1: row D1 has no line"
    ]
  ])("refuses %s", (_, lines, expected) => {
    const findings = malformed(lines.join("\n"))
    assert.lengthOf(findings, 1)
    assert.include(findings[0], `spec/conformance.md:${expected}`)
  })

  it.each([
    ["/** A (CONFORMANCE D1). */", ["D1"]],
    ["// A (RFC, \"Agent\"; CONFORMANCE D1, D3; CANONICAL)", ["D1", "D3"]],
    ["/** CONFORMANCE D1 to D3, G4: all. */", ["D1", "D2", "D3", "G4"]],
    ["/** CONFORMANCE E2 to E3 and D10) */", ["E2", "E3", "D10"]],
    ["/**\n * A (CONFORMANCE\n * D1,\n * F5).\n */", ["D1", "F5"]],
    ["// A (CONFORMANCE\n// D1 to\n//   D2)", ["D1", "D2"]],
    ["/** CONFORMANCE SYS P4, D1, SYS N1 to SYS N2. */", ["SYS P4", "D1", "SYS N1", "SYS N2"]],
    ["/** CONFORMANCE D1, and so on; A1 is no citation. */", ["D1"]],
    ["/** What CONFORMANCE says. */", [""]],
    ["/** CONFORMANCE D3 to D1, D1 to E2, D2 to D2. */", ["D3 to D1", "D1 to E2", "D2 to D2"]]
  ])("reads citations: %s", (text, expected) => {
    assert.deepStrictEqual(citationsOf(file("src/A.ts", text)).map(({ row }) => row), expected)
  })

  it("refuses citations of rows that there are not, with their lines", () => {
    const text = ["/** CONFORMANCE D1. */", "", "/** CONFORMANCE D1 to D3. */", "/** CONFORMANCE */", "// SYS P4"]
    assert.deepStrictEqual(
      unknownCitations(rowsFrom(row("D1", "a.ts"), row("D2", "a.ts")), [file("src/A.ts", ...text)]),
      [
        "src/A.ts:3: CONFORMANCE D3: spec/conformance.md has no row D3: correct the citation, or write the row",
        "src/A.ts:4: CONFORMANCE names no row: write CONFORMANCE Q2, CONFORMANCE Q2, Q3 or CONFORMANCE Q1 to Q4"
      ]
    )
  })

  it("reads titles in every way that tests have them, and nothing else", () => {
    const found = titlesOf(file(
      "test/a/A.test.ts",
      "// it(\"RFC A9 in a comment\", run)",
      "it(\"RFC D1 D2 does\", run)",
      "it.effect.each(cases)(\"RFC D3\", run)",
      "describe(`RFC D4 ${name}`, () => it.prop(`${name} RFC A9`, run))",
      "it.each([[\"RFC D5\", 1]])(\"%s holds\", run)",
      "layer(live)(\"RFC D6 RFC R2 of all\", run)",
      "it(\"SYS P4 D1 is of another system\", run)",
      "it(\"RFC 8785 is no row, nor is A9\", run)",
      "it(\"D9 without its list\", () => assert.isTrue(yes, \"RFC A9 a message\"))"
    ))
    assert.deepStrictEqual(found.map(({ line, row }) => `${line} ${row}`), [
      "2 D1",
      "2 D2",
      "3 D3",
      "4 D4",
      "5 D5",
      "6 D6",
      "6 R2",
      "7 SYS P4",
      "7 SYS D1"
    ])
  })

  it("refuses titles with rows that there are not", () => {
    const test = file(
      "test/a/A.test.ts",
      "it(\"RFC D1 holds\", run)",
      "it(\"RFC D9 D1 does\", run)",
      "it(\"SYS D1\", run)"
    )
    assert.deepStrictEqual(unknownTitles(rowsFrom(row("D1", "test/a/A.test.ts")), titlesOf(test)), [
      "test/a/A.test.ts:2: \"RFC D9 …\": spec/conformance.md has no row D9: correct the title, or write the row",
      "test/a/A.test.ts:3: \"SYS D1 …\": spec/conformance.md has no row SYS D1: correct the title, or write the row"
    ])
  })

  const holders = [
    file("test/a/A.test.ts", "it(\"RFC D1 holds\", run)"),
    file("test/a/B.slow.test.ts", "it(\"RFC D1 holds slowly\", run)"),
    file("test/b/C.test.ts", "it(\"RFC D2 holds\", run)")
  ]
  const unheldOf = (...lines: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> =>
    unheld(rowsFrom(...lines), holders.map(({ path }) => path), holders.flatMap(titlesOf))

  it("allows rows whose files hold them", () => {
    assert.deepStrictEqual(
      unheldOf(row("D1", "test/a/A.test.ts"), row("D2", "test/b/C.test.ts")),
      nothing
    )
  })

  it.each([
    [
      "a row without a test",
      row("D3", "test/a/A.test.ts"),
      "row D3: no test has a title \"RFC D3 …\": write one, or take the row out"
    ],
    [
      "a row of another system that only has the core's",
      row("SYS D1", "test/a/A.test.ts"),
      "row SYS D1: no test has a title \"SYS D1 …\": write one, or take the row out"
    ],
    [
      "a file without a test of it",
      row("D1", "test/b/C.test.ts"),
      "row D1 names test/b/C.test.ts, where no title starts with \"RFC D1\": " +
      "name test/a/A.test.ts or test/a/B.slow.test.ts"
    ],
    [
      "a file that has another name now",
      row("D1", "test/a/B.test.ts"),
      "row D1 names test/a/B.test.ts, which is not there: name test/a/B.slow.test.ts"
    ],
    [
      "a file that is gone",
      row("D1", "test/a/Gone.test.ts", "test/a/A.test.ts"),
      "row D1 names test/a/Gone.test.ts, which is not there: name test/a/A.test.ts or test/a/B.slow.test.ts"
    ]
  ])("refuses %s", (_, lines, expected) => {
    assert.deepStrictEqual(unheldOf(lines), [`spec/conformance.md:1: ${expected}`])
  })

  it("refuses a document that is not there, and leaves paths from elsewhere alone", () => {
    const text = ["// see docs/a.md, b.md", "read(\"../../c.md\")", "// (C.md, \"Title\") and `spec/a.md`", "a.mdx"]
    assert.deepStrictEqual(lostDocuments(new Set(["docs/a.md", "b.md"]), [file("src/A.ts", ...text)]), [
      "src/A.ts:3: there is no C.md: name a document by its path from the root",
      "src/A.ts:3: there is no spec/a.md: name a document by its path from the root"
    ])
  })
})
