/**
 * Inflate by node:zlib, most of it on libuv's thread pool: about 7 ms for a megabyte that comes
 * out.
 *
 * **Details**
 *
 * Of node:zlib it takes the bare inflater, and reads the frames itself (`GzipFrame.ts`): Node's own
 * gunzip silently drops all that follows zeros after a member, a further member too.
 *
 * zlib loses what it had inflated in the call that finds damage. So each member is inflated twice,
 * side by side: a scout takes each piece of input first, and the reader, whose output counts, takes
 * it after the scout came through. Where the scout did not, the reader follows byte by byte. Thus
 * all that the bytes before the damage inflate to comes out.
 *
 * **Gotchas**
 *
 * - Damage is noticed where zlib trips over it, or at the member's CRC. What a changed byte
 *   inflated to before that comes out as if it were whole.
 * - Each member opens two inflaters, about 0.4 ms however little is in it.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as zlib from "node:zlib"
import { GzipError, Inflate } from "../port/Inflate.ts"
import { type FramePart, header, trailer } from "./GzipFrame.ts"
import * as RawInflate from "./RawInflate.ts"

/** How much input the scout is ahead of the reader: what may have to be read byte by byte. */
const pieceBytes = 16_384

const truncated = () => new GzipError({ reason: "truncated", message: "the gzip stream ends before its end" })
const corrupt = () => new GzipError({ reason: "corrupt", message: "the gzip stream is damaged" })
const garbage = () =>
  new GzipError({ reason: "garbage", message: "something that is not gzip follows the end of the gzip stream" })

/** The deflate stream of one member. */
interface Body {
  readonly scout: RawInflate.RawInflater
  readonly reader: RawInflate.RawInflater
  crc: number
  /** Of what came out, modulo 2 to the 32, as the trailer has it. */
  size: number
}

/** What the next byte of input, or the reader's next output, is part of. */
type Place =
  | { readonly _tag: "Frame"; readonly read: FramePart; readonly after: () => Place }
  | { readonly _tag: "Body"; readonly body: Body }
  /** The reader is at work on a piece that the scout came through. */
  | { readonly _tag: "Reading"; readonly body: Body; readonly after: () => Place }
  /** The reader is at work on the first byte of what is left of a piece that broke the scout. */
  | { readonly _tag: "Salvage"; readonly body: Body; readonly left: Uint8Array }
  | { readonly _tag: "Between" }

const openBody = (): Body => ({ scout: RawInflate.makeUnsafe(), reader: RawInflate.makeUnsafe(), crc: 0, size: 0 })

const closeBody = ({ reader, scout }: Body): void => {
  scout.close()
  reader.close()
}

const gunzip = <E, R>(stream: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Uint8Array, E | GzipError, R> =>
  Stream.transformPullBracket(stream, (upstream, _, scope) => {
    let members = 0
    let chunks: ReadonlyArray<Uint8Array> = []
    let at = 0
    let input: Uint8Array = new Uint8Array(0)
    let place: Place

    const start = (): Place => ({ _tag: "Frame", read: header(), after: () => ({ _tag: "Body", body: openBody() }) })
    const finish = (body: Body): Place => {
      closeBody(body)
      return {
        _tag: "Frame",
        read: trailer(body.crc, body.size),
        after: () => {
          members += 1
          return { _tag: "Between" }
        }
      }
    }
    place = start()

    /** Takes more input where there is none, and says whether there is any. */
    const refill = Pull.catchDone(
      Effect.gen(function*() {
        while (input.length === 0) {
          if (at === chunks.length) {
            chunks = yield* upstream
            at = 0
          }
          input = chunks[at++] ?? input
        }
        return true
      }),
      () => Effect.succeed(false)
    )

    const takeFrame = (read: FramePart, after: () => Place): Effect.Effect<void, GzipError> => {
      const end = read(input)
      input = input.subarray(end?.consumed ?? input.length)
      if (end?.mistake !== undefined) {
        return Effect.fail(end.mistake === "foreign" && members > 0 ? garbage() : corrupt())
      }
      if (end !== undefined) place = after()
      return Effect.void
    }

    const takePiece = Effect.fnUntraced(function*(body: Body) {
      const piece = input.subarray(0, pieceBytes)
      const before = body.scout.consumed()
      body.scout.give(piece)
      let outcome = yield* body.scout.next
      while (typeof outcome !== "string") outcome = yield* body.scout.next
      if (outcome === "damaged") {
        body.reader.give(piece.subarray(0, 1))
        place = { _tag: "Salvage", body, left: piece }
        return
      }
      const passed = body.scout.consumed() - before
      input = input.subarray(passed)
      const after = (): Place => outcome === "ended" ? finish(body) : { _tag: "Body", body }
      if (passed === 0) {
        place = after()
        return
      }
      body.reader.give(piece.subarray(0, passed))
      place = { _tag: "Reading", body, after }
    })

    const takePadding = (): void => {
      const end = input.findIndex((byte) => byte !== 0)
      if (end >= 0) place = start()
      input = input.subarray(end >= 0 ? end : input.length)
    }

    /** The reader's next output; undefined once it is through with what it was given. */
    const read = Effect.fnUntraced(function*(body: Body) {
      const next = yield* body.reader.next
      if (typeof next === "string") return next === "damaged" ? yield* corrupt() : undefined
      body.crc = zlib.crc32(next, body.crc)
      body.size = (body.size + next.length) >>> 0
      return next
    })

    const pull = Effect.gen(function*() {
      for (;;) {
        if (place._tag === "Reading") {
          const bytes = yield* read(place.body)
          if (bytes !== undefined) return Arr.of(bytes)
          place = place.after()
          continue
        }
        if (place._tag === "Salvage") {
          const { body, left } = place
          const bytes = yield* read(body)
          if (bytes !== undefined) return Arr.of(bytes)
          if (left.length === 1) return yield* corrupt()
          place = { _tag: "Salvage", body, left: left.subarray(1) }
          body.reader.give(left.subarray(1, 2))
          continue
        }
        if (!(yield* refill)) {
          return yield* place._tag === "Between" ? Cause.done() : truncated()
        }
        if (place._tag === "Frame") yield* takeFrame(place.read, place.after)
        else if (place._tag === "Body") yield* takePiece(place.body)
        else takePadding()
      }
    })

    const close = Effect.sync(() => {
      if ("body" in place) closeBody(place.body)
    })
    return Effect.as(Scope.addFinalizer(scope, close), pull)
  })

/** The Node implementation of `Inflate`. */
export const layer: Layer.Layer<Inflate> = Layer.succeed(Inflate, { gunzip })
