import { assert, describe, it } from "@effect/vitest"
import {
  bundlePath,
  decodeBundle,
  encodeBundle,
  tilePath,
  type TilePlace,
  tilesOf
} from "../../../src/custody/ledger/Tiles.ts"
import { rootOfTile, Tree } from "../../../src/custody/ledger/Tree.ts"
import { hash } from "../audit/entries.ts"
import { leafOf, rootOf } from "./reference.ts"
import { grown } from "./trees.ts"

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")
const leaves = Array.from({ length: 66_500 }, (_, i) => leafOf(`entry ${i}`))

describe("a tree that grows", () => {
  it("SYS L1 has the RFC's root at every size", () => {
    const tree = new Tree(hash)
    assert.strictEqual(hex(tree.root()), hex(rootOf([])))
    for (const [at, leaf] of leaves.slice(0, 300).entries()) {
      tree.append(leaf)
      assert.strictEqual(tree.size, at + 1)
      assert.strictEqual(hex(tree.root()), hex(rootOf(leaves.slice(0, at + 1))))
    }
  })

  it("SYS L1 gives each full tile once, with the nodes of its level, and keeps those at the edge", () => {
    const { tiles, tree } = grown(leaves)
    assert.deepStrictEqual([...tiles.keys()].toSorted(), [...tilesOf(leaves.length)].map(tilePath).toSorted())
    const joined = (some: ReadonlyArray<Uint8Array>): string => some.map(hex).join("")
    assert.strictEqual(hex(tiles.get("tile/0/000") ?? leaves[0]!), joined(leaves.slice(0, 256)))
    assert.strictEqual(hex(tiles.get("tile/0/259.p/196") ?? leaves[0]!), joined(leaves.slice(66_304)))
    const bundles = Array.from({ length: 259 }, (_, i) => rootOf(leaves.slice(256 * i, 256 * (i + 1))))
    assert.strictEqual(
      hex(tree.root()),
      hex(
        rootOf([
          rootOf(bundles.slice(0, 256)),
          rootOf([rootOf(bundles.slice(256, 258)), rootOf([bundles[258]!, rootOf(leaves.slice(66_304))])])
        ])
      )
    )
    assert.strictEqual(hex(tiles.get("tile/1/000") ?? leaves[0]!), joined(bundles.slice(0, 256)))
    assert.strictEqual(hex(tiles.get("tile/2/000.p/1") ?? leaves[0]!), hex(rootOf(bundles.slice(0, 256))))
    assert.strictEqual(hex(rootOfTile(hash, tiles.get("tile/0/000") ?? leaves[0]!)), hex(bundles[0]!))
  })

  it("SYS L1 goes on from its unfinished tiles as if it had never stopped", () => {
    for (const size of [0, 1, 2, 255, 256, 257, 511, 700, 65_535, 65_536]) {
      const before = grown(leaves.slice(0, size))
      const edge = new Map(before.tree.unfinished().map(([place, hashes]) => [tilePath(place), hashes]))
      const tree = Tree.resume(hash, size, (place) => edge.get(tilePath(place)) ?? assert.fail(tilePath(place)))
      assert.strictEqual(tree.size, size)
      assert.strictEqual(hex(tree.root()), hex(before.tree.root()))
      const given: Array<string> = []
      for (const leaf of leaves.slice(size, size + 300)) tree.append(leaf, (place) => given.push(tilePath(place)))
      const after = grown(leaves.slice(0, Math.min(size + 300, leaves.length)))
      assert.strictEqual(hex(tree.root()), hex(after.tree.root()))
      assert.deepStrictEqual(tree.unfinished(), after.tree.unfinished())
      const full = [...tilesOf(tree.size, size)].filter(({ width }) => width === 256).map(tilePath)
      assert.deepStrictEqual(given.toSorted(), full.toSorted())
    }
  })

  it("SYS L1 refuses an unfinished tile with too few hashes", () => {
    assert.throws(() => Tree.resume(hash, 3, () => new Uint8Array(64)), RangeError)
    assert.throws(() => rootOfTile(hash, new Uint8Array(32)), RangeError)
  })

  it("SYS L1 hashes each node once, and nothing twice", () => {
    let hashes = 0
    const tree = new Tree({
      sha256Into: (bytes, target) => {
        hashes += 1
        hash.sha256Into(bytes, target)
      }
    })
    for (const leaf of leaves.slice(0, 65_536)) tree.append(leaf)
    assert.strictEqual(hashes, 65_535)
  })

  it("SYS L1 its root is a copy: it stays what it was when the tree grows", () => {
    const tree = new Tree(hash)
    tree.append(leafOf("a"))
    const root = tree.root()
    const peaks = tree.peaks()
    const before = hex(root)
    for (const leaf of leaves.slice(0, 600)) tree.append(leaf)
    assert.strictEqual(hex(root), before)
    assert.deepStrictEqual(peaks.map(hex), [before])
  })
})

describe("tiles and bundles as files", () => {
  const tile = (level: number, number: number, width = 256): TilePlace => ({ level, number, width })

  it("SYS L1 have the paths of C2SP tlog-tiles", () => {
    assert.strictEqual(tilePath(tile(0, 0)), "tile/0/000")
    assert.strictEqual(tilePath(tile(0, 273, 112)), "tile/0/273.p/112")
    assert.strictEqual(tilePath(tile(1, 1, 17)), "tile/1/001.p/17")
    assert.strictEqual(tilePath(tile(2, 0, 1)), "tile/2/000.p/1")
    assert.strictEqual(tilePath(tile(0, 1_234_067)), "tile/0/x001/x234/067")
    assert.strictEqual(tilePath(tile(3, 1_000)), "tile/3/x001/000")
    assert.strictEqual(bundlePath(273, 112), "tile/entries/273.p/112")
    assert.strictEqual(bundlePath(1_234_067, 256), "tile/entries/x001/x234/067")
  })

  it("SYS L1 of 70,000 leaves are those that the specification lists", () => {
    const paths = [...tilesOf(70_000)].map(tilePath)
    assert.lengthOf(paths, 274 + 2 + 1)
    assert.includeMembers(paths, ["tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"])
    assert.deepStrictEqual([...tilesOf(70_000, 69_999)].map(tilePath), ["tile/0/273.p/112"])
    assert.deepStrictEqual([...tilesOf(512, 511)].map(tilePath), ["tile/0/001", "tile/1/000.p/2"])
    assert.deepStrictEqual([...tilesOf(70_000, 70_000)], [])
    assert.deepStrictEqual([...tilesOf(0)], [])
  })

  it("SYS L1 a bundle gives its entries again, and refuses what is none", () => {
    const entries = ["", "a", "é".repeat(30_000), "b"].map((text) => new TextEncoder().encode(text))
    const bundle = encodeBundle(entries)
    assert.deepStrictEqual(decodeBundle(bundle)?.map(hex), entries.map(hex))
    assert.deepStrictEqual(decodeBundle(new Uint8Array(0)), [])
    for (const cut of [1, 3, bundle.length - 1]) assert.isNull(decodeBundle(bundle.subarray(0, cut)))
    const one = Uint8Array.of(0, 0)
    assert.lengthOf(decodeBundle(Uint8Array.from({ length: 512 }, () => 0)) ?? [], 256)
    assert.isNull(decodeBundle(Uint8Array.of(...new Uint8Array(512), ...one)))
  })
})
