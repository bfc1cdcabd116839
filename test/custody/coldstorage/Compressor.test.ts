import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { begin, Compress, type CompressorParts, sealAndPass } from "../../../src/custody/coldstorage/Compressor.ts"
import { passageOf } from "../../../src/custody/coldstorage/Delivery.ts"
import { EncryptionError } from "../../../src/custody/encryption/EncryptionError.ts"
import type { FailSafeAction } from "../../../src/domain/FailSafe.ts"
import { CompressionError } from "../../../src/host/port/CompressionError.ts"
import { make as makeCaller } from "../../../src/telemetry/Caller.ts"
import { noise } from "../../host/port/contract.ts"
import { hash, sha256 } from "../evidence/envelopes.ts"
import { delivery } from "./stores.ts"

const told = delivery("id-1", 100)
const passage = passageOf(told, undefined)

describe("begin", () => {
  const never = { compressUnsafe: () => assert.fail("nothing to compress") }

  it.effect("RFC E4 what the sender has compressed is passed on as it is, and its content is not read", () =>
    Effect.gen(function*() {
      const compressed = noise(20)
      const body = begin(never, "gzip", { ...told, content: new Uint8Array(0), compressed })
      if (typeof body === "string") return assert.fail(body)
      assert.strictEqual(yield* body, compressed)
    }))

  it("RFC F5 content of another length, and a host without memory for a copy, are refusals", () => {
    assert.strictEqual(begin(never, "gzip", { ...told, content: noise(99) }), "mismatch")
    const full = {
      compressUnsafe: () => {
        throw new RangeError("Array buffer allocation failed")
      }
    }
    assert.strictEqual(begin(full, "gzip", told), "memory")
  })
})

/** A compressor's parts, and what it reported to them. */
const opened = (action: FailSafeAction = "Purge", cipher: CompressorParts["cipher"] = null) => {
  const log: Array<string> = []
  const envelopes: Array<Uint8Array> = []
  const parts: CompressorParts = {
    caller: makeCaller(),
    config: { maxPendingCount: 1 },
    hash,
    cipher,
    writer: {
      tellUnsafe: ({ envelope, id, passage: of, size }) => {
        log.push(`write ${id} ${size}`)
        assert.strictEqual(of, passage)
        envelopes.push(envelope)
        return true
      }
    },
    failSafe: {
      reportUnsafe: (cause, { code }) => {
        log.push(`${cause} ${code}`)
        return action
      },
      purgedUnsafe: ({ id, PurgeTimestamp, reason, scent }, signature) => {
        log.push(`purged ${id} ${reason} ${scent.payloadSize} ${PurgeTimestamp}`)
        assert.strictEqual(signature, told.record.signature)
      }
    },
    ages: { end: () => undefined },
    tally: {
      reportDeadLetter: () => undefined,
      reportLoss: ({ message, passage: of, thrown }) => {
        log.push(`lost: ${message}`)
        assert.strictEqual(of, passage)
        assert.isTrue(thrown instanceof CompressionError || thrown instanceof EncryptionError)
      }
    },
    nowMs: () => 7
  }
  return { envelopes, log, parts }
}

const message = (over: Partial<ConstructorParameters<typeof Compress>[0]> = {}) =>
  new Compress({
    id: "id-1",
    codec: "stored",
    record: told.record,
    body: Effect.succeed(told.content),
    isPurged: false,
    passage,
    ...over
  })

describe("sealAndPass", () => {
  it.effect("RFC E4 tells the writer the sealed envelope, which weighs what the evidence does", () =>
    Effect.gen(function*() {
      const { envelopes, log, parts } = opened()
      yield* sealAndPass(parts, message())
      assert.deepStrictEqual(log, ["write id-1 100"])
      const [envelope] = envelopes
      assert.deepStrictEqual(envelope?.subarray(-32), sha256(envelope?.subarray(0, -32) ?? assert.fail("no envelope")))
    }))

  it.effect("SYS L4 tells the writer what the cipher made of the envelope, which is wiped", () =>
    Effect.gen(function*() {
      const given: Array<Uint8Array> = []
      const { envelopes, parts } = opened("Purge", {
        seal: ({ plaintext, signature, tenant }) => {
          assert.deepStrictEqual([signature, tenant], [told.record.signature, ""])
          assert.strictEqual(Buffer.from(plaintext).indexOf("THEV"), 0)
          given.push(plaintext)
          return Effect.succeed({ key: { slot: 0, use: 1 }, sealed: Uint8Array.of(1, 2, 3) })
        }
      })
      yield* sealAndPass(parts, message())
      assert.deepStrictEqual(envelopes, [Uint8Array.of(1, 2, 3)])
      assert.isTrue(given[0]?.every((byte) => byte === 0))
    }))

  it.effect("SYS L4 an envelope that cannot be sealed is lost, and is not written in the clear", () =>
    Effect.gen(function*() {
      const failure = new EncryptionError({ reason: "full", message: "no key is left" })
      const { envelopes, log, parts } = opened("Purge", { seal: () => Effect.fail(failure) })
      assert.strictEqual(yield* Effect.flip(sealAndPass(parts, message())), failure)
      assert.deepStrictEqual(envelopes, [])
      assert.deepStrictEqual(log, ["lost: no key is left", "encode_error encode_error", "purged id-1 error 100 7"])
    }))

  const body = Effect.fail(new CompressionError({ reason: "host", message: "no memory" }))

  it.effect("RFC F1 compression that fails is lost, an encode error, and purged where the fail-safe says so", () =>
    Effect.gen(function*() {
      const { log, parts } = opened()
      assert.isTrue(Exit.isFailure(yield* Effect.exit(sealAndPass(parts, message({ body })))))
      assert.deepStrictEqual(log, ["lost: no memory", "encode_error encode_error", "purged id-1 error 100 7"])
    }))

  it.effect("RFC F1 a purge is not reported twice, nor where the fail-safe asks for none", () =>
    Effect.gen(function*() {
      for (const [action, isPurged] of [["Purge", true], ["escalate", false]] as const) {
        const { log, parts } = opened(action)
        yield* Effect.exit(sealAndPass(parts, message({ body, isPurged })))
        assert.deepStrictEqual(log, ["lost: no memory", "encode_error encode_error"])
      }
    }))
})
