import { assert, describe, it } from "@effect/vitest"
import { genesis } from "../../../src/custody/ledger/Entry.ts"
import { LedgerFeed } from "../../../src/custody/ledger/LedgerFeed.ts"
import { StoreTurns } from "../../../src/custody/ledger/StoreTurns.ts"
import { makeMemoryStore } from "./memoryStore.ts"
import { makeTurns } from "./turns.ts"

const utf8 = new TextEncoder()

const makeFeed = (room: number, maxWaiting?: number) => {
  const memory = makeMemoryStore({ size: 0, head: genesis }, room)
  const turns = makeTurns()
  let lost = 0
  const feed = new LedgerFeed({
    store: memory.store,
    turns: new StoreTurns(memory.store, turns),
    onLost: () => void (lost += 1),
    ...(maxWaiting === undefined ? {} : { maxWaiting })
  })
  /** A text whose memory is used again, as the chain's is. */
  const text = new Uint8Array(1)
  return {
    ...memory,
    feed,
    turns,
    told: () => lost,
    keep: (from: number, to: number) => {
      for (let n = from; n < to; n++) {
        utf8.encodeInto(String(n % 10), text)
        feed.keep(n, text, undefined)
      }
    }
  }
}

describe("LedgerFeed", () => {
  it("RFC A5 pushes on the caller's turn, and wakes the writer once after it", () => {
    const { feed, keep, turns, wakes } = makeFeed(Infinity)
    keep(0, 3)
    assert.strictEqual(wakes(), 0)
    turns.end()
    assert.strictEqual(wakes(), 1)
    turns.end()
    assert.deepStrictEqual([wakes(), feed.delayed, feed.next], [1, 0, null])
  })

  it("RFC A5 keeps what a full store refused, counts it, and pushes it in order when there is room", () => {
    const { commit, feed, keep, store, turns } = makeFeed(2)
    keep(0, 5)
    turns.end()
    assert.deepStrictEqual([feed.delayed, feed.next], [3, 2])
    for (let i = 0; i < 2; i++) {
      commit()
      turns.wait()
    }
    assert.deepStrictEqual([feed.next, feed.lost], [null, 0])
    commit()
    assert.strictEqual(store.durableSize(), 5)
    turns.wait()
    assert.strictEqual(turns.waiting(), 0)
  })

  it("RFC A5 loses what waits past its bound, and all behind it, and says so once", () => {
    const { commit, feed, keep, store, told, turns } = makeFeed(2, 3)
    keep(0, 9)
    assert.deepStrictEqual([feed.lost, told()], [4, 1])
    for (let i = 0; i < 4; i++) {
      commit()
      turns.end()
      turns.wait()
    }
    keep(9, 11)
    commit()
    assert.deepStrictEqual([store.durableSize(), feed.lost, told()], [5, 6, 1])
  })
})
