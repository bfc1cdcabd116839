/**
 * Wraps node:zlib's inflater (RFC 1951, no frame around it), which pushes its output, as one that
 * its caller pulls from.
 *
 * Promises to inflate no further ahead than zlib's own output buffer and what a Node stream keeps
 * waiting, about 128 KiB, however much there is inside a piece; and to call nobody back once it is
 * closed.
 *
 * **Gotchas**
 *
 * - When zlib finds damage, it loses what it had inflated in that same call. A caller that must not
 *   lose it gives small pieces.
 * - zlib notices the end of a deflate stream only when it is given one byte more. A piece that ends
 *   exactly there is `used`, and the next one is `ended` with nothing consumed.
 */
import * as Effect from "effect/Effect"
import * as zlib from "node:zlib"

/**
 * How inflating a piece ended: `used`, it was consumed whole; `ended`, the deflate stream ended in
 * it; `damaged`, it is not deflate.
 */
export type InflateStep = "used" | "ended" | "damaged"

export interface RawInflater {
  /** Takes a piece, which must stay as it is until `next` has given its step. One at a time. */
  readonly give: (piece: Uint8Array) => void
  /**
   * The next output of the piece or, after all of it, the piece's step. Can be interrupted and run
   * again.
   */
  readonly next: Effect.Effect<Uint8Array | InflateStep>
  /** Bytes of all pieces that were part of the deflate stream. Not known once it is damaged. */
  readonly consumed: () => number
  /** Frees zlib's memory. May be called twice. */
  readonly close: () => void
}

const outputBytes = 65_536

/** An inflater at the start of a stream. Its owner closes it. */
export const makeUnsafe = (): RawInflater => {
  const engine = zlib.createInflateRaw({ chunkSize: outputBytes })
  let written = true
  let ended = false
  let damaged = false
  let wake: (() => void) | undefined
  const changed = (): void => wake?.()

  const poll = (): Uint8Array | InflateStep | undefined => {
    const bytes: unknown = engine.read()
    if (bytes instanceof Uint8Array) return bytes
    if (damaged) return "damaged"
    if (ended) return "ended"
    return written ? "used" : undefined
  }

  engine.on("readable", changed)
  engine.on("end", () => {
    ended = true
    changed()
  })
  engine.on("error", () => {
    damaged = true
    changed()
  })

  return {
    give: (piece) => {
      written = false
      // Where the deflate stream ends within the piece, this comes only after the end.
      engine.write(piece, () => {
        written = true
        changed()
      })
    },
    next: Effect.suspend(() => {
      const seen = poll()
      if (seen !== undefined) return Effect.succeed(seen)
      return Effect.callback<Uint8Array | InflateStep>((resume) => {
        const stop = (): void => {
          wake = undefined
        }
        wake = () => {
          const found = poll()
          if (found === undefined) return
          stop()
          resume(Effect.succeed(found))
        }
        return Effect.sync(stop)
      })
    }),
    consumed: () => engine.bytesWritten,
    close: () => {
      engine.destroy()
    }
  }
}
