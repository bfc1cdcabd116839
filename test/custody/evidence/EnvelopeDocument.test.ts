import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { EnvelopeError } from "../../../src/custody/evidence/Envelope.ts"
import { codecs } from "../../../src/domain/Codec.ts"
import { root, sha256, unbase64, vectors } from "./envelopes.ts"

const document = readFileSync(join(root, "spec/envelope.md"), "utf8")

/** The document's blocks of this language. */
const blocks = (language: string): ReadonlyArray<string> =>
  [...document.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, "gms"))].map(([, inside = ""]) => inside)

/** The bytes of a dump: lines of an offset, up to 16 bytes in hexadecimal, and words. */
const undump = (dump: string): Buffer => {
  const rows = dump.trimEnd().split("\n").map((line) =>
    /^ *(\d+) {2}((?:[0-9a-f]{2} ?){1,16})/.exec(line) ?? assert.fail(line)
  )
  let at = 0
  for (const [, offset, hex = ""] of rows) {
    assert.strictEqual(Number(offset), at)
    at += hex.replaceAll(" ", "").length / 2
  }
  return Buffer.concat(rows.map(([, , hex = ""]) => Buffer.from(hex.replaceAll(" ", ""), "hex")))
}

describe("spec/envelope.md", () => {
  it("RFC E6 its example is the first of the vectors, to the byte", () => {
    const [first] = vectors.good
    assert.strictEqual(undump(blocks("text")[0] ?? "").toString("base64"), first?.envelope)
    assert.strictEqual(blocks("json")[0]?.trimEnd(), first?.record)
  })

  it("RFC E6 names every codec with its number, and every reason", () => {
    for (const [number, codec] of codecs.entries()) assert.include(document, `\n| ${number} | ${codec} |`)
    const reasons = EnvelopeError.fields.reason.literals
    assert.isAbove(reasons.length, 6)
    for (const reason of reasons) assert.include(document, `\`${reason}\``)
  })

  it.skipIf(process.platform !== "linux")("RFC E6 its commands show the seal, the record and the evidence", () => {
    const directory = mkdtempSync(join(tmpdir(), "tracehound-test-"))
    try {
      for (const name of ["gzip: text", "gzip: every byte once", "gzip: no evidence"]) {
        const vector = vectors.good.find((each) => each.name === name) ?? assert.fail(name)
        const envelope = unbase64(vector.envelope)
        writeFileSync(join(directory, "ID.thev"), envelope)
        writeFileSync(join(directory, "look.sh"), blocks("sh")[0] ?? "")
        const shown = execFileSync("sh", ["look.sh", "ID.thev"], { cwd: directory, encoding: "utf8" }).split("\n")
        const seal = Buffer.from(envelope.subarray(-32)).toString("hex")
        const evidence = Buffer.from(vector.evidence, "base64")
        assert.deepStrictEqual(shown, [seal, seal, vector.record, sha256(evidence).toString("hex"), ""])
        assert.deepStrictEqual(readFileSync(join(directory, "evidence.bin")), evidence)
      }
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
