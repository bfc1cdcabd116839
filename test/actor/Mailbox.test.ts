/**
 * Mailboxes as pure data structures: bounds, order and fairness of each kind, and a comparison with
 * a naive array.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import {
  dropping,
  fifo,
  type Lane,
  laneOrder,
  lanes,
  Mailbox,
  type MailboxSpec,
  sliding
} from "../../src/actor/Mailbox.ts"
import { random, Seed } from "../support/random.ts"

interface Mail {
  readonly id: number
  readonly weight: number
  readonly lane: Lane
}

/**
 * Offers a message, and returns "taken" or the refusal. Drops the oldest of a sliding mailbox
 * first, as the inbox does.
 */
const offer = (box: Mailbox<Mail>, mail: Mail, dropped: Array<number> = [], handling = 0): string => {
  if (box.isFull(mail.weight, mail.lane)) {
    const refusal = box.refusal(mail.weight, mail.lane, handling)
    if (refusal !== null) return refusal
    while (box.isFull(mail.weight, mail.lane)) {
      const oldest = box.take()
      if (oldest === undefined) return "full"
      box.release(oldest.weight)
      dropped.push(oldest.id)
    }
  }
  box.append(mail, mail.weight, mail.lane)
  return "taken"
}
const mail = (id: number, lane: Lane = "medium", weight = 0): Mail => ({ id, weight, lane })
/** The ids of all waiting messages, in the order of handling. */
const drain = (box: Mailbox<Mail>): Array<number> => {
  const order: Array<number> = []
  for (let next = box.take(); next !== undefined; next = box.take()) {
    box.release(next.weight)
    order.push(next.id)
  }
  return order
}
const filled = (spec: MailboxSpec, count: number) => {
  const box = new Mailbox<Mail>(spec)
  const dropped: Array<number> = []
  const answers = Array.from({ length: count }, (_, id) => offer(box, mail(id), dropped))
  return { answers, box, dropped }
}

describe("bounds", () => {
  const makers = { fifo, lanes, sliding, dropping }

  for (const [kind, make] of Object.entries(makers)) {
    it(`RFC S2 ${kind} refuses a capacity that is no whole number from 1`, () => {
      for (const capacity of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])
        assert.throws(() => make({ capacity }), RangeError)
      // As from an untyped caller.
      for (const capacity of ["10", null, undefined, {}])
        assert.throws(() => make({ capacity: capacity as never }), RangeError)
      assert.strictEqual(make({ capacity: 1 }).capacity, 1)
      assert.strictEqual(make({ capacity: 1 }).kind, kind)
    })

    it(`RFC S2 ${kind} refuses an invalid maxWeight`, () => {
      for (const maxWeight of [Number.NaN, -1, "10" as never])
        assert.throws(() => make({ capacity: 1, maxWeight }), RangeError)
      assert.strictEqual(make({ capacity: 1, maxWeight: 0.5 }).maxWeight, 0.5)
    })
  }

  it("RFC S2 lanes refuse a number of overtakes that is no whole number from 1", () => {
    for (const overtakes of [0, -1, 0.5, Number.NaN]) assert.throws(() => lanes({ capacity: 1, overtakes }), RangeError)
  })

  it("RFC S2 a message that is being handled counts until it is released", () => {
    const { box } = filled(fifo({ capacity: 2 }), 2)
    assert.strictEqual(box.take()?.id, 0)
    assert.strictEqual(box.length, 1)
    assert.strictEqual(offer(box, mail(2)), "full")
    box.release(0)
    assert.strictEqual(offer(box, mail(2)), "taken")
    assert.deepStrictEqual(drain(box), [1, 2])
  })

  it("RFC S2 weights of all messages count, exactly up to the limit", () => {
    for (const make of Object.values(makers)) {
      const box = new Mailbox<Mail>(make({ capacity: 9, maxWeight: 10 }))
      assert.strictEqual(offer(box, mail(0, "high", 7)), "taken")
      assert.strictEqual(offer(box, mail(1, "low", 3)), "taken", "exactly full")
      assert.strictEqual(box.weight, 10)
      assert.isTrue(box.isFull(1, "critical"))
      assert.isFalse(box.isFull(0, "critical"), "what weighs nothing still fits")
      assert.deepStrictEqual(drain(box), [0, 1])
      assert.strictEqual(box.weight, 0)
    }
  })

  it("RFC S2 a message heavier than maxWeight is refused, and nothing is dropped for it", () => {
    for (const make of Object.values(makers)) {
      const box = new Mailbox<Mail>(make({ capacity: 9, maxWeight: 10 }))
      offer(box, mail(0, "medium", 4))
      assert.notStrictEqual(offer(box, mail(1, "medium", 11)), "taken")
      assert.deepStrictEqual(drain(box), [0])
    }
  })
})

describe("what a full one does", () => {
  it("RFC S2 fifo refuses the new message", () => {
    const { answers, box } = filled(fifo({ capacity: 3 }), 5)
    assert.deepStrictEqual(answers, ["taken", "taken", "taken", "full", "full"])
    assert.deepStrictEqual(drain(box), [0, 1, 2])
  })

  it("RFC S2 dropping drops the new message", () => {
    const { answers, box } = filled(dropping({ capacity: 3 }), 5)
    assert.deepStrictEqual(answers, ["taken", "taken", "taken", "dropped", "dropped"])
    assert.deepStrictEqual(drain(box), [0, 1, 2])
  })

  it("RFC S2 sliding accepts the new message and drops the oldest", () => {
    const { answers, box, dropped } = filled(sliding({ capacity: 3 }), 5)
    assert.deepStrictEqual(answers, ["taken", "taken", "taken", "taken", "taken"])
    assert.deepStrictEqual(dropped, [0, 1])
    assert.deepStrictEqual(drain(box), [2, 3, 4])
  })

  it("RFC S2 sliding refuses if its only message is being handled", () => {
    const { box } = filled(sliding({ capacity: 1 }), 1)
    assert.strictEqual(box.take()?.id, 0)
    assert.strictEqual(box.refusal(0, undefined), "full")
    assert.strictEqual(offer(box, mail(1)), "full")
  })

  it("RFC S2 each lane has the whole capacity, and is full by itself", () => {
    const box = new Mailbox<Mail>(lanes({ capacity: 2 }))
    for (const lane of laneOrder.toReversed()) {
      assert.strictEqual(offer(box, mail(0, lane)), "taken")
      assert.strictEqual(offer(box, mail(1, lane)), "taken")
      assert.strictEqual(offer(box, mail(2, lane)), "full")
      assert.strictEqual(box.heldIn(lane), 2)
    }
    assert.strictEqual(box.length, 8)
  })
})

describe("order", () => {
  it("RFC S2 lanes are served critical first, first in first out within; medium where none is named", () => {
    const box = new Mailbox<Mail>(lanes({ capacity: 9 }))
    const told = ["low", "medium", "high", "critical", "low", "medium", "high", "critical"] as const
    for (const [id, lane] of told.entries()) box.append(mail(id, lane), 0, lane === "medium" ? undefined : lane)
    assert.deepStrictEqual(drain(box), [3, 7, 2, 6, 1, 5, 0, 4])
    assert.strictEqual(box.length, 0)
  })

  it("RFC S2 a mailbox without lanes ignores the lane", () => {
    for (const make of [fifo, sliding, dropping]) {
      const box = new Mailbox<Mail>(make({ capacity: 4 }))
      for (const [id, lane] of laneOrder.toReversed().entries()) offer(box, mail(id, lane))
      assert.strictEqual(box.heldIn("critical"), 4)
      assert.deepStrictEqual(drain(box), [0, 1, 2, 3])
    }
  })

  it("RFC S2 without overtakes a lower lane waits as long as there is anything above", () => {
    const box = new Mailbox<Mail>(lanes({ capacity: 2 }))
    offer(box, mail(-1, "low"))
    for (let id = 0; id < 1000; id++) {
      offer(box, mail(id, "critical"))
      assert.strictEqual(box.take()?.id, id)
      box.release(0)
    }
    assert.deepStrictEqual(drain(box), [-1])
  })

  it("RFC S2 with overtakes the oldest message of a lower lane is served after so many others", () => {
    const box = new Mailbox<Mail>(lanes({ capacity: 100, overtakes: 3 }))
    offer(box, mail(100, "low"))
    offer(box, mail(101, "low"))
    for (let id = 0; id < 9; id++) offer(box, mail(id, "critical"))
    assert.deepStrictEqual(drain(box), [0, 1, 2, 100, 3, 4, 5, 101, 6, 7, 8])
  })
})

const Step = Schema.Struct({
  act: Schema.Literals(["offer", "offer", "offer", "take", "take", "release"]),
  lane: Schema.Literals(laneOrder),
  weight: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 6 }))
})
const Shape = Schema.Struct({
  kind: Schema.Literals(["fifo", "lanes", "sliding", "dropping"]),
  capacity: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 6 })),
  maxWeight: Schema.Literals([0, 5, 12, 1_000]),
  overtakes: Schema.Literals([0, 1, 2, 5])
})

/** A mailbox as one array that is searched from end to end for every answer. */
const naive = ({ capacity, kind, maxWeight, overtakes }: typeof Shape.Type) => {
  let waiting: Array<Mail & { passed: number }> = []
  let handling: Mail | undefined
  const held = () => handling === undefined ? waiting : [...waiting, handling]
  const weight = () => held().reduce((sum, one) => sum + one.weight, 0)
  const count = (lane: Lane) => held().filter((one) => kind !== "lanes" || one.lane === lane).length
  const fits = (one: Mail) => count(one.lane) < capacity && weight() + one.weight <= maxWeight
  const oldest = () => laneOrder.flatMap((lane) => waiting.find((one) => one.lane === lane) ?? [])
  const next = () => {
    if (kind !== "lanes") return waiting[0]
    const heads = oldest()
    const starved = overtakes === 0 ? [] : heads.filter((one) => one.passed >= overtakes)
    const worst = Math.max(...starved.map((one) => one.passed))
    return starved.find((one) => one.passed === worst) ?? heads[0]
  }
  const remove = (one: Mail) => {
    waiting = waiting.filter((other) => other !== one)
  }
  return {
    weight,
    count,
    length: () => waiting.length,
    offer: (one: Mail, dropped: Array<number>): string => {
      if (!fits(one)) {
        const hopeless = waiting.length === 0 || one.weight + (handling?.weight ?? 0) > maxWeight
        if (kind !== "sliding" || hopeless) return kind === "dropping" ? "dropped" : "full"
        for (let first = waiting[0]; first !== undefined && !fits(one); first = waiting[0]) {
          dropped.push(first.id)
          remove(first)
        }
      }
      waiting.push({ ...one, passed: 0 })
      return "taken"
    },
    take: (): Mail | undefined => {
      const taken = next()
      if (taken === undefined) return undefined
      // How often the oldest message of each lane was overtaken.
      for (const head of oldest()) if (head !== taken) head.passed += 1
      remove(taken)
      handling = taken
      return taken
    },
    release: () => {
      handling = undefined
    }
  }
}

describe("against a naive array", () => {
  it.prop(
    "RFC S2 answers the same to any sequence of calls, within the bounds",
    { shape: Shape, steps: Schema.Array(Step).check(Schema.isMinLength(1), Schema.isMaxLength(150)) },
    ({ shape, steps }) => {
      const { capacity, kind, maxWeight, overtakes } = shape
      const bounds = { capacity, maxWeight }
      const make = { fifo, sliding, dropping }
      const spec = kind === "lanes" ? lanes({ ...bounds, ...(overtakes > 0 ? { overtakes } : {}) }) : make[kind](bounds)
      const box = new Mailbox<Mail>(spec)
      const model = naive(shape)
      let handling: Mail | undefined
      for (const [id, { act, lane, weight }] of steps.entries()) {
        if (act === "offer") {
          const dropped: [Array<number>, Array<number>] = [[], []]
          // The inbox passes the weight of the message that is being handled.
          const got = offer(box, { id, lane, weight }, dropped[0], handling?.weight)
          assert.strictEqual(got, model.offer({ id, lane, weight }, dropped[1]))
          assert.deepStrictEqual(dropped[0], dropped[1])
        } else if (act === "release" || handling !== undefined) {
          if (handling === undefined) continue
          box.release(handling.weight)
          model.release()
          handling = undefined
        } else {
          handling = box.take()
          assert.strictEqual(handling?.id, model.take()?.id)
        }
        assert.strictEqual(box.length, model.length())
        assert.strictEqual(box.weight, model.weight())
        assert.isAtMost(box.weight, maxWeight)
        for (const one of laneOrder) {
          assert.strictEqual(box.heldIn(one), model.count(one))
          assert.isAtMost(box.heldIn(one), capacity)
        }
      }
    },
    { arbitrary: { runs: 200, size: 200 } }
  )

  it.prop(
    "RFC S2 nothing waits for more than overtakes + 2 others once it is the oldest of its lane",
    { seed: Seed, overtakes: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 12 })) },
    ({ overtakes, seed }) => {
      const { chance, pick } = random(seed)
      const box = new Mailbox<Mail>(lanes({ capacity: 50, overtakes }))
      const busy = pick([0.2, 0.5, 0.9])
      const waited = new Map<Lane, number>()
      let id = 0
      for (let step = 0; step < 400; step++) {
        for (const lane of laneOrder) if (chance(busy)) offer(box, mail(id++, lane))
        const waits = laneOrder.filter((lane) => box.heldIn(lane) > 0)
        const taken = box.take()
        if (taken === undefined) continue
        box.release(0)
        for (const lane of waits) {
          const times = lane === taken.lane ? 0 : (waited.get(lane) ?? 0) + 1
          assert.isAtMost(times, overtakes + 2)
          waited.set(lane, times)
        }
      }
    },
    { arbitrary: { runs: 50 } }
  )
})
