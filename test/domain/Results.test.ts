import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { EvidenceHandle, Hound, InterceptResult } from "../../src/index.ts"
import { custody, signature } from "./samples.ts"

const is = Schema.is(InterceptResult)

const handle: EvidenceHandle = {
  bytes: null,
  size: 0,
  hash: "",
  signature,
  captured: 0,
  severity: "low",
  disposed: true,
  isDurable: false,
  whenDurable: () => Effect.void,
  transfer: () => null,
  neutralize: () => null,
  evacuate: () => null
}
const hound: Hound = { id: "h", state: "active", createdAt: 1, activatedAt: null }
const error = { state: "agent", code: "c", message: "m", recoverable: true }

const results: ReadonlyArray<Record<string, unknown> & { readonly status: string }> = [
  { status: "clean" },
  { status: "rate_limited", retryAfter: 1.5 },
  { status: "payload_too_large", limit: 1_000_000 },
  { status: "ignored", signature },
  { status: "quarantined", handle },
  { status: "escalated", hound, handle },
  { status: "error", error }
]

describe("InterceptResult", () => {
  it("RFC D6 has the RFC's seven statuses", () => {
    for (const result of results) assert.isTrue(is(result), result.status)
    assert.strictEqual(new Set(results.map(({ status }) => status)).size, 7)
    assert.strictEqual(InterceptResult.members.length, 7)
  })

  it("RFC D6 a status without its fields is refused, and so is an eighth status", () => {
    for (const result of results) {
      for (const key of Object.keys(result)) {
        const { [key]: _, ...less } = result
        assert.isFalse(is(less), `${result.status} without ${key}`)
      }
    }
    for (const status of ["", "ok", "Clean", "constructor", null, 0]) assert.isFalse(is({ status }))
  })

  it("RFC D5 a bound other than the size is named", () => {
    assert.isTrue(is({ status: "payload_too_large", limit: 256, bound: "maxDepth" }))
    assert.isFalse(is({ status: "payload_too_large", limit: 256, bound: "maxCount" }))
    assert.isFalse(is({ status: "payload_too_large", limit: -1 }))
  })

  it("RFC Q3 an arrival that was evicted itself has its record in the answer", () => {
    assert.isTrue(is({ status: "quarantined", handle, evicted: custody.evicted }))
    assert.isFalse(is({ status: "quarantined", handle, evicted: custody.neutralized }))
  })

  it("RFC E1 a handle is any object with a handle's fields and methods, and nothing else", () => {
    const isHandle = Schema.is(EvidenceHandle)
    assert.isTrue(isHandle(handle))
    for (const key of ["disposed", "signature", "transfer", "neutralize", "evacuate"]) {
      const { [key as "size"]: _, ...less } = handle
      assert.isFalse(isHandle(less), key)
    }
    for (const value of [null, undefined, 1, "handle", [], () => 1]) assert.isFalse(isHandle(value))
  })

  it("RFC H1 a hound is dormant, active or disposing", () => {
    const isHound = Schema.is(Hound)
    for (const state of ["dormant", "active", "disposing"]) assert.isTrue(isHound({ ...hound, state, activatedAt: 2 }))
    assert.isFalse(isHound({ ...hound, state: "dead" }))
    assert.isFalse(isHound({ ...hound, activatedAt: undefined }))
    assert.isFalse(isHound({ ...hound, createdAt: Number.NaN }))
  })
})
