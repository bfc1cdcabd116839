/**
 * The program of the compression worker. It compresses a batch that lies in shared memory, and
 * answers with the compressed forms, one after another in one array. It keeps nothing; the main
 * thread, which owns the memory, overwrites the evidence.
 */
import { parentPort } from "node:worker_threads"
import type { Answer, Order } from "./CompressionBatch.ts"
import { type Compressor, compressors } from "./ZlibCodecs.ts"

parentPort?.on("message", ({ bytes, codec, count, id, lengths }: Order) => {
  const compressor = compressors[codec]
  const forms: Array<Uint8Array> = []
  let at = 0
  let total = 0
  for (let i = 0; i < count; i++) {
    const length = lengths[i] ?? 0
    const form = compressor === undefined ? undefined : compressed(compressor, bytes.subarray(at, at + length))
    at += length
    lengths[i] = form?.length ?? -1
    if (form === undefined) continue
    forms.push(form)
    total += form.length
  }
  const all = new Uint8Array(total)
  let to = 0
  for (const form of forms) {
    all.set(form, to)
    to += form.length
  }
  const answer: Answer = { id, forms: all }
  parentPort?.postMessage(answer, [all.buffer])
})

/** Undefined where zlib fails: the main thread then compresses it again, and learns why. */
const compressed = (compressor: Compressor, bytes: Uint8Array): Uint8Array | undefined => {
  try {
    return compressor.now(bytes)
  } catch {
    return undefined
  }
}
