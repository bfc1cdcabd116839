/**
 * Inflate by node:zlib, most of it on libuv's thread pool: about 7 ms for a megabyte that comes
 * out.
 *
 * **Details**
 *
 * It uses node:zlib's bare inflater and reads the frames itself (`GzipFrame.ts`), because Node's
 * own gunzip silently drops everything after zeros that follow a member, even a further member.
 * Each member's deflate stream is inflated twice, so that damage costs no output
 * (`DeflateBody.ts`).
 *
 * **Gotchas**
 *
 * - Damage is noticed where zlib stumbles over it, or at the member's CRC. What a changed byte
 *   inflated to before that comes out as if it were right.
 * - A member that is small and lies whole in a chunk of the input is inflated at once
 *   (`SmallBody.ts`). Any other opens two inflaters, about 0.4 ms however little is in it.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { GzipError, Inflate } from "../port/Inflate.ts"
import { DeflateBody } from "./DeflateBody.ts"
import { type FramePart, header, trailer } from "./GzipFrame.ts"
import * as SmallBody from "./SmallBody.ts"

/** Bytes of input that the scout takes at a time: the most that is ever read byte by byte. */
const pieceBytes = 16_384

const truncated = () => new GzipError({ reason: "truncated", message: "the gzip stream ends before its end" })
const corrupt = () => new GzipError({ reason: "corrupt", message: "the gzip stream is damaged" })
const garbage = () =>
  new GzipError({ reason: "garbage", message: "something that is not gzip follows the end of the gzip stream" })

type Upstream<E, R> = Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>, E, void, R>

/** The input of a gzip stream, of which it holds one array of chunks at a time. */
class Input<E, R> {
  /** The rest of the chunk at hand. */
  bytes: Uint8Array = new Uint8Array(0)
  #chunks: ReadonlyArray<Uint8Array> = []
  #at = 0
  readonly #upstream: Upstream<E, R>

  constructor(upstream: Upstream<E, R>) {
    this.#upstream = upstream
  }

  /** Drops bytes from the beginning of `bytes`. */
  skip(count: number): void {
    this.bytes = this.bytes.subarray(count)
  }

  /** Takes more input where `bytes` is empty; false at the end of the input. */
  readonly refill = Effect.suspend(() => {
    const upstream = this.#upstream
    const filled = Effect.gen({ self: this }, function*() {
      while (this.bytes.length === 0) {
        if (this.#at === this.#chunks.length) {
          this.#chunks = yield* upstream
          this.#at = 0
        }
        this.bytes = this.#chunks[this.#at++] ?? this.bytes
      }
      return true
    })
    return Pull.catchDone(filled, () => Effect.succeed(false))
  })
}

/** The part of the gzip stream that the next byte of input, or the next output, belongs to. */
type Position =
  | { readonly _tag: "Header"; readonly read: FramePart }
  /** Before the first byte of a member's deflate stream. */
  | { readonly _tag: "Start" }
  | { readonly _tag: "Body"; readonly body: DeflateBody }
  /** The reader inflates a piece that the scout came through; `isLast`: the stream ends with it. */
  | { readonly _tag: "Reading"; readonly body: DeflateBody; readonly isLast: boolean }
  /**
   * The reader inflates the first byte of `left`, the rest of a piece that the scout found damaged.
   */
  | { readonly _tag: "Salvage"; readonly body: DeflateBody; readonly left: Uint8Array }
  | { readonly _tag: "Trailer"; readonly read: FramePart }
  /** After a member, where zeros may stand. */
  | { readonly _tag: "Padding" }

/** One gzip stream. Its owner closes it, at whatever position it is. */
class Gunzip<E, R> {
  readonly #input: Input<E, R>
  #position: Position = { _tag: "Header", read: header() }
  /** Whether a whole member has come before. */
  #isFurther = false

  constructor(upstream: Upstream<E, R>) {
    this.#input = new Input(upstream)
  }

  /** The next output; done at the end of a whole stream. */
  readonly pull: Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>, E | GzipError, void, R> = Effect.suspend(() =>
    Effect.gen({ self: this }, function*() {
      for (;;) {
        const position = this.#position
        if (position._tag === "Start") {
          if (!(yield* this.#input.refill)) return yield* truncated()
          const bytes = this.#takeSmall()
          if (bytes.length > 0) return Arr.of(bytes)
        } else if (position._tag === "Reading" || position._tag === "Salvage") {
          const next = yield* position.body.read
          if (typeof next !== "string") return Arr.of(next)
          if (next === "damaged") return yield* corrupt()
          if (position._tag === "Reading") this.#leavePiece(position.body, position.isLast)
          else if (position.left.length > 1) this.#salvage(position.body, position.left.subarray(1))
          else return yield* corrupt()
        } else if (yield* this.#input.refill) yield* this.#advance(position)
        else return yield* position._tag === "Padding" ? Cause.done() : truncated()
      }
    })
  )

  close(): void {
    if ("body" in this.#position) this.#position.body.close()
  }

  /** Consumes input, of which there is some. */
  #advance(
    position: Exclude<Position, { readonly _tag: "Start" | "Reading" | "Salvage" }>
  ): Effect.Effect<void, GzipError> {
    switch (position._tag) {
      case "Body":
        return this.#takePiece(position.body)
      case "Padding":
        return Effect.sync(() => this.#takePadding())
      default:
        return this.#takeFrame(position)
    }
  }

  #takeFrame({ _tag, read }: Extract<Position, { readonly read: FramePart }>): Effect.Effect<void, GzipError> {
    const end = read(this.#input.bytes)
    this.#input.skip(end?.consumed ?? this.#input.bytes.length)
    if (end === undefined) return Effect.void
    if (end.mistake !== undefined)
      return Effect.fail(end.mistake === "foreign" && this.#isFurther ? garbage() : corrupt())
    if (_tag === "Header") this.#position = { _tag: "Start" }
    else {
      this.#isFurther = true
      this.#position = { _tag: "Padding" }
    }
    return Effect.void
  }

  /** The output of a small member, or nothing: then it is empty, or it is to be taken by pieces. */
  #takeSmall(): Uint8Array {
    const small = SmallBody.inflate(this.#input.bytes)
    if (small === undefined) {
      this.#position = { _tag: "Body", body: new DeflateBody() }
      return new Uint8Array(0)
    }
    this.#input.skip(small.consumed)
    this.#position = { _tag: "Trailer", read: trailer(small.crc, small.bytes.length) }
    return small.bytes
  }

  #takePiece(body: DeflateBody): Effect.Effect<void> {
    const piece = this.#input.bytes.subarray(0, pieceBytes)
    return Effect.map(body.scout(piece), ({ passed, step }) => {
      if (step === "damaged") {
        this.#salvage(body, piece)
        return
      }
      this.#input.skip(passed)
      const isLast = step === "ended"
      if (passed === 0) {
        this.#leavePiece(body, isLast)
        return
      }
      body.give(piece.subarray(0, passed))
      this.#position = { _tag: "Reading", body, isLast }
    })
  }

  #leavePiece(body: DeflateBody, isLast: boolean): void {
    if (!isLast) {
      this.#position = { _tag: "Body", body }
      return
    }
    body.close()
    this.#position = { _tag: "Trailer", read: trailer(body.crc, body.size) }
  }

  #salvage(body: DeflateBody, left: Uint8Array): void {
    body.give(left.subarray(0, 1))
    this.#position = { _tag: "Salvage", body, left }
  }

  #takePadding(): void {
    const end = this.#input.bytes.findIndex((byte) => byte !== 0)
    if (end >= 0) this.#position = { _tag: "Header", read: header() }
    this.#input.skip(end >= 0 ? end : this.#input.bytes.length)
  }
}

const gunzip = <E, R>(stream: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Uint8Array, E | GzipError, R> =>
  Stream.transformPullBracket(stream, (upstream, _, scope) => {
    const gunzip = new Gunzip(upstream)
    return Effect.as(Scope.addFinalizer(scope, Effect.sync(() => gunzip.close())), gunzip.pull)
  })

/** The Node implementation of `Inflate`. */
export const layer: Layer.Layer<Inflate> = Layer.succeed(Inflate, { gunzip })
