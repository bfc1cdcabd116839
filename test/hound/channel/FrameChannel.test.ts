import { assert, describe, it } from "@effect/vitest"
import { type Decision, FrameChannel, maxChunkBytes, type Violation } from "../../../src/hound/channel/FrameChannel.ts"
import { frameOf } from "../../support/FakeSpawner.ts"
import { type Random, random, Seed } from "../../support/random.ts"
import { type Event, modelDecisions } from "./channelModel.ts"

const READY = 0
const PROCESSING = 1
const COMPLETE = 2
const ERROR = 3
const METRICS = 4

const bytesOf = (...frames: ReadonlyArray<Uint8Array>): Uint8Array => Buffer.concat(frames)

/**
 * A channel that has heard `READY` and got `jobs` jobs, the last of which is not answered; its next
 * frame has the number given back.
 */
const channelAt = (state: "boot" | "idle" | "sent" | "processing" | "measured", job = 7): [FrameChannel, number] => {
  const channel = new FrameChannel()
  if (state === "boot") return [channel, 0]
  channel.feed(frameOf(READY, 0, 0, 0, 1))
  if (state === "idle") return [channel, 1]
  channel.send(job)
  if (state === "sent") return [channel, 1]
  channel.feed(frameOf(PROCESSING, 1, job))
  if (state === "processing") return [channel, 2]
  channel.feed(frameOf(METRICS, 2, job, 1, 1))
  return [channel, 3]
}

const states = ["boot", "idle", "sent", "processing", "measured"] as const

const refuses = (channel: FrameChannel, bytes: Uint8Array, reason: Violation): void => {
  const decisions = channel.feed(bytes)
  assert.deepStrictEqual(decisions.at(-1), { type: "violation", reason })
  assert.strictEqual(decisions.filter(({ type }) => type === "violation").length, 1)
  assert.strictEqual(channel.state, "dead")
  assert.deepStrictEqual(channel.feed(frameOf(READY, 0)), [])
}

/** Cuts bytes into chunks that a channel must bear. */
const cut = (bytes: Uint8Array, r: Random): ReadonlyArray<Uint8Array> => {
  const chunks: Array<Uint8Array> = []
  const most = r.pick([1, 5, 24, 25, maxChunkBytes])
  for (let at = 0; at < bytes.length;) {
    const length = 1 + r.below(most)
    chunks.push(bytes.subarray(at, at + length))
    at += length
  }
  return chunks
}

/** A dialogue as it should be, or, with faults, one that goes wrong somewhere. */
const dialogue = (r: Random, isFaulty: boolean): ReadonlyArray<Event> => {
  const events: Array<Event> = []
  let sequence = 0
  const say = (kind: number, job: number, time = 0, memory = 0): void => {
    let bytes = frameOf(kind, sequence++, job, time, memory)
    if (isFaulty && r.chance(0.03)) bytes[r.below(24)] = r.below(256)
    if (isFaulty && r.chance(0.03)) bytes = bytesOf(bytes, bytes)
    if (isFaulty && r.chance(0.03)) bytes = bytes.subarray(0, r.below(24))
    if (isFaulty && r.chance(0.03)) return
    events.push({ type: "bytes", bytes })
  }
  say(READY, 0, 0, r.below(2 ** 32))
  const jobs = r.below(6)
  for (let i = 0; i < jobs; i++) {
    const job = 1 + r.below(2 ** 32 - 1)
    events.push({ type: "send", job })
    say(PROCESSING, job)
    if (r.chance(0.7)) say(METRICS, job, r.below(2 ** 32), r.below(2 ** 32))
    say(r.pick([COMPLETE, ERROR]), job)
  }
  return events
}

/** Gives a channel the events, up to its end; what could not be sent ends them as well. */
const run = (
  channel: FrameChannel,
  events: ReadonlyArray<Event>,
  cuts: (bytes: Uint8Array) => ReadonlyArray<Uint8Array>
) => {
  const decisions: Array<Decision> = []
  const heard: Array<Event> = []
  for (const event of events) {
    if (event.type === "send") {
      if (channel.state !== "idle") break
      channel.send(event.job)
      heard.push(event)
    } else {
      heard.push(event)
      for (const chunk of cuts(event.bytes)) decisions.push(...channel.feed(chunk))
    }
  }
  return { decisions, heard }
}

const withoutReason = (decisions: ReadonlyArray<Decision>) =>
  decisions.map((decision) => (decision.type === "violation" ? "violation" : decision))

describe("FrameChannel", () => {
  it("RFC H3 hears a whole job, and no more than its four kinds of decision", () => {
    const [channel] = channelAt("boot")
    assert.deepStrictEqual(channel.feed(frameOf(READY, 0, 0, 0, 60_000)), [{ type: "ready", memoryKiB: 60_000 }])
    channel.send(9)
    assert.strictEqual(channel.state, "sent")
    assert.deepStrictEqual(
      channel.feed(bytesOf(frameOf(PROCESSING, 1, 9), frameOf(METRICS, 2, 9, 1_500, 3), frameOf(COMPLETE, 3, 9))),
      [
        { type: "status", job: 9, state: "processing" },
        { type: "metrics", job: 9, processingTime: 1.5, memoryUsed: 3_072 },
        { type: "status", job: 9, state: "complete" }
      ]
    )
    assert.strictEqual(channel.state, "idle")
    channel.send(10)
    assert.deepStrictEqual(channel.feed(bytesOf(frameOf(PROCESSING, 4, 10), frameOf(ERROR, 5, 10))), [
      { type: "status", job: 10, state: "processing" },
      { type: "status", job: 10, state: "error" }
    ])
    assert.strictEqual(channel.state, "idle")
  })

  it.prop("RFC H3 any cut of a dialogue into chunks gives the same decisions", { seed: Seed }, ({ seed }) => {
    const r = random(seed)
    const events = dialogue(r, r.chance(0.5))
    const whole = run(new FrameChannel(), events, (bytes) => [bytes])
    const inPieces = run(new FrameChannel(), events, (bytes) => cut(bytes, r))
    assert.deepStrictEqual(inPieces.decisions, whole.decisions)
  }, { arbitrary: { runs: 2_000 } })

  it.prop("RFC H3 decides as a channel that keeps everything would", { seed: Seed }, ({ seed }) => {
    const r = random(seed)
    const channel = new FrameChannel()
    const { decisions, heard } = run(channel, dialogue(r, r.chance(0.8)), (bytes) => cut(bytes, r))
    const expected = modelDecisions(heard)
    assert.deepStrictEqual(withoutReason(decisions), expected)
    assert.strictEqual(channel.state === "dead", expected.includes("violation"))
  }, { arbitrary: { runs: 3_000 } })

  it("RFC H3 a bit that is flipped is a violation, or another number where numbers are free, or the other verdict on the same job", () => {
    const job = 0x0102_0304
    const legal: Record<(typeof states)[number], ReadonlyArray<number>> = {
      boot: [READY],
      idle: [],
      sent: [PROCESSING],
      processing: [METRICS, COMPLETE, ERROR],
      measured: [COMPLETE, ERROR]
    }
    let survivors = 0
    for (const state of states) {
      for (const kind of [READY, PROCESSING, COMPLETE, ERROR, METRICS]) {
        for (let bit = 0; bit < 192; bit++) {
          const [channel, sequence] = channelAt(state, job)
          const memory = kind === METRICS || kind === READY ? 5 : 0
          const frame = frameOf(kind, sequence, state === "boot" ? 0 : job, kind === METRICS ? 5 : 0, memory)
          const at = bit >> 3
          frame[at] = (frame[at] ?? 0) ^ (1 << (bit & 7))
          const [decision, ...more] = channel.feed(frame)
          assert.lengthOf(more, 0)
          if (decision?.type === "violation") continue
          const name = `${state} ${kind} ${bit}`
          assert.include(legal[state], frame[3], name)
          if (decision?.type === "status" || decision?.type === "metrics") assert.strictEqual(decision.job, job, name)
          // What was not legal has become it by its kind, and by nothing else: the hound itself
          // could have said so.
          if (!legal[state].includes(kind)) {
            assert.strictEqual(at, 3, name)
            continue
          }
          survivors += 1
          const free = { ready: [16, 17, 18, 19], metrics: [12, 13, 14, 15, 16, 17, 18, 19], status: [3] }
          assert.include(free[decision?.type ?? assert.fail(name)], at, name)
        }
      }
    }
    // READY's memory; METRICS' two numbers; and one bit between COMPLETE and ERROR, both ways, in
    // two states.
    assert.strictEqual(survivors, 32 + 64 + 4)
  })

  it.prop("RFC H3 no random bytes come past the first violation, in any state", { seed: Seed }, ({ seed }) => {
    const r = random(seed)
    const [channel] = channelAt(r.pick(states))
    const before = channel.state
    const seen: Array<Decision> = []
    for (let i = 0; i < 40; i++)
      seen.push(...channel.feed(Uint8Array.from({ length: r.below(120) }, () => r.below(256))))
    assert.deepStrictEqual(seen.map(({ type }) => type), ["violation"], before)
    assert.strictEqual(channel.state, "dead")
  }, { arbitrary: { runs: 1_000 } })

  it("RFC H3 looks at no byte of a chunk that is too long, nor of one that comes to a dead channel", () => {
    const watched = (length: number): [Uint8Array, () => number] => {
      let reads = 0
      const bytes = new Proxy(new Uint8Array(length), {
        get: (target, key): unknown => {
          if (typeof key === "string" && /^\d+$/.test(key)) reads += 1
          return Reflect.get(target, key, target)
        }
      })
      return [bytes, () => reads]
    }
    const [long, readsOfLong] = watched(1 << 20)
    refuses(channelAt("processing")[0], long, "oversized")
    assert.strictEqual(readsOfLong(), 0)
    const [most, readsOfMost] = watched(maxChunkBytes)
    const [channel] = channelAt("processing")
    refuses(channel, most, "bad magic")
    assert.strictEqual(readsOfMost(), 24)
    const [late, readsOfLate] = watched(96)
    assert.deepStrictEqual(channel.feed(late), [])
    assert.strictEqual(readsOfLate(), 0)
  })

  it("RFC H3 says which rule was broken", () => {
    const spoilt = (at: number, value: number): Uint8Array => {
      const frame = frameOf(PROCESSING, 1, 7)
      frame[at] = value
      return frame
    }
    refuses(channelAt("sent")[0], spoilt(0, 0), "bad magic")
    refuses(channelAt("sent")[0], spoilt(2, 2), "bad version")
    refuses(channelAt("sent")[0], spoilt(3, 5), "bad kind")
    refuses(channelAt("sent")[0], spoilt(4, 0), "bad sequence")
    refuses(channelAt("sent")[0], spoilt(8, 8), "bad job")
    for (const at of [12, 16, 20, 23]) refuses(channelAt("sent")[0], spoilt(at, 1), "bad padding")
    refuses(channelAt("boot")[0], frameOf(READY, 0, 0, 1, 1), "bad padding")
    refuses(channelAt("boot")[0], frameOf(READY, 0, 1, 0, 1), "bad job")
    refuses(channelAt("processing")[0], frameOf(COMPLETE, 2, 7, 1), "bad padding")
    refuses(channelAt("processing")[0], frameOf(COMPLETE, 2, 7, 0, 1), "bad padding")
  })

  it("RFC H3 closing is the end, and a job is sent in its turn only", () => {
    const [channel, sequence] = channelAt("processing")
    channel.close()
    channel.close()
    assert.deepStrictEqual(channel.feed(frameOf(COMPLETE, sequence, 7)), [])
    assert.strictEqual(channel.state, "dead")
    assert.throws(() => channel.send(8))
    for (const state of ["boot", "sent", "processing", "measured"] as const)
      assert.throws(() => channelAt(state)[0].send(8), /cannot be sent/)
    for (const job of [0, -1, 1.5, 2 ** 32, Number.NaN]) assert.throws(() => channelAt("idle")[0].send(job), RangeError)
    channelAt("idle")[0].send(2 ** 32 - 1)
  })
})

describe("floods of a channel", () => {
  it("RFC H3 flood: READY twice", () => {
    refuses(channelAt("boot")[0], bytesOf(frameOf(READY, 0), frameOf(READY, 1)), "out of turn")
    refuses(channelAt("sent")[0], frameOf(READY, 1, 7), "out of turn")
    refuses(channelAt("processing")[0], frameOf(READY, 2, 7), "out of turn")
  })

  it("RFC H3 flood: frames while idle, and even one byte of them", () => {
    for (const kind of [READY, PROCESSING, COMPLETE, ERROR, METRICS])
      refuses(channelAt("idle")[0], frameOf(kind, 1), "out of turn")
    refuses(channelAt("idle")[0], frameOf(PROCESSING, 1, 8).subarray(0, 1), "out of turn")
  })

  it("RFC H3 flood: processing without end, and metrics without end", () => {
    refuses(channelAt("processing")[0], frameOf(PROCESSING, 2, 7), "out of turn")
    refuses(channelAt("measured")[0], frameOf(METRICS, 3, 7), "out of turn")
    refuses(channelAt("measured")[0], frameOf(PROCESSING, 3, 7), "out of turn")
    refuses(channelAt("sent")[0], frameOf(METRICS, 1, 7), "out of turn")
  })

  it("RFC H3 flood: garbage", () => {
    for (const byte of [0x00, 0x41, 0x54, 0xff]) {
      for (const state of states) {
        const reason = state === "idle" ? "out of turn" : "bad magic"
        refuses(channelAt(state)[0], new Uint8Array(maxChunkBytes).fill(byte), reason)
      }
    }
  })

  it("RFC H3 flood: half frames for ever, byte by byte", () => {
    const [channel] = channelAt("processing")
    const garbage = Uint8Array.of(0x48)
    for (let i = 0; i < 23; i++) assert.deepStrictEqual(channel.feed(garbage), [])
    refuses(channel, garbage, "bad magic")
    // Well-formed bytes buy no more than a job's three frames.
    const [patient] = channelAt("sent")
    const all = bytesOf(...[PROCESSING, METRICS, COMPLETE, COMPLETE].map((kind, i) => frameOf(kind, 1 + i, 7)))
    let taken = 0
    for (const byte of all) {
      if (patient.feed(Uint8Array.of(byte)).some(({ type }) => type === "violation")) break
      taken += 1
    }
    assert.strictEqual(taken, 72)
  })

  it("RFC H3 flood: a huge chunk, whatever it begins with", () => {
    for (const state of states) {
      const [channel, sequence] = channelAt(state)
      const chunk = new Uint8Array(65_536)
      chunk.set(frameOf(state === "sent" ? PROCESSING : COMPLETE, sequence, 7))
      const decisions = channel.feed(chunk)
      assert.deepStrictEqual(decisions, [{ type: "violation", reason: "oversized" }])
    }
    const [channel] = channelAt("sent")
    refuses(channel, new Uint8Array(maxChunkBytes + 1), "oversized")
  })

  it("RFC H3 flood: a verdict on another job", () => {
    for (const kind of [COMPLETE, ERROR, METRICS]) refuses(channelAt("processing")[0], frameOf(kind, 2, 8), "bad job")
    refuses(channelAt("sent")[0], frameOf(PROCESSING, 1, 0), "bad job")
  })

  it("RFC H3 flood: a final frame again", () => {
    const [channel] = channelAt("processing")
    refuses(channel, bytesOf(frameOf(COMPLETE, 2, 7), frameOf(COMPLETE, 2, 7)), "out of turn")
    const [replaying] = channelAt("processing")
    replaying.feed(frameOf(COMPLETE, 2, 7))
    replaying.send(8)
    refuses(replaying, frameOf(COMPLETE, 2, 7), "bad sequence")
  })

  it("RFC H3 flood: a verdict before its job", () => {
    const [channel] = channelAt("boot")
    const early = bytesOf(frameOf(READY, 0), frameOf(PROCESSING, 1, 1), frameOf(COMPLETE, 2, 1))
    assert.deepStrictEqual(channel.feed(early), [
      { type: "ready", memoryKiB: 0 },
      { type: "violation", reason: "out of turn" }
    ])
    assert.throws(() => channel.send(1))
    refuses(channelAt("sent")[0], frameOf(COMPLETE, 1, 7), "out of turn")
    refuses(channelAt("boot")[0], frameOf(COMPLETE, 0, 0), "out of turn")
  })

  it("RFC H3 flood: numbers past their end", () => {
    const last = 2 ** 32 - 1
    const wrapping = new FrameChannel(last)
    assert.lengthOf(wrapping.feed(frameOf(READY, last)), 1)
    wrapping.send(1)
    assert.deepStrictEqual(wrapping.feed(frameOf(PROCESSING, 0, 1)), [{ type: "status", job: 1, state: "processing" }])
    refuses(wrapping, frameOf(COMPLETE, last, 1), "bad sequence")
    refuses(channelAt("boot")[0], frameOf(READY, last), "bad sequence")
  })
})
