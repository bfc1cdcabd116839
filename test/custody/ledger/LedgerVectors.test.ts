/**
 * The vectors of the ledger, answered by its code, and computed again by code that has nothing of
 * it: a library for canonical JSON, the RFC's definition of the tree, and node:crypto.
 */
import { assert, describe, it } from "@effect/vitest"
import canonicalize from "canonicalize"
import { Effect, Layer, Result } from "effect"
import { createHash, createPublicKey, verify } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { checkpointText, parseCheckpoint } from "../../../src/custody/ledger/CheckpointText.ts"
import { entryText, parseEntry } from "../../../src/custody/ledger/Entry.ts"
import { LeafHasher } from "../../../src/custody/ledger/LeafHash.ts"
import { provesConsistency, provesInclusion } from "../../../src/custody/ledger/Merkle.ts"
import { openNote, signNote } from "../../../src/custody/ledger/Note.ts"
import { noteSigner, parseVerifierKey, verifierKeyText } from "../../../src/custody/ledger/NoteKeys.ts"
import { parseTlogProof } from "../../../src/custody/ledger/TlogProof.ts"
import * as NodeEd25519 from "../../../src/host/node/NodeEd25519.ts"
import { ports } from "../../support/ports.ts"
import { hash } from "../audit/entries.ts"
import { leafOf, pathOf, proofOf, rootOf } from "./reference.ts"
import { grown } from "./trees.ts"

const vectors = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../spec/vectors/ledger.json"), "utf8")
) as {
  readonly version: number
  readonly specification: string
  readonly entries: {
    readonly good: ReadonlyArray<{ readonly name: string; readonly text: string; readonly hash: string }>
    readonly bad: ReadonlyArray<{ readonly name: string; readonly text: string; readonly fault: string }>
  }
  readonly tree: {
    readonly roots: ReadonlyArray<{ readonly size: number; readonly root: string }>
    readonly inclusion: ReadonlyArray<Readonly<{ index: number; size: number; proof: ReadonlyArray<string> }>>
    readonly consistency: ReadonlyArray<Readonly<{ from: number; to: number; proof: ReadonlyArray<string> }>>
  }
  readonly checkpoint: Readonly<Record<"seed" | "origin" | "vkey" | "witness" | "note" | "proof", string>>
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const unhex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"))
const leaves = Array.from({ length: 300 }, (_, i) => leafOf(`entry ${i}`))
const host = Layer.mergeAll(ports, NodeEd25519.layer)
const keyOf = (text: string) => Result.getOrThrow(parseVerifierKey(hash, text))

describe("the vectors of entries", () => {
  it.each(vectors.entries.good)("SYS L1 takes: $name", ({ hash: wanted, text }) => {
    const entry = Result.getOrThrow(parseEntry(text))
    assert.strictEqual(Result.getOrThrow(entryText(entry)), text)
    assert.strictEqual(canonicalize(JSON.parse(text)), text)
    const target = new Uint8Array(32)
    new LeafHasher(hash).ofText(text, target)
    assert.strictEqual(hex(target), wanted)
    assert.strictEqual(createHash("sha256").update("\0").update(text).digest("hex"), wanted)
  })

  it.each(vectors.entries.bad)("SYS L1 refuses: $name", ({ fault, text }) => {
    assert.strictEqual(Result.getOrElse(parseEntry(text), (found): string => found), fault)
  })
})

describe("the vectors of the tree", () => {
  it("SYS L1 has these roots", () => {
    for (const { root, size } of vectors.tree.roots) {
      assert.strictEqual(hex(grown(leaves.slice(0, size)).tree.root()), root)
      assert.strictEqual(hex(rootOf(leaves.slice(0, size))), root)
    }
  })

  it("SYS L1 has these proofs, and each holds", () => {
    const rootAt = (size: number): Uint8Array => rootOf(leaves.slice(0, size))
    for (const { index, proof, size } of vectors.tree.inclusion) {
      assert.deepStrictEqual(pathOf(index, leaves.slice(0, size)).map(hex), proof)
      const [leaf = rootAt(0)] = leaves.slice(index)
      assert.isTrue(provesInclusion(hash, { index, size, leaf, root: rootAt(size), proof: proof.map(unhex) }))
    }
    for (const { from, proof, to } of vectors.tree.consistency) {
      assert.deepStrictEqual(proofOf(from, leaves.slice(0, to)).map(hex), proof)
      const ends = { oldRoot: rootAt(from), newRoot: rootAt(to) }
      assert.isTrue(provesConsistency(hash, { from, to, ...ends, proof: proof.map(unhex) }))
    }
  })
})

describe("the vector of a checkpoint", () => {
  const { note, origin, proof, seed, vkey, witness } = vectors.checkpoint

  it.effect("SYS L1 is what the key signs, and both of its keys open it", () =>
    Effect.gen(function*() {
      const signer = yield* noteSigner(origin, unhex(seed))
      assert.strictEqual(verifierKeyText(signer.key), vkey)
      const text = checkpointText({ origin, size: 300, root: rootOf(leaves) })
      assert.isTrue(note.startsWith(yield* signNote(text, [signer])))
      const opened = yield* openNote(note, [keyOf(vkey), keyOf(witness)])
      assert.strictEqual(opened.text, text)
      assert.deepStrictEqual(opened.signatures.map(({ seconds }) => seconds), [null, 1_760_000_000n])
    }).pipe(Effect.provide(host)))

  it.effect("SYS L1 its proof shows that a leaf is in it", () =>
    Effect.gen(function*() {
      const read = parseTlogProof(proof) ?? assert.fail("no proof")
      const { text } = yield* openNote(read.note, [keyOf(vkey)])
      const { root, size } = parseCheckpoint(text) ?? assert.fail("no checkpoint")
      const [leaf = root] = leaves.slice(read.index)
      assert.isTrue(provesInclusion(hash, { ...read, size, root, leaf }))
      assert.isFalse(provesInclusion(hash, { ...read, index: read.index + 1, size, root, leaf }))
    }).pipe(Effect.provide(host)))

  it("SYS L1 holds as the document has it, followed by hand", () => {
    const [, name = "", id, key = ""] = /^([^+]+)\+([^+]+)\+(.+)$/.exec(vkey) ?? []
    const bytes = Buffer.from(key, "base64")
    const [text = "", lines = ""] = note.split("\n\n").map((part, at) => at === 0 ? `${part}\n` : part)
    assert.strictEqual(bytes[0], 1)
    const idOf = createHash("sha256").update(`${name}\n`).update(bytes).digest("hex").slice(0, 8)
    assert.strictEqual(idOf, id)
    const publicKey = createPublicKey({
      key: { kty: "OKP", crv: "Ed25519", x: bytes.subarray(1).toString("base64url") },
      format: "jwk"
    })
    const [mine = "", other = ""] = lines.split("\n").map((line) => line.split(" ")[2] ?? "")
    const signature = Buffer.from(mine, "base64")
    assert.strictEqual(signature.subarray(0, 4).toString("hex"), id)
    assert.isTrue(verify(null, Buffer.from(text), publicKey, signature.subarray(4)))
    const cosignature = Buffer.from(other, "base64")
    const seconds = cosignature.readBigUInt64BE(4)
    const signed = Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`)
    assert.isTrue(verify(null, signed, publicKey, cosignature.subarray(12)))
    assert.strictEqual(text, `${origin}\n300\n${Buffer.from(rootOf(leaves)).toString("base64")}\n`)
  })

  it("SYS L1 its file names the document and the version that it belongs to", () => {
    const document = readFileSync(join(import.meta.dirname, "../../..", vectors.specification), "utf8")
    assert.include(document, `This is version ${vectors.version} of the format.`)
  })
})
