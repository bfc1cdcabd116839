/**
 * The house stands as it is drawn: every file of `src/` is read, and then each rule is shown a case it must refuse.
 */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import {
  barrels,
  clockReads,
  core,
  floors,
  headerStability,
  hostBound,
  importsOf,
  misplaced,
  rings,
  type Source,
  unstable
} from "./imports.ts"

const root = join(import.meta.dirname, "../..")

const sources: ReadonlyArray<Source> = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".ts"))
  .toSorted()
  .map((path) => ({ path, text: readFileSync(join(root, "src", path), "utf8") }))

/** Asks Effect's own source; a barrel or a path that is no module has no stability. */
const stabilityOf = (specifier: string): string | undefined => {
  const file = join(root, "node_modules/effect/src", `${specifier.slice("effect/".length)}.ts`)
  return existsSync(file) ? headerStability(readFileSync(file, "utf8")) : undefined
}

const file = (path: string, ...lines: ReadonlyArray<string>): Source => ({ path, text: lines.join("\n") })

const nothing: ReadonlyArray<string> = []

describe("the house", () => {
  it("is not empty, so that the rules below have something to hold", () => {
    assert.isAbove(sources.length, 0)
    assert.isAbove(sources.flatMap(importsOf).length, 0)
  })

  it("imports point downward only, and every room has its floor", () => {
    assert.deepStrictEqual(misplaced(sources), nothing)
  })

  it("RFC R5 the core imports nothing of Node and uses none of its globals", () => {
    assert.deepStrictEqual(hostBound(sources), nothing)
  })

  it("RFC R5 the core stands on stable Effect modules only", () => {
    assert.deepStrictEqual(unstable(sources, stabilityOf), nothing)
  })

  it("no file imports a barrel", () => {
    assert.deepStrictEqual(barrels(sources), nothing)
  })

  it("no files import one another in a ring", () => {
    assert.deepStrictEqual(rings(sources), nothing)
  })

  it("no file reads the wall clock by building a Date from nothing", () => {
    assert.deepStrictEqual(clockReads(sources), nothing)
  })

  it("every room of the core has a floor", () => {
    assert.deepStrictEqual([...core].filter((room) => !floors.has(room)), [])
  })
})

describe("the rules themselves", () => {
  const severity = file("domain/Severity.ts", "export type Severity = 1")

  it("sees every way to import", () => {
    const found = importsOf(file(
      "gate/A.ts",
      "/* import \"./no.ts\" */ const text = \"import './no.ts'\"",
      "import \"./a.ts\"",
      "import * as B from \"./b.ts\"",
      "import type { C } from \"./c.ts\"",
      "export * from \"./d.ts\"",
      "export { e } from \"./e.ts\"",
      "type F = import(\"./f.ts\").F",
      "const g = await import(\"./g.ts\")",
      "const h = (name: string) => import(name)",
      "export { text, g, h, type B, type C, type F }"
    ))
    assert.deepStrictEqual(found.map(({ line, specifier }) => `${line} ${specifier}`), [
      "2 ./a.ts",
      "3 ./b.ts",
      "4 ./c.ts",
      "5 ./d.ts",
      "6 ./e.ts",
      "7 ./f.ts",
      "8 ./g.ts",
      "9 undefined"
    ])
  })

  it("a text that is no TypeScript is refused by name", () => {
    assert.throws(() => importsOf(file("gate/A.ts", "import {")), /gate\/A\.ts does not parse/)
  })

  it("downward, inside one room and into nested folders is allowed", () => {
    assert.deepStrictEqual(
      misplaced([
        severity,
        file("gate/Rate.ts", "import type { Severity } from \"../domain/Severity.ts\"", "import \"./table/Row.ts\""),
        file(
          "gate/table/Row.ts",
          "import type { Severity } from \"../../domain/Severity.ts\"",
          "import \"../Other.ts\""
        ),
        file("gate/Other.ts"),
        file("Tracehound.ts", "import \"./gate/Rate.ts\""),
        file("index.ts", "export * from \"./Tracehound.ts\""),
        file("testing/Layers.ts", "import \"../Tracehound.ts\""),
        file("cli/bin.ts", "import \"../index.ts\"", "import \"../domain/Severity.ts\"")
      ]),
      nothing
    )
  })

  it.each([
    ["a room above", file("domain/Severity.ts", "import \"../gate/Rate.ts\""), "above it"],
    ["a neighbour", file("audit/Chain.ts", "import type { X } from \"../gate/Rate.ts\""), "neighbour gate"],
    ["the roof", file("agent/Agent.ts", "export * from \"../Tracehound.ts\""), "roof (floor 7) above it"],
    ["the testing room", file("cli/bin.ts", "import \"../testing/Layers.ts\""), "testing/ is for tests alone"],
    ["what lies outside", file("agent/Agent.ts", "import \"../../test/x.ts\""), "leaves src/"],
    ["what is not there", file("agent/Agent.ts", "import \"./Gone.ts\""), "is no file of src/"],
    ["an unknown room", file("attic/Box.ts"), "no floor is drawn for attic/"]
  ])("refuses %s", (_, source, expected) => {
    const findings = misplaced([
      source,
      file("gate/Rate.ts"),
      file("Tracehound.ts"),
      file("testing/Layers.ts")
    ])
    assert.lengthOf(findings, 1)
    assert.include(findings[0], expected)
    assert.include(findings[0], source.path)
  })

  it.each([
    ["import * as fs from \"node:fs\""],
    ["import type { Stats } from \"fs\""],
    ["import { readFile } from \"fs/promises\""],
    ["import * as NodeStream from \"@effect/platform-node/NodeStream\""],
    ["import chalk from \"chalk\""],
    ["export const load = (name: string) => import(name)"],
    ["export const size = (text: string) => Buffer.byteLength(text)"],
    ["export type Bytes = Buffer"],
    ["export const home = process.env"],
    ["export const home = globalThis.process"],
    ["export const bytes = globalThis[\"Buffer\"]"],
    ["export const timer: NodeJS.Timeout = 1"],
    ["export const { env } = process"],
    ["export const held = { process }"],
    ["export default process"],
    ["setImmediate(() => {})"],
    ["/// <reference types=\"node\" />"]
  ])("RFC R5 refuses in the core: %s", (line) => {
    assert.lengthOf(hostBound([file("gate/Rate.ts", line)]), 1)
    assert.deepStrictEqual(hostBound([file("node/Rate.ts", line), file("cli/bin.ts", line)]), nothing)
  })

  it.each([
    ["// Buffer and process in a comment"],
    ["export const text = \"process.env and node:fs\""],
    ["export const run = (process: () => void) => process()"],
    ["export interface Step { readonly process: number; readonly Buffer: (process: number) => void }"],
    ["export const step = { process: 1 }.process"],
    ["import { process } from \"./Step.ts\"\nprocess()"],
    ["import * as Effect from \"effect/Effect\"\nexport { Effect }"],
    ["import { gzipSync } from \"fflate\"\nexport { gzipSync }"]
  ])("RFC R5 allows in the core: %s", (line) => {
    assert.deepStrictEqual(hostBound([file("gate/Rate.ts", line)]), nothing)
  })

  it("refuses barrels and allows modules", () => {
    const lines = [
      "import { Effect } from \"effect\"",
      "import { HttpServer } from \"effect/http\"",
      "import type { NodeStream } from \"@effect/platform-node\"",
      "import * as Effect2 from \"effect/Effect\"",
      "import * as HttpServer2 from \"effect/http/HttpServer\"",
      "import * as NodeStream2 from \"@effect/platform-node/NodeStream\""
    ]
    assert.deepStrictEqual(
      barrels([file("http/Api.ts", ...lines)]).map((finding) => finding.split(":")[1]),
      ["1", "2", "3"]
    )
  })

  it("reads the stability of a module from the doc comment that opens it", () => {
    assert.strictEqual(headerStability("/**\n * A.\n *\n * @stability stable\n */\nimport 1"), "stable")
    assert.strictEqual(headerStability("/// <reference lib=\"x\" />\n\n/** @stability unstable */"), "unstable")
    assert.isUndefined(headerStability("/** Says nothing. */\n/** @stability stable */"))
    assert.isUndefined(headerStability("import 1\n/** @stability stable */"))
    assert.strictEqual(stabilityOf("effect/Effect"), "stable")
    assert.strictEqual(stabilityOf("effect/FileSystem"), "unstable")
    assert.isUndefined(stabilityOf("effect/NoSuchModule"))
  })

  it("refuses unstable modules in the core alone", () => {
    const lines = ["import * as FileSystem from \"effect/FileSystem\"", "import * as Effect from \"effect/Effect\""]
    const findings = unstable([file("gate/Rate.ts", ...lines), file("cli/bin.ts", ...lines)], stabilityOf)
    assert.deepStrictEqual(findings, ["gate/Rate.ts:1: effect/FileSystem is unstable"])
  })

  it("finds a ring, type-only links included, and no ring where paths only meet", () => {
    assert.deepStrictEqual(
      rings([
        file("gate/C.ts", "import \"./A.ts\""),
        file("gate/A.ts", "import type { B } from \"./B.ts\""),
        file("gate/B.ts", "export * from \"./C.ts\"")
      ]),
      ["gate/A.ts -> gate/B.ts -> gate/C.ts -> gate/A.ts"]
    )
    assert.deepStrictEqual(
      rings([
        file("gate/A.ts", "import \"./B.ts\"", "import \"./C.ts\""),
        file("gate/B.ts", "import \"./C.ts\""),
        file("gate/C.ts")
      ]),
      nothing
    )
  })

  it("tells reading the clock from converting a time", () => {
    const lines = ["new Date()", "Date()", "new Date(5)", "x instanceof Date", "Date.parse(y)"]
    assert.deepStrictEqual(clockReads([file("gate/Rate.ts", ...lines), file("node/Clock.ts", ...lines)]), [
      "gate/Rate.ts:1: reads the clock",
      "gate/Rate.ts:2: reads the clock"
    ])
  })
})
