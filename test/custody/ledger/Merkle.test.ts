import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fromBase64 } from "../../../src/custody/ledger/Base64.ts"
import { provesConsistency, provesInclusion } from "../../../src/custody/ledger/Merkle.ts"
import { consistencyProof, inclusionProof, rootOfTree, type StoredTree } from "../../../src/custody/ledger/Proofs.ts"
import { tilePath } from "../../../src/custody/ledger/Tiles.ts"
import { needsSharedData } from "../../support/sharedData.ts"
import { hash } from "../audit/entries.ts"
import { leafOf, pathOf, proofOf, rootOf } from "./reference.ts"
import { type Grown, grown } from "./trees.ts"

const leaves = Array.from({ length: 600 }, (_, i) => leafOf(`entry ${i}`))
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const hexes = (all: ReadonlyArray<Uint8Array>): ReadonlyArray<string> => all.map(hex)

const storedTree = ({ tiles, tree }: Grown, reads: Array<string> = []): StoredTree<never> => ({
  hash,
  size: tree.size,
  readTile: (place) =>
    Effect.sync(() => {
      reads.push(tilePath(place))
      return tiles.get(tilePath(place)) ?? assert.fail(`no tile ${tilePath(place)}`)
    })
})

const data = needsSharedData("vectors/merkle")
const linesOf = (name: string): ReadonlyArray<unknown> =>
  readFileSync(join(data ?? "", `${name}.jsonl`), "utf8").trim().split("\n").map((line) => JSON.parse(line) as unknown)

/** What is no base64 there is no hash here either. */
const bytesOf = (text: string | null): Uint8Array => fromBase64(text ?? "") ?? new Uint8Array(0)

interface InclusionVector {
  readonly file: string
  readonly leafIdx: number
  readonly treeSize: number
  readonly root: string
  readonly leafHash: string
  readonly proof: ReadonlyArray<string> | null
  readonly wantErr: boolean
}

interface ConsistencyVector {
  readonly file: string
  readonly size1: number
  readonly size2: number
  readonly root1: string
  readonly root2: string
  readonly proof: ReadonlyArray<string> | null
  readonly wantErr: boolean
}

describe("proofs of RFC 6962", () => {
  it.skipIf(data === undefined)("SYS L1 gives the answers of transparency-dev's vectors", () => {
    const inclusion = linesOf("inclusion") as ReadonlyArray<InclusionVector>
    const consistency = linesOf("consistency") as ReadonlyArray<ConsistencyVector>
    assert.deepStrictEqual([inclusion.length, consistency.length], [49, 49])
    for (const { file, leafHash, leafIdx, proof, root, treeSize, wantErr } of inclusion) {
      const holds = provesInclusion(hash, {
        index: leafIdx,
        size: treeSize,
        leaf: bytesOf(leafHash),
        root: bytesOf(root),
        proof: (proof ?? []).map(bytesOf)
      })
      assert.strictEqual(holds, !wantErr, `inclusion/${file}`)
    }
    for (const { file, proof, root1, root2, size1, size2, wantErr } of consistency) {
      const holds = provesConsistency(hash, {
        from: size1,
        to: size2,
        oldRoot: bytesOf(root1),
        newRoot: bytesOf(root2),
        proof: (proof ?? []).map(bytesOf)
      })
      assert.strictEqual(holds, !wantErr, `consistency/${file}`)
    }
  })

  it.effect("SYS L1 makes the RFC's inclusion proof of every leaf of every small tree, and each holds", () =>
    Effect.gen(function*() {
      for (let size = 1; size <= 36; size++) {
        const some = leaves.slice(0, size)
        const tree = storedTree(grown(some))
        const root = rootOf(some)
        for (const [index, leaf] of some.entries()) {
          const proof = yield* inclusionProof(tree, index)
          assert.deepStrictEqual(hexes(proof), hexes(pathOf(index, some)))
          assert.isTrue(provesInclusion(hash, { index, size, leaf, root, proof }))
          assert.isFalse(provesInclusion(hash, { index: (index + 1) % size, size, leaf, root, proof }) && size > 1)
          assert.isFalse(provesInclusion(hash, { index, size, leaf: leafOf("another"), root, proof }))
          assert.isFalse(provesInclusion(hash, { index, size, leaf, root, proof: [...proof, leaf] }))
          assert.isFalse(provesInclusion(hash, { index, size, leaf, root, proof: proof.slice(1) }) && proof.length > 0)
        }
      }
    }))

  it.effect("SYS L1 makes the RFC's consistency proof between any two sizes of a small tree, and each holds", () =>
    Effect.gen(function*() {
      for (let to = 1; to <= 36; to++) {
        const tree = storedTree(grown(leaves.slice(0, to)))
        const newRoot = rootOf(leaves.slice(0, to))
        for (let from = 1; from <= to; from++) {
          const oldRoot = rootOf(leaves.slice(0, from))
          const proof = yield* consistencyProof(tree, from)
          assert.deepStrictEqual(hexes(proof), hexes(proofOf(from, leaves.slice(0, to))))
          assert.isTrue(provesConsistency(hash, { from, to, oldRoot, newRoot, proof }))
          const forked = rootOf([...leaves.slice(0, from - 1), leafOf("another")])
          assert.isFalse(provesConsistency(hash, { from, to, oldRoot: forked, newRoot, proof }))
          assert.isFalse(provesConsistency(hash, { from, to, oldRoot, newRoot: forked, proof }))
          assert.isFalse(provesConsistency(hash, { from, to, oldRoot, newRoot, proof: [...proof, newRoot] }))
        }
      }
    }))

  it.effect("SYS L1 makes proofs and roots across tiles, and reads each tile once", () =>
    Effect.gen(function*() {
      const all = Array.from({ length: 66_000 }, (_, i) => leafOf(String(i)))
      const given = grown(all)
      const reads: Array<string> = []
      const tree = storedTree(given, reads)
      const root = yield* rootOfTree(tree)
      assert.strictEqual(hex(root), hex(given.tree.root()))
      for (const index of [0, 255, 256, 65_535, 65_536, 65_999]) {
        reads.length = 0
        const proof = yield* inclusionProof(tree, index)
        const [leaf = root] = all.slice(index)
        assert.isTrue(provesInclusion(hash, { index, size: tree.size, leaf, root, proof }))
        assert.strictEqual(new Set(reads).size, reads.length)
        assert.isAtMost(reads.length, 6)
      }
      for (const from of [300, 65_537]) {
        const oldRoot = yield* rootOfTree(storedTree(grown(all.slice(0, from))))
        const proof = yield* consistencyProof(tree, from)
        assert.isTrue(provesConsistency(hash, { from, to: tree.size, oldRoot, newRoot: root, proof }))
      }
    }))

  it.effect("SYS L1 says why there is no proof", () =>
    Effect.gen(function*() {
      const tree = storedTree(grown(leaves.slice(0, 5)))
      for (const index of [-1, 5, 1.5, Number.NaN])
        assert.strictEqual((yield* Effect.flip(inclusionProof(tree, index))).reason, "range")
      for (const from of [0, 6, 0.5])
        assert.strictEqual((yield* Effect.flip(consistencyProof(tree, from))).reason, "range")
      const short = {
        ...tree,
        readTile: () => Effect.succeed(new Uint8Array(4 * 32))
      }
      assert.strictEqual((yield* Effect.flip(inclusionProof(short, 0))).reason, "tile")
      assert.strictEqual(hex(yield* rootOfTree({ ...tree, size: 0 })), hex(rootOf([])))
    }))

  it("SYS L1 refuses what are no hashes and no counts, and throws for none", () => {
    const [leaf = new Uint8Array(32), other = leaf] = leaves
    const root = rootOf([leaf, other])
    const holds = { index: 0, size: 2, leaf, root, proof: [other] }
    assert.isTrue(provesInclusion(hash, holds))
    const short = leaf.subarray(1)
    for (const wrong of [{ index: 2 ** 64 - 1 }, { size: Infinity }, { size: 0 }, { index: -1 }, { leaf: short }])
      assert.isFalse(provesInclusion(hash, { ...holds, ...wrong }))
    assert.isFalse(provesInclusion(hash, { ...holds, proof: [short] }))
    assert.isFalse(provesInclusion(hash, { ...holds, root: short }))
    const grows = { from: 1, to: 2, oldRoot: leaf, newRoot: root, proof: [other] }
    assert.isTrue(provesConsistency(hash, grows))
    for (
      const wrong of [{ from: 0 }, { from: 3 }, { to: 1.5 }, { oldRoot: short }, { newRoot: short }, { proof: [short] }]
    )
      assert.isFalse(provesConsistency(hash, { ...grows, ...wrong }))
  })
})
