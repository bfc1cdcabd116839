/** What a host reads of a Tracehound with `for await`. */
import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { createTracehound, isMissed, type TracehoundInstance } from "tracehound"

const made = (config: Parameters<typeof createTracehound>[0] = {}): TracehoundInstance =>
  createTracehound({ hound: { enabled: false }, rateLimit: { maxRequests: 1_000_000 }, ...config })

const scent = (payload: string) => ({
  id: "1",
  source: "192.0.2.1",
  timestamp: 1,
  payload,
  threat: { category: "injection", severity: "high" } as const
})

/** Evidence in and out: one record each. */
const leave = ({ auditChain, flush, intercept }: TracehoundInstance, count: number): void => {
  for (let n = 0; n < count; n++) {
    intercept(scent(`${auditChain.length}`))
    flush()
  }
}

describe("async iterables", () => {
  it("RFC V1 give what happens while somebody iterates, until the loop is left", async () => {
    const tracehound = made({ quarantine: { maxCount: 1 } })
    const seen: Array<string> = []
    const reading = (async () => {
      for await (const alert of tracehound.streams.alerts({ capacity: 2 })) {
        seen.push(isMissed(alert) ? `missed ${alert.count}` : alert.type)
        if (seen.length === 3) break
      }
    })()
    for (let n = 0; n < 6; n++) tracehound.intercept(scent(`${n}`))
    await reading
    assert.deepStrictEqual(seen, ["missed 3", "high_severity_eviction", "high_severity_eviction"])
    await tracehound.dispose()
  })

  it("RFC V1 end when the Tracehound is disposed of, after what was waiting", async () => {
    const tracehound = made()
    const seen: Array<number> = []
    const reading = (async () => {
      for await (const record of tracehound.streams.audit({ from: 1 }))
        seen.push(isMissed(record) ? -1 : record.sequence)
      for await (const _ of tracehound.streams.deadLetters()) assert.fail("nothing comes after the end")
    })()
    leave(tracehound, 3)
    tracehound.intercept(scent("held until then"))
    await tracehound.dispose()
    await reading
    assert.deepStrictEqual(seen, [1, 2, 3])
  })

  it("RFC V1 answer calls of next in their order, and end where return is called, while one waits as well", async () => {
    const tracehound = made()
    leave(tracehound, 130)
    const iterator = tracehound.streams.audit()[Symbol.asyncIterator]()
    const answers = await Promise.all(Array.from({ length: 130 }, () => iterator.next()))
    assert.deepStrictEqual(
      answers.map(({ value }) => value !== undefined && !isMissed(value) ? value.sequence : -1),
      Array.from({ length: 130 }, (_, n) => n)
    )
    const waiting = [iterator.next(), iterator.next()]
    assert.deepStrictEqual(await iterator.return?.(), { done: true, value: undefined })
    const over = { done: true, value: undefined } as const
    assert.deepStrictEqual(await Promise.all([...waiting, iterator.next()]), [over, over, over])
    leave(tracehound, 1)
    assert.deepStrictEqual(await iterator.next(), over)
    await tracehound.dispose()
  })

  it("RFC V1 give timers and sockets a turn while there is much to read", async () => {
    const tracehound = made()
    leave(tracehound, 1_000)
    let turns = 0
    const ticking = setInterval(() => turns++)
    const before = turns
    let read = 0
    for await (const _ of tracehound.streams.audit()) if (++read === 1_000) break
    clearInterval(ticking)
    assert.isAbove(turns, before)
    await tracehound.dispose()
  })

  it("RFC F5 take whatever stands in place of options for the nearest that is allowed", async () => {
    const tracehound = made({ quarantine: { maxCount: 1 } })
    const { alerts, audit, deadLetters, lifecycle } = tracehound.streams
    const strange: ReadonlyArray<unknown> = [
      null,
      7,
      "x",
      { capacity: "1" },
      { capacity: Number.NaN },
      { capacity: -1 },
      {
        capacity: Infinity
      },
      { from: "1" },
      { from: -1 }
    ]
    for (const options of strange)
      for (const stream of [alerts, audit, deadLetters, lifecycle])
        await stream(options as never)[Symbol.asyncIterator]().return?.()
    const one = alerts({ capacity: 0 })[Symbol.asyncIterator]()
    for (let n = 0; n < 4; n++) tracehound.intercept(scent(`${n}`))
    assert.deepStrictEqual((await one.next()).value, { _tag: "Missed", count: 2 })
    await tracehound.dispose()
  })

  it("RFC R4 keep no process alive that waits for an event, and do without effect/Stream", () => {
    const script = `
      import { registerHooks } from "node:module"
      let streams = 0
      registerHooks({ load: (url, context, next) => {
        if (url.endsWith("/effect/dist/Stream.js")) streams++
        return next(url, context)
      } })
      const { createTracehound } = await import(${
      JSON.stringify(new URL("../../../src/index.ts", import.meta.url).href)
    })
      const { streams: iterables } = createTracehound({ hound: { enabled: false } })
      for (const stream of [iterables.alerts(), iterables.audit()]) void stream[Symbol.asyncIterator]().next()
      process.on("exit", () => console.log("ended", streams))
    `
    const out = execFileSync(process.execPath, ["--input-type=module-typescript", "-e", script], {
      encoding: "utf8",
      timeout: 20_000
    })
    assert.strictEqual(out, "ended 0\n")
  })
})
