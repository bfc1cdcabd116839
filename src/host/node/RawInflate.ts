/**
 * node:zlib's inflater (RFC 1951, no frame around it), turned from pushing into being asked.
 *
 * Promises that it inflates no further ahead than zlib's own output buffer and what a Node stream
 * keeps waiting, about 128 KiB, however much there is inside a piece; and that nobody listens to it
 * once it was closed.
 *
 * **Gotchas**
 *
 * - When zlib finds damage, what it had inflated in that same call is lost with it. Whoever must
 *   not lose it hands over small pieces.
 * - zlib notices the end of a deflate stream when it is given a byte more. A piece that ends
 *   exactly there is `used`, and the next one is `ended` with nothing consumed.
 */
import * as Effect from "effect/Effect"
import * as zlib from "node:zlib"

/**
 * What became of a piece: consumed whole, or the deflate stream ended in it, or it is no deflate.
 */
export type Outcome = "used" | "ended" | "damaged"

/** One deflate stream. */
export interface RawInflater {
  /** Hands over a piece, which must stay as it is until its outcome is known. One at a time. */
  readonly give: (piece: Uint8Array) => void
  /**
   * The next bytes that come out of the piece, or, after all of them, its outcome. Can be
   * interrupted and asked again.
   */
  readonly next: Effect.Effect<Uint8Array | Outcome>
  /** Bytes of all pieces that were part of the deflate stream. Not known once it is damaged. */
  readonly consumed: () => number
  /** Lets go of zlib's memory. Can be done twice. */
  readonly close: () => void
}

const outputBytes = 65_536

/** An inflater at the start of a stream. It must be closed. */
export const makeUnsafe = (): RawInflater => {
  const engine = zlib.createInflateRaw({ chunkSize: outputBytes })
  let written = true
  let ended = false
  let damaged = false
  let wake: (() => void) | undefined
  const changed = (): void => wake?.()

  const look = (): Uint8Array | Outcome | undefined => {
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
      const seen = look()
      if (seen !== undefined) return Effect.succeed(seen)
      return Effect.callback<Uint8Array | Outcome>((resume) => {
        const stop = (): void => {
          wake = undefined
        }
        wake = () => {
          const found = look()
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
