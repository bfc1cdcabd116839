import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Result } from "effect"
import { base64, fromBase64 } from "../../../src/custody/ledger/Base64.ts"
import { checkpointText, parseCheckpoint } from "../../../src/custody/ledger/CheckpointText.ts"
import { isNoteText, maxNoteLength, openNote, signatureLine, signNote } from "../../../src/custody/ledger/Note.ts"
import {
  isKeyName,
  type NoteSigner,
  noteSigner,
  parseVerifierKey,
  type VerifierKey,
  verifierKey,
  verifierKeyText
} from "../../../src/custody/ledger/NoteKeys.ts"
import { parseTlogProof, tlogProofText } from "../../../src/custody/ledger/TlogProof.ts"
import * as NodeEd25519 from "../../../src/host/node/NodeEd25519.ts"
import { Ed25519 } from "../../../src/host/port/Ed25519.ts"
import * as PortableEd25519 from "../../../src/host/port/PortableEd25519.ts"
import { ports } from "../../support/ports.ts"
import { hash } from "../audit/entries.ts"

const host = Layer.mergeAll(ports, process.env["TEST_PORTS"] === "portable" ? PortableEd25519.layer : NodeEd25519.layer)
const utf8 = new TextEncoder()
const seed = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const parsed = (text: string): VerifierKey | string => Result.getOrElse(parseVerifierKey(hash, text), (fault) => fault)
const text = checkpointText({ origin: "example.com/ledger", size: 7, root: new Uint8Array(32).fill(9) })

/** A witness: it signs a time besides. */
const witness = (name: string, secret: Uint8Array, seconds: bigint) =>
  Effect.gen(function*() {
    const { publicKey, sign } = yield* Ed25519
    const signer: NoteSigner = {
      key: verifierKey(hash, name, yield* publicKey(secret), "cosignature"),
      sign: (signed) =>
        Effect.map(sign(secret, utf8.encode(`cosignature/v1\ntime ${seconds}\n${signed}`)), (signature) => {
          const bytes = new Uint8Array(72)
          new DataView(bytes.buffer).setBigUint64(0, seconds)
          bytes.set(signature, 8)
          return bytes
        })
    }
    return signer
  })

describe("signed notes", () => {
  // The key and the note of C2SP signed-note, as Go's x/mod/sumdb/note has them.
  const vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
  const note = [
    "If you think cryptography is the answer to your problem,",
    "then you don't know what your problem is.",
    "",
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=",
    ""
  ].join("\n")

  it.layer(host)((it) => {
    it.effect("SYS L1 open a note that another program signed", () =>
      Effect.gen(function*() {
        const key = parsed(vkey)
        if (typeof key === "string") return assert.fail(key)
        assert.strictEqual(verifierKeyText(key), vkey)
        const opened = yield* openNote(note, [key])
        assert.strictEqual(opened.text, note.slice(0, note.indexOf("\n\n") + 1))
        assert.deepStrictEqual(opened.signatures, [{ key, seconds: null }])
      }))

    it.effect("SYS L1 hold several signatures, of ledgers and witnesses, beside unknown ones", () =>
      Effect.gen(function*() {
        const one = yield* noteSigner("example.com/ledger", seed(1))
        const two = yield* noteSigner("example.com/ledger", seed(2))
        const other = yield* witness("witness.example", seed(3), 1_760_000_000n)
        const stranger = yield* noteSigner("stranger", seed(4))
        const signed = (yield* signNote(text, [stranger, one, two])) + (yield* signatureLine(text, other)) +
          "— example.com/ledger AAAAAAA=\n"
        assert.deepStrictEqual((yield* openNote(signed, [two.key, other.key, one.key])).signatures, [
          { key: one.key, seconds: null },
          { key: two.key, seconds: null },
          { key: other.key, seconds: 1_760_000_000n }
        ])
        assert.lengthOf((yield* openNote(signed, [one.key])).signatures, 1)
        const twice = signed + (yield* signatureLine(text, one))
        assert.lengthOf((yield* openNote(twice, [one.key])).signatures, 1)
        const unknown = yield* Effect.flip(openNote(signed, []))
        assert.propertyVal(unknown, "reason", "unsigned")
        // The same name, and another key.
        const impostor = yield* noteSigner("stranger", seed(5))
        assert.propertyVal(yield* Effect.flip(openNote(signed, [impostor.key])), "reason", "unsigned")
      }))

    it.effect("SYS L1 are refused where a known key's signature does not hold, whoever else signed", () =>
      Effect.gen(function*() {
        const one = yield* noteSigner("example.com/ledger", seed(1))
        const two = yield* noteSigner("example.com/other", seed(2))
        const cosigner = yield* witness("witness.example", seed(3), 5n)
        const signed = yield* signNote(text, [one, two])
        const bad = { ...two, sign: () => Effect.succeed(new Uint8Array(64)) }
        const late = {
          ...cosigner,
          sign: (given: string) => Effect.map(cosigner.sign(given), (bytes) => bytes.fill(1, 7, 8))
        }
        const cut = {
          ...cosigner,
          sign: (given: string) => Effect.map(cosigner.sign(given), (bytes) => bytes.slice(0, 7))
        }
        const keys = [one.key, two.key, cosigner.key]
        for (
          const bent of [
            signed.replace("\n7\n", "\n8\n"),
            (yield* signNote(text, [one])) + (yield* signatureLine(text, bad)),
            signed + (yield* signatureLine(text, late)),
            signed + (yield* signatureLine(text, cut))
          ]
        ) assert.propertyVal(yield* Effect.flip(openNote(bent, keys)), "reason", "signature")
        yield* openNote(signed + (yield* signatureLine(text, cosigner)), keys)
      }))

    it.effect("SYS L1 every byte of a note counts, or it still says the same", () =>
      Effect.gen(function*() {
        const one = yield* noteSigner("example.com/ledger", seed(1))
        const signed = yield* signNote(text, [one])
        for (let at = 0; at < signed.length; at++) {
          const code = signed.charCodeAt(at)
          for (const other of [code ^ 1, code ^ 32, 10]) {
            if (other === code) continue
            const bent = signed.slice(0, at) + String.fromCharCode(other) + signed.slice(at + 1)
            const opened = yield* Effect.exit(openNote(bent, [one.key]))
            assert.strictEqual(opened._tag, "Failure", `${at}: ${JSON.stringify(bent)}`)
          }
        }
      }))

    it.effect("SYS L1 are refused where they are no notes", () =>
      Effect.gen(function*() {
        const one = yield* noteSigner("example.com/ledger", seed(1))
        const signed = yield* signNote(text, [one])
        const line = yield* signatureLine(text, one)
        for (
          const wrong of [
            "",
            "\n",
            "\n\n",
            text,
            `${text}\n`,
            signed.slice(0, -1),
            signed.replaceAll("\n", "\r\n"),
            signed.replace("— ", "- "),
            `${signed.slice(0, -2)}\n`,
            `${signed}\n`,
            `${signed}— \n`,
            `${signed}— name+ AAAAAAA=\n`,
            `${signed}— name AAAA\n`,
            `\ud800${signed}`,
            `${text}\n${line.repeat(65)}`,
            "a".repeat(maxNoteLength) + signed
          ]
        )
          assert.propertyVal(
            yield* Effect.flip(openNote(wrong, [one.key])),
            "reason",
            "malformed",
            JSON.stringify(wrong)
          )
        yield* openNote(`${text}\n${line.repeat(64)}`, [one.key])
        assert.isTrue(isNoteText(text))
        for (const wrong of ["", "a", "a\u0000\n", "\ud800\n"]) assert.isFalse(isNoteText(wrong))
      }))
  })
})

describe("keys of notes", () => {
  const key = verifierKey(hash, "example.com/ledger", seed(7))

  it("SYS L1 have one text", () => {
    assert.deepStrictEqual(parsed(verifierKeyText(key)), key)
    const cosigner = verifierKey(hash, "witness.example", seed(7), "cosignature")
    assert.deepStrictEqual(parsed(verifierKeyText(cosigner)), cosigner)
    assert.notStrictEqual(cosigner.id, verifierKey(hash, "witness.example", seed(7)).id)
  })

  it("SYS L1 are refused in any other", () => {
    const { id } = key
    const rest = base64(Uint8Array.of(1, ...key.publicKey))
    for (const wrong of ["", "a+b", `+${id}+${rest}`, `a b+${id}+${rest}`, `${verifierKeyText(key)}\n`, `n+${id}+AAA`])
      assert.strictEqual(parsed(wrong), "malformed", wrong)
    assert.strictEqual(parsed(`example.com/ledger+${id}+${base64(Uint8Array.of(1, ...seed(7), 0))}`), "malformed")
    assert.strictEqual(parsed(`example.com/other+${id}+${rest}`), "wrong_id")
    assert.strictEqual(parsed(`example.com/ledger+${id}+${base64(Uint8Array.of(6, ...seed(7)))}`), "unknown_type")
    for (const wrong of ["", "a b", "a+b", "a\n", "\ud800", "a".repeat(257)]) assert.isFalse(isKeyName(wrong))
    assert.isTrue(isKeyName("example.com/ledger"))
  })
})

describe("the text of a checkpoint", () => {
  it("SYS L1 gives the same head again, and passes over further lines", () => {
    const head = { origin: "example.com/ledger", size: 2 ** 53 - 1, root: new Uint8Array(32).fill(9) }
    assert.deepStrictEqual(parseCheckpoint(checkpointText(head)), head)
    assert.deepStrictEqual(parseCheckpoint(`${checkpointText(head)}more\nlines\n`), head)
  })

  it.each([
    ["nothing", ""],
    ["no origin", text.replace("example.com/ledger", "")],
    ["a size with a zero before it", text.replace("\n7\n", "\n07\n")],
    ["a size below 0", text.replace("\n7\n", "\n-7\n")],
    ["a size that is no number", text.replace("\n7\n", "\n7e1\n")],
    ["a size past 2^53 - 1", text.replace("\n7\n", "\n9007199254740992\n")],
    ["no size", text.replace("\n7\n", "\n\n")],
    ["a short root", text.replace("CQkJ", "")],
    ["no end", text.slice(0, -1)],
    ["an empty line", `${text}\n`]
  ])("SYS L1 is refused with %s", (_, wrong) => {
    assert.isNull(parseCheckpoint(wrong))
  })
})

describe("an inclusion proof as a file", () => {
  const proof = [seed(1), seed(2)]
  const note = `${text}\n— example.com/ledger AAAAAAA=\n`
  const file = tlogProofText({ index: 5, proof, note })

  it("SYS L1 is that of C2SP tlog-proof, and gives the same proof again", () => {
    const lines = ["c2sp.org/tlog-proof@v1", "index 5", base64(seed(1)), base64(seed(2)), "", note]
    assert.strictEqual(file, lines.join("\n"))
    assert.deepStrictEqual(parseTlogProof(file), { index: 5, proof, note })
    assert.deepStrictEqual(parseTlogProof(tlogProofText({ index: 0, proof: [], note })), { index: 0, proof: [], note })
    assert.deepStrictEqual(parseTlogProof(file.replace("index", "extra YQ==\nindex")), { index: 5, proof, note })
  })

  it.each([
    ["nothing", ""],
    ["another first line", file.replace("@v1", "@v2")],
    ["no index", file.replace("index 5\n", "")],
    ["an index that is no number", file.replace("index 5", "index five")],
    ["an index with a zero before it", file.replace("index 5", "index 05")],
    ["a short hash", file.replace("AQEB", "")],
    ["a line too many", file.replace("index 5", "index 5\nindex 5")],
    [
      "more hashes than a tree is high",
      tlogProofText({ index: 5, proof: Array.from({ length: 54 }, () => seed(1)), note })
    ]
  ])("SYS L1 is refused with %s", (_, wrong) => {
    assert.isNull(parseTlogProof(wrong))
  })
})

describe("base64", () => {
  it("SYS L1 is Node's, of any length, and has one text for each byte string", () => {
    for (let length = 0; length < 300; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 167 + length) % 256)
      assert.strictEqual(base64(bytes), Buffer.from(bytes).toString("base64"))
      assert.deepStrictEqual(fromBase64(base64(bytes)), bytes)
    }
    const long = new Uint8Array(100_000).fill(0xfe)
    assert.deepStrictEqual(fromBase64(base64(long)), long)
    for (const wrong of ["A", "AA", "AAA", "AB==", "AAB=", "A===", "====", " AAA", "AA==\n", "AA==AAAA", "AA-_"])
      assert.isNull(fromBase64(wrong), wrong)
  })
})
