import { assert, describe, it } from "@effect/vitest"
import { copied, isDetached, moved, wipe } from "../../src/memory/Buffers.ts"

/** A buffer that answers every question with an exception. */
const armed = (buffer: ArrayBuffer): ArrayBuffer => {
  for (const key of ["slice", "transfer", "detached", "byteLength", "constructor", Symbol.species]) {
    Object.defineProperty(buffer, key, {
      get: () => {
        throw new Error(`${String(key)} was asked`)
      }
    })
  }
  return Object.setPrototypeOf(buffer, new Proxy({}, { get: () => assert.fail("a trap ran") }))
}

const lengthOf = (buffer: ArrayBuffer): number => new Uint8Array(buffer).length

describe("wipe", () => {
  it("RFC E2 leaves every view with length 0", () => {
    const bytes = new Uint8Array([1, 2, 3])
    wipe(bytes.buffer)
    assert.strictEqual(bytes.length, 0)
    assert.isTrue(bytes.buffer.detached)
  })

  it("RFC E2 wiping a buffer that is detached already, or empty, does nothing and does not throw", () => {
    const buffer = new ArrayBuffer(3)
    buffer.transfer()
    wipe(buffer)
    wipe(new ArrayBuffer(0))
  })

  it("RFC E2 wipes a buffer whose methods are its holder's", () => {
    const buffer = new ArrayBuffer(3)
    const view = new Uint8Array(buffer)
    wipe(armed(buffer))
    assert.strictEqual(view.length, 0)
    wipe(buffer)
  })
})

describe("copies", () => {
  it("RFC E5 are buffers of their own, whatever the memory says of itself", () => {
    const memories = [
      new ArrayBuffer(4),
      new SharedArrayBuffer(4),
      new ArrayBuffer(4, { maxByteLength: 8 }),
      Object.setPrototypeOf(new SharedArrayBuffer(4), ArrayBuffer.prototype),
      new (class extends ArrayBuffer {
        static override get [Symbol.species](): ArrayBufferConstructor {
          return assert.fail("the species was asked")
        }
      })(4),
      armed(new ArrayBuffer(4))
    ]
    for (const memory of memories) {
      const content = new Uint8Array(memory, 1, 2).fill(7)
      const copy = copied(content)
      content.fill(9)
      assert.strictEqual(Object.getPrototypeOf(copy), ArrayBuffer.prototype)
      assert.deepStrictEqual(new Uint8Array(copy), Uint8Array.of(7, 7))
    }
  })

  it("RFC E3 move a buffer whose methods are its holder's", () => {
    const buffer = armed(Uint8Array.of(1, 2).buffer)
    assert.isFalse(isDetached(buffer))
    const own = moved(buffer)
    assert.isTrue(isDetached(buffer))
    assert.strictEqual(lengthOf(own), 2)
  })
})
