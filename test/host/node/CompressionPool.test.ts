import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"
import * as zlib from "node:zlib"
import { batchBytes, batchItems } from "../../../src/host/node/CompressionBatch.ts"
import { CompressionPool, type PendingCompression } from "../../../src/host/node/CompressionPool.ts"
import { noise } from "../port/contract.ts"

const settled = (compression: PendingCompression): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    compression.onSettled((form) => (form instanceof Error ? reject(form) : resolve(form)))
  })

const contents = (count: number, size: number): ReadonlyArray<Uint8Array> =>
  Array.from({ length: count }, (_, i) => noise(size, i + 1).map((byte) => byte % 5))

/** Compresses all of them and checks that each comes back as its own. */
const checkAll = async (pool: CompressionPool, given: ReadonlyArray<Uint8Array>): Promise<void> => {
  const pending = given.map((content) => pool.compress("gzip", content))
  for (const [i, compression] of pending.entries())
    assert.isTrue(zlib.gunzipSync(await settled(compression)).equals(given[i] ?? new Uint8Array(0)), `item ${i}`)
}

/** A worker that does what this program says. */
const working = (program: string) => () => new Worker(program, { eval: true })

describe("CompressionPool", () => {
  it("RFC E7 compresses many small pieces in few batches, each to its own form", async () => {
    const pool = new CompressionPool()
    await checkAll(pool, contents(1_000, 1_000))
    assert.strictEqual(pool.items, 1_000)
    assert.strictEqual(pool.batches, Math.ceil(1_000 / Math.floor(batchBytes / 1_000)))
    assert.strictEqual(pool.fallbacks, 0)
    assert.strictEqual(pool.pending, 0)
    await pool.close()
  })

  it("RFC E7 compresses empty evidence, evidence larger than a batch, and several codecs side by side", async () => {
    const pool = new CompressionPool()
    const large = noise(3 * batchBytes)
    const pending = [
      pool.compress("gzip", new Uint8Array(0)),
      pool.compress("brotli", noise(1_000)),
      pool.compress("gzip", large),
      pool.compress("zstd", noise(500))
    ]
    const [empty, brotli, gzip, zstd] = await Promise.all(pending.map(settled))
    assert.strictEqual(zlib.gunzipSync(empty ?? assert.fail()).length, 0)
    assert.isTrue(zlib.brotliDecompressSync(brotli ?? assert.fail()).equals(noise(1_000)))
    assert.isTrue(zlib.gunzipSync(gzip ?? assert.fail()).equals(large))
    assert.isTrue(zlib.zstdDecompressSync(zstd ?? assert.fail()).equals(noise(500)))
    assert.strictEqual(pool.batches, 4)
    await pool.close()
  })

  it("RFC E7 small pieces fill a batch by their number", async () => {
    const pool = new CompressionPool()
    await checkAll(pool, contents(2 * batchItems + 1, 3))
    assert.strictEqual(pool.batches, 3)
    assert.strictEqual(pool.fallbacks, 0)
    await pool.close()
  })

  it("RFC E7 a codec without a compressor fails that piece alone", async () => {
    const pool = new CompressionPool()
    const none = pool.compress("lzma", noise(10))
    await checkAll(pool, contents(2, 10))
    let message = ""
    await settled(none).catch((cause: Error) => {
      message = cause.message
    })
    assert.strictEqual(message, "there is no compressor for lzma")
    await pool.close()
  })

  it("RFC E7 loses nothing when the worker dies, and begins a new one", async () => {
    const started: Array<Worker> = []
    // The first worker dies at its first batch; the workers after it work.
    const pool = new CompressionPool(() => {
      const worker = started.length === 0
        ? working("require('node:worker_threads').parentPort.on('message', () => process.exit(3))")()
        : new Worker(new URL("../../../src/host/node/CompressionWorker.ts", import.meta.url))
      started.push(worker)
      return worker
    })
    const given = contents(600, 1_000)
    await checkAll(pool, given)
    // Everything that the first worker was sent: at least a full batch.
    const { fallbacks } = pool
    assert.isAtLeast(fallbacks, Math.floor(batchBytes / 1_000))
    await checkAll(pool, given)
    assert.strictEqual(pool.fallbacks, fallbacks)
    assert.strictEqual(started.length, 2)
    await pool.close()
  })

  const mischief: ReadonlyArray<readonly [name: string, start: () => Worker, fallbacks: number]> = [
    ["cannot be started", () => {
      throw new Error("no threads here")
    }, 5],
    ["throws", working("require('node:worker_threads').parentPort.on('message', () => { throw new Error('no') })"), 5],
    ["is no program", working("}"), 5],
    [
      "says that it could not",
      working(`
      const { parentPort } = require("node:worker_threads")
      parentPort.on("message", ({ id, lengths }) => {
        lengths.fill(-1)
        parentPort.postMessage({ id, forms: new Uint8Array(0) })
      })`),
      5
    ]
  ]
  it.each(mischief)("RFC E7 compresses on the main thread where the worker %s", async (_name, start, fallbacks) => {
    const pool = new CompressionPool(start)
    await checkAll(pool, contents(5, 100))
    assert.strictEqual(pool.fallbacks, fallbacks)
    await pool.close()
  })

  it("RFC R4 closing compresses what is left and ends the worker; what comes after is refused", async () => {
    const pool = new CompressionPool()
    const compression = pool.compress("gzip", noise(100))
    const ended = pool.close()
    assert.isTrue(zlib.gunzipSync(await settled(compression)).equals(noise(100)))
    await ended
    let message = ""
    await settled(pool.compress("gzip", noise(50))).catch((cause: Error) => {
      message = cause.message
    })
    assert.strictEqual(message, "the compression pool is closed")
    assert.strictEqual(pool.pending, 0)
  })

  it("RFC E2 overwrites the evidence when it is compressed", async () => {
    const sent: Array<Uint8Array> = []
    const pool = new CompressionPool(() => {
      const worker = new Worker(new URL("../../../src/host/node/CompressionWorker.ts", import.meta.url))
      const { postMessage } = worker
      worker.postMessage = (batch: { readonly bytes: Uint8Array }) => {
        assert.isTrue(batch.bytes.subarray(0, 150).some((byte) => byte !== 0))
        sent.push(batch.bytes)
        postMessage.call(worker, batch)
      }
      return worker
    })
    await checkAll(pool, contents(3, 50))
    assert.deepStrictEqual(sent.map((bytes) => bytes.some((byte) => byte !== 0)), [false])
    await pool.close()
  })

  it("RFC R4 keeps a process alive while it compresses, and not a moment longer", () => {
    const pool = fileURLToPath(new URL("../../../src/host/node/CompressionPool.ts", import.meta.url))
    const program = `
      import { CompressionPool } from ${JSON.stringify(pool)}
      const pool = new CompressionPool()
      pool.compress("gzip", new Uint8Array(1000)).onSettled(() => console.log("compressed"))
      process.on("exit", () => console.log(pool.fallbacks))`
    const { status, stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      encoding: "utf8",
      timeout: 20_000
    })
    assert.strictEqual(stdout, "compressed\n0\n")
    assert.strictEqual(status, 0)
  })
})
