import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import { provesInclusion } from "../../../src/custody/ledger/Merkle.ts"
import { inclusionProof } from "../../../src/custody/ledger/Proofs.ts"
import { publishLedger } from "../../../src/custody/ledger/Published.ts"
import { tilesOverRows } from "../../../src/custody/ledger/StoredTiles.ts"
import { decodeBundle, tilePath, tilesOf } from "../../../src/custody/ledger/Tiles.ts"
import { hash } from "../audit/entries.ts"
import { checkpointOf, readerOf, rowsOf } from "./ledgers.ts"
import { type Files, filesOf, isFound, signer, stranger, verifyFiles } from "./published.ts"
import { leafOf } from "./reference.ts"
import { grown } from "./trees.ts"

const changed = (files: Files, path: string, bytes: Uint8Array | null): Files => {
  const copy = new Map(files)
  if (bytes === null) copy.delete(path)
  else copy.set(path, bytes)
  return copy
}

const flipped = (bytes: Uint8Array, at: number, bit: number): Uint8Array =>
  bytes.map((byte, place) => place === at ? byte ^ (1 << bit) : byte)

describe("a published ledger", () => {
  it("SYS L8 has the layout of tlog-tiles, and holds", () => {
    for (const size of [0, 1, 255, 256, 257, 600]) {
      const rows = rowsOf(size, "é")
      const files = filesOf(rows)
      const tiles = [...tilesOf(size)].map(tilePath)
      const bundles = [...tilesOf(size)].filter(({ level }) => level === 0)
        .map((tile) => tilePath(tile).replace("tile/0/", "tile/entries/"))
      assert.sameMembers([...files.keys()], ["checkpoint", ...tiles, ...bundles])
      const texts = bundles.flatMap((path) => decodeBundle(files.get(path) ?? new Uint8Array()) ?? [])
      assert.deepStrictEqual(texts.map((text) => new TextDecoder().decode(text)), rows.map(({ body }) => body))
      const report = verifyFiles(files)
      assert.deepStrictEqual([report?.finding, report?.entries, report?.signed], [null, size, size])
    }
  })

  it("SYS L8 has what the checkpoint signs, and nothing behind it", () => {
    const rows = rowsOf(300)
    assert.strictEqual(verifyFiles(filesOf(rows, 260))?.entries, 260)
  })

  it("is not published where its entries are not those that the checkpoint signs", () => {
    const rows = rowsOf(300, "mine")
    const written: Array<string> = []
    const publish = (given: typeof rows, note: string) =>
      Effect.runSync(Effect.result(publishLedger({
        hash,
        note,
        reader: readerOf({ rows: given, checkpoints: [] }),
        write: (path) => Effect.sync(() => void written.push(path))
      })))
    const { note } = Effect.runSync(checkpointOf(signer, rows, 300))
    for (const given of [rowsOf(300, "other"), rows.slice(0, 299), rows.filter((_, at) => at !== 7), []])
      assert.isTrue(Result.isFailure(publish(given, note)))
    assert.isTrue(Result.isFailure(publish(rows, "no note")))
    assert.notInclude(written, "checkpoint")
  })

  it("SYS L8 finds a changed, missing or lengthened file, and a bundle without its end", () => {
    const files = filesOf(rowsOf(520, "x"))
    for (const [path, bytes] of files) {
      if (path !== "checkpoint") assert.isTrue(isFound(changed(files, path, null)), path)
      assert.isTrue(isFound(changed(files, path, bytes.slice(0, -1))), path)
      assert.isTrue(isFound(changed(files, path, Uint8Array.of(...bytes, 0))), path)
      assert.isTrue(isFound(changed(files, path, Uint8Array.of(...bytes, 0, 1, 65))), path)
      assert.isTrue(isFound(changed(files, path, flipped(bytes, bytes.length >> 1, 3))), path)
    }
    assert.isTrue(isFound(filesOf(rowsOf(520, "x"), 520, stranger)))
  })

  it("SYS L8 finds each bit that is flipped in any byte of any file", () => {
    const files = filesOf(rowsOf(3, "é"))
    for (const [path, bytes] of files) {
      for (let at = 0; at < bytes.length; at++) {
        const where = `${path} byte ${at}`
        assert.isTrue(isFound(changed(files, path, flipped(bytes, at, at % 8))), where)
      }
    }
  })

  it("proves from full tiles and rows alone what it proves from all tiles", () => {
    const rows = rowsOf(700)
    const { tiles, tree } = grown(rows.map(({ body }) => leafOf(body)))
    const readTile = tilesOverRows(
      hash,
      readerOf({ rows, checkpoints: [] }),
      (level, number) => Effect.succeed(tiles.get(tilePath({ level, number, width: 256 })) ?? null)
    )
    for (const index of [0, 255, 256, 511, 512, 699]) {
      const proof = Effect.runSync(inclusionProof({ hash, size: 700, readTile }, index))
      const leaf = leafOf(rows[index]?.body ?? "")
      assert.isTrue(provesInclusion(hash, { index, size: 700, root: tree.root(), leaf, proof }))
    }
    const bare = tilesOverRows(hash, readerOf({ rows, checkpoints: [] }), () => Effect.succeed(null))
    assert.isTrue(
      Result.isFailure(Effect.runSync(Effect.result(inclusionProof({ hash, size: 700, readTile: bare }, 0))))
    )
  })
})
