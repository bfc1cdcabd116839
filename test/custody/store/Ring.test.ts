import { assert, describe, it } from "@effect/vitest"
import { headerBytes, RingConsumer, ringMemory, RingProducer, widened } from "../../../src/custody/store/Ring.ts"
import { random, Seed } from "../../support/random.ts"

const bytes = 65_536

/** Puts a frame of a length in, filled with its number; false where there is no room. */
const push = (producer: RingProducer, length: number): boolean => {
  const at = producer.claim(length)
  if (at < 0) return false
  producer.bytes.fill(producer.frames & 0xff, at, at + length)
  producer.publish(1, length, producer.frames, length)
  return true
}

describe("the ring", () => {
  it.prop("SYS L2 gives every frame once, in order and whole, however often it goes round", [Seed], ([seed]) => {
    const { below, chance } = random(seed)
    const shared = ringMemory(bytes)
    const producer = new RingProducer(shared)
    const consumer = new RingConsumer(shared)
    const lengths: Array<number> = []
    let read = 0
    const drain = (): void => {
      const { end } = consumer
      while (consumer.next(end)) {
        assert.deepStrictEqual([consumer.number, consumer.first, consumer.second], [read + 1, read, lengths[read]])
        const frame = consumer.bytes.subarray(consumer.from, consumer.to)
        assert.isTrue(frame.length === lengths[read] && frame.every((byte) => byte === (read & 0xff)))
        read += 1
      }
      consumer.release()
    }
    for (let i = 0; i < 100; i++) {
      lengths.push(below(chance(0.2) ? bytes / 2 - headerBytes : 400))
      if (push(producer, lengths[i] ?? 0)) continue
      drain()
      assert.isTrue(push(producer, lengths[i] ?? 0))
    }
    drain()
    assert.strictEqual(read, lengths.length)
    assert.strictEqual(producer.used, 0)
  })

  it("SYS L2 a consumer that takes another's place begins at the first frame that was not released", () => {
    const shared = ringMemory(bytes)
    const producer = new RingProducer(shared)
    const first = new RingConsumer(shared)
    for (let i = 0; i < 3; i++) push(producer, 100)
    assert.isTrue(first.next(first.end))
    first.release()
    assert.isTrue(first.next(first.end))
    const second = new RingConsumer(shared)
    assert.isTrue(second.next(second.end))
    assert.strictEqual(second.number, 2)
    second.rewind()
    assert.isTrue(second.next(second.end))
    assert.strictEqual(second.number, 2)
  })

  it("SYS L2 a full ring refuses, and takes nothing", () => {
    const shared = ringMemory(bytes)
    const producer = new RingProducer(shared)
    let pushed = 0
    while (push(producer, 1_000)) pushed += 1
    const { used } = producer
    assert.isFalse(push(producer, 1_000))
    assert.strictEqual(producer.used, used)
    assert.strictEqual(producer.frames, pushed)
    assert.isAtMost(used, bytes)
    assert.isAbove(used, bytes - 2 * (1_000 + headerBytes + 8))
  })

  it("SYS L2 what wraps at 2^32 is told next to what is known", () => {
    const known = 2 ** 40 + 2 ** 31 - 3
    assert.strictEqual(widened(known, (known + 10) | 0), known + 10)
    assert.strictEqual(widened(0, 5), 5)
    assert.throws(() => ringMemory(100_000), RangeError)
  })
})
