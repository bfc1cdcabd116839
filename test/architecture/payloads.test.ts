/**
 * No code of the rooms that meet objects of a payload asks one by what the object may have of its
 * own (CONFORMANCE D4).
 */
import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { asked, meetsPayloads } from "./payloads.ts"

const root = join(import.meta.dirname, "../../src")

const sources = readdirSync(root, { recursive: true, encoding: "utf8" })
  .map((path) => path.replaceAll("\\", "/"))
  .filter((path) => path.endsWith(".ts") && meetsPayloads(path))
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }))

const none: ReadonlyArray<string> = []

describe("objects of a payload", () => {
  it("RFC D4 are asked by captured functions alone", () => {
    assert.isAbove(sources.length, 20)
    assert.deepStrictEqual(sources.flatMap(asked), none)
  })

  it.each([
    "if (view.buffer instanceof ArrayBuffer) copy()",
    "const isOurs = value instanceof Map || other",
    "const copy = buffer.slice(0, 1)",
    "const copy = content.buffer.slice(0, 1)",
    "const { buffer } = content; keep(buffer.transfer())",
    "bytes.transfer(0)",
    "const own = own.transfer()",
    "const size = own.detached ? 1 : 2",
    "value.forEach(write)",
    "const text = payload.toString()",
    "value?.toJSON()",
    "buffer.resize(1)",
    "const { length } = view.buffer.resizable"
  ])("a rule finds %s", (text) => {
    assert.isAbove(asked({ path: "intake/gate/A.ts", text }).length, 0)
  })

  it.each([
    "if (error instanceof TypeError) answer()",
    "const transfer = call.bind(ArrayBuffer.prototype.transfer)",
    "this.#custodian.transfer(this.#slot)",
    "custodian.transfer(slot)",
    "const copy = bytes.slice(first, last)",
    "const view = new DataView(bytes.buffer)",
    "sink.byte(value)",
    "mapForEach(value, write)",
    "vault.expose(slot)"
  ])("no rule finds %s", (text) => {
    assert.deepStrictEqual(asked({ path: "custody/A.ts", text }), none)
  })
})
