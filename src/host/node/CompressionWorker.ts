/**
 * The worker that presses: it is told of a batch in shared memory, and answers with the pressed
 * forms, one after another in one array. It keeps nothing; the evidence is overwritten by the main
 * thread, whose memory it is.
 */
import { parentPort } from "node:worker_threads"
import type { Answer, Order } from "./CompressionBatch.ts"
import { type Press, presses } from "./ZlibCodecs.ts"

parentPort?.on("message", ({ bytes, codec, count, id, lengths }: Order) => {
  const press = presses[codec]
  const forms: Array<Uint8Array> = []
  let at = 0
  let total = 0
  for (let i = 0; i < count; i++) {
    const length = lengths[i] ?? 0
    const form = press === undefined ? undefined : pressed(press, bytes.subarray(at, at + length))
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

/** Undefined where zlib fails: the main thread then finds out why. */
const pressed = (press: Press, bytes: Uint8Array): Uint8Array | undefined => {
  try {
    return press.now(bytes)
  } catch {
    return undefined
  }
}
