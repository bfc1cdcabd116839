/**
 * The worker that presses: a batch comes in, its pressed forms go out in one buffer. It overwrites the evidence it was given.
 */
import { parentPort } from "node:worker_threads"
import type { Batch, Pressed } from "./PressPool.ts"
import { presses } from "./ZlibCodecs.ts"

parentPort?.on("message", ({ bytes, codecs, id, lengths }: Batch) => {
  const forms: Array<Uint8Array | null> = []
  let at = 0
  let total = 0
  for (const [i, length] of lengths.entries()) {
    const form = pressed(codecs[i] ?? "stored", bytes.subarray(at, at + length))
    forms.push(form)
    at += length
    total += form?.length ?? 0
  }
  const all = new Uint8Array(total)
  const sizes = new Int32Array(forms.length)
  let to = 0
  for (const [i, form] of forms.entries()) {
    sizes[i] = form === null ? -1 : form.length
    if (form === null) continue
    all.set(form, to)
    to += form.length
  }
  bytes.fill(0)
  const answer: Pressed = { id, bytes: all, sizes }
  parentPort?.postMessage(answer, [all.buffer, sizes.buffer])
})

/** Null where zlib fails: the evidence is then the main thread's to press. */
const pressed = (codec: string, bytes: Uint8Array): Uint8Array | null => {
  try {
    return presses[codec]?.(bytes) ?? null
  } catch {
    return null
  }
}
