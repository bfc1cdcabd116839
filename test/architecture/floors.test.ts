/**
 * The sources keep to the rules of `imports.ts`: every file of `src/` is read, and then each rule
 * is shown a case that it must refuse.
 */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import {
  barrels,
  clockReads,
  core,
  headerStability,
  hostBound,
  house,
  importsOf,
  misplaced,
  rings,
  type Source,
  unstable
} from "./imports.ts"

const root = join(import.meta.dirname, "../..")

const files: ReadonlyArray<string> = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))

const sources: ReadonlyArray<Source> = files
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

  it("every group and room that is drawn is built, but for extensions, and each place of the core is there", () => {
    const places = Object.entries(house).flatMap(([group, { rooms }]) =>
      group === "extensions"
        ? []
        : rooms === undefined
        ? [group]
        : Object.keys(rooms).map((room) => `${group}/${room === "index" ? "index.ts" : room}`)
    )
    const empty = [...places, ...core].filter((place) => !files.some((path) => path.startsWith(place)))
    assert.deepStrictEqual(empty, [])
  })
})

describe("the rules themselves", () => {
  const severity = file("domain/Severity.ts", "export type Severity = 1")

  it("sees every way to import", () => {
    const found = importsOf(file(
      "intake/gate/A.ts",
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
    assert.throws(() => importsOf(file("intake/gate/A.ts", "import {")), /intake\/gate\/A\.ts does not parse/)
  })

  it("downward, inside one room and into nested folders is allowed", () => {
    assert.deepStrictEqual(
      misplaced([
        severity,
        file("intake/gate/Rate.ts", "import type { S } from \"../../domain/Severity.ts\"", "import \"./table/Row.ts\""),
        file("intake/gate/table/Row.ts", "import \"../../../domain/Severity.ts\"", "import \"../Other.ts\""),
        file("intake/gate/Other.ts"),
        file("intake/agent/Agent.ts", "import \"../gate/Rate.ts\"", "import \"../../hound/pool/Pool.ts\""),
        file("hound/pool/Pool.ts", "import \"../channel/Frames.ts\"", "import \"../../custody/evidence/Ids.ts\""),
        file("hound/channel/Frames.ts"),
        file("custody/evidence/Ids.ts"),
        file("runtime/Tracehound.ts", "import \"../intake/gate/Rate.ts\""),
        file("index.ts", "export * from \"./runtime/Tracehound.ts\""),
        file("testing/Layers.ts", "import \"../runtime/Tracehound.ts\""),
        file(
          "edge/cli/bin.ts",
          "import \"../../index.ts\"",
          "const detection = import(\"../../extensions/detection/A.ts\")"
        ),
        file("extensions/detection/A.ts", "import \"../../index.ts\"", "import \"./rules/B.ts\""),
        file("extensions/detection/rules/B.ts", "import \"../../../domain/Severity.ts\"")
      ]),
      nothing
    )
  })

  it.each([
    ["a group above", file("domain/Severity.ts", "import \"../intake/gate/Rate.ts\""), "intake (floor 7) above it"],
    [
      "a neighbour",
      file("scheduler/Ticks.ts", "import type { X } from \"../safety/alert/Desk.ts\""),
      "neighbour safety"
    ],
    ["a room above", file("intake/gate/Table.ts", "import \"../agent/Agent.ts\""), "intake/agent above it"],
    ["a neighbouring room", file("intake/signal/Line.ts", "import \"../gate/Rate.ts\""), "neighbour intake/gate"],
    [
      "a room that is not for it",
      file("intake/agent/Log.ts", "import \"../../custody/audit/Log.ts\""),
      "custody/audit"
    ],
    ["a group that is not for it", file("edge/cli/bin.ts", "import \"../../safety/alert/Desk.ts\""), "safety/alert"],
    [
      "the runtime",
      file("intake/agent/X.ts", "export * from \"../../runtime/Tracehound.ts\""),
      "runtime (floor 8) above"
    ],
    ["the testing room", file("edge/cli/bin.ts", "import \"../../testing/Layers.ts\""), "testing/ is for tests alone"],
    ["the edge", file("extensions/a/A.ts", "import \"../../edge/probes/Report.ts\""), "imports the edge"],
    [
      "an extension",
      file("edge/probes/A.ts", "import \"../../extensions/notify/N.ts\""),
      "imports the extension notify"
    ],
    ["its fellow", file("extensions/a/A.ts", "import \"../notify/N.ts\""), "extension a imports the extension notify"],
    [
      "the core's inside",
      file("extensions/a/A.ts", "import \"../../intake/gate/Rate.ts\""),
      "may not import intake/gate"
    ],
    ["what lies outside", file("intake/agent/X.ts", "import \"../../../test/x.ts\""), "leaves src/"],
    ["what is not there", file("intake/agent/X.ts", "import \"./Gone.ts\""), "is no file of src/"],
    ["an unknown group", file("attic/Box.ts"), "no floor is drawn for attic"],
    ["an unknown room", file("custody/attic/Box.ts"), "no floor is drawn for custody/attic"],
    ["a file beside the rooms", file("custody/Box.ts"), "no floor is drawn for custody/index"],
    ["a file beside the groups", file("Box.ts"), "no floor is drawn for Box.ts"]
  ])("refuses %s", (_, source, expected) => {
    const findings = misplaced([
      source,
      file("intake/gate/Rate.ts"),
      file("intake/agent/Agent.ts"),
      file("safety/alert/Desk.ts"),
      file("custody/audit/Log.ts"),
      file("runtime/Tracehound.ts"),
      file("testing/Layers.ts"),
      file("edge/probes/Report.ts"),
      file("extensions/notify/N.ts")
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
    assert.lengthOf(hostBound([file("intake/gate/Rate.ts", line)]), 1)
    assert.deepStrictEqual(hostBound([file("host/node/Rate.ts", line), file("edge/cli/bin.ts", line)]), nothing)
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
    assert.deepStrictEqual(hostBound([file("intake/gate/Rate.ts", line)]), nothing)
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
      barrels([file("edge/http/Api.ts", ...lines)]).map((finding) => finding.split(":")[1]),
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
    const findings = unstable([file("intake/gate/Rate.ts", ...lines), file("edge/cli/bin.ts", ...lines)], stabilityOf)
    assert.deepStrictEqual(findings, ["intake/gate/Rate.ts:1: effect/FileSystem is unstable"])
  })

  it("finds a ring, type-only links included, and no ring where paths only meet", () => {
    assert.deepStrictEqual(
      rings([
        file("intake/gate/C.ts", "import \"./A.ts\""),
        file("intake/gate/A.ts", "import type { B } from \"./B.ts\""),
        file("intake/gate/B.ts", "export * from \"./C.ts\"")
      ]),
      ["intake/gate/A.ts -> intake/gate/B.ts -> intake/gate/C.ts -> intake/gate/A.ts"]
    )
    assert.deepStrictEqual(
      rings([
        file("intake/gate/A.ts", "import \"./B.ts\"", "import \"./C.ts\""),
        file("intake/gate/B.ts", "import \"./C.ts\""),
        file("intake/gate/C.ts")
      ]),
      nothing
    )
  })

  it("tells reading the clock from converting a time", () => {
    const lines = ["new Date()", "Date()", "new Date(5)", "x instanceof Date", "Date.parse(y)"]
    assert.deepStrictEqual(clockReads([file("intake/gate/Rate.ts", ...lines), file("host/node/Clock.ts", ...lines)]), [
      "intake/gate/Rate.ts:1: reads the clock",
      "intake/gate/Rate.ts:2: reads the clock"
    ])
  })
})
