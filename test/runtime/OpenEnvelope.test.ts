/** Opening an envelope in slices: the same answers, and a turn for others however much is in it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { randomFillSync } from "node:crypto"
import { EnvelopeError, openEnvelope, openEnvelopeEffect } from "tracehound"
import { seal } from "../../src/custody/evidence/Envelope.ts"
import { codecs } from "../../src/domain/Codec.ts"
import {
  anyEvidence,
  byHand,
  compress,
  fitted,
  gzip,
  hash,
  outcome,
  unbase64,
  vectors
} from "../custody/evidence/envelopes.ts"
import { evidence } from "../domain/samples.ts"
import { random, Seed } from "../support/random.ts"

/** Why it was refused, or "opened". */
const outcomeOf = (envelope: Uint8Array, limit?: number) =>
  Effect.match(openEnvelopeEffect(envelope, limit), { onFailure: ({ reason }) => reason, onSuccess: () => "opened" })

const flip = (bytes: Uint8Array, below: (bound: number) => number): void => {
  const at = below(bytes.length)
  bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8))
}

describe("openEnvelopeEffect", () => {
  it.effect("RFC E6 opens and refuses what openEnvelope does, of all vectors", () =>
    Effect.gen(function*() {
      for (const { envelope, limit, name } of [...vectors.good, ...vectors.bad]) {
        const bytes = unbase64(envelope)
        assert.strictEqual(yield* outcomeOf(bytes, limit), outcome(() => openEnvelope(bytes, limit)), name)
      }
      for (const { envelope, limit } of vectors.good) {
        const bytes = unbase64(envelope)
        assert.deepStrictEqual(yield* openEnvelopeEffect(bytes, limit), openEnvelope(bytes, limit))
      }
    }))

  it.effect.prop("RFC E6 and of any envelope that is bent, cut off, or of another body than it says", [
    anyEvidence,
    Seed
  ], (
    [{ bytes, record }, seed]
  ) =>
    Effect.gen(function*() {
      const { below } = random(seed)
      for (const codec of codecs) {
        const body = compress[codec](bytes)
        const bentBody = body.slice()
        flip(bentBody, below)
        const whole = seal(record, codec, body, hash)
        const bent = whole.slice()
        flip(bent, below)
        for (
          const envelope of [
            whole,
            bent,
            whole.subarray(0, below(whole.length)),
            seal(record, codec, bentBody, hash),
            seal(record, codec, body.subarray(0, below(body.length + 1)), hash),
            seal(record, codec, Buffer.concat([body, body]), hash),
            seal(fitted({ ...record }, new Uint8Array(below(9))), codec, body, hash)
          ]
        ) {
          for (const limit of [undefined, bytes.length - 1])
            assert.strictEqual(yield* outcomeOf(envelope, limit), outcome(() => openEnvelope(envelope, limit)), codec)
        }
      }
    }), { arbitrary: { runs: 20 } })

  it.effect("RFC F5 refuses what is no Uint8Array, and a limit that is no number", () =>
    Effect.gen(function*() {
      for (const strange of [null, undefined, "THEV", {}, [], new Uint16Array(99)])
        assert.strictEqual(yield* outcomeOf(strange as never), "not_an_envelope")
      assert.strictEqual(yield* outcomeOf(byHand(), "1000" as never), "too_large")
      assert.instanceOf(yield* Effect.flip(openEnvelopeEffect(new Uint8Array(1))), EnvelopeError)
    }))

  it.effect("RFC E6 stops a body that inflates past what it declares", () =>
    Effect.gen(function*() {
      const bomb = new Uint8Array(8 * 1_048_576)
      const content = new TextEncoder().encode("small")
      for (const codec of [1, 2, 3]) {
        const envelope = byHand({ codec, content, body: compress[codecs[codec] ?? "stored"](bomb) })
        const before = process.memoryUsage().arrayBuffers
        assert.strictEqual(yield* outcomeOf(envelope), "inconsistent")
        assert.isBelow(process.memoryUsage().arrayBuffers - before, 4 * 1_048_576)
      }
    }))

  it.live("RFC A4 gives others a turn at least once for 2 MiB", () =>
    Effect.gen(function*() {
      const bytes = randomFillSync(new Uint8Array(8 * 1_048_576))
      for (const codec of ["stored", "gzip"] as const) {
        const body = codec === "gzip" ? gzip(bytes) : bytes
        const envelope = seal(fitted(evidence, bytes), codec, body, hash)
        let turns = 0
        const other = yield* Effect.forkChild(
          Effect.forever(Effect.andThen(Effect.sync(() => turns++), Effect.yieldNow), { disableYield: true }),
          { startImmediately: true }
        )
        const { content } = yield* openEnvelopeEffect(envelope)
        yield* Fiber.interrupt(other)
        assert.strictEqual(Buffer.compare(content, bytes), 0)
        // The envelope and the evidence are hashed, and the evidence is copied or inflated.
        assert.isAtLeast(turns, 3 * 3)
      }
    }))

  it.effect("can be interrupted while it inflates", () =>
    Effect.gen(function*() {
      const bytes = new Uint8Array(8 * 1_048_576)
      const envelope = seal(fitted(evidence, bytes), "gzip", gzip(bytes), hash)
      const opening = yield* Effect.forkChild(openEnvelopeEffect(envelope), { startImmediately: true })
      for (let turn = 0; turn < 4; turn++) yield* Effect.yieldNow
      yield* Fiber.interrupt(opening)
    }))
})
