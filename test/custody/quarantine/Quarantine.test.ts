import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as Clock from "effect/Clock"
import { gunzipSync } from "node:zlib"
import { Settings } from "../../../src/config/Settings.ts"
import { AuditChain } from "../../../src/custody/audit/AuditChain.ts"
import { ColdStorage } from "../../../src/custody/coldstorage/ColdStorage.ts"
import { SecureIds } from "../../../src/custody/evidence/SecureIds.ts"
import { make } from "../../../src/custody/quarantine/Quarantine.ts"
import { DigestBuffer } from "../../../src/domain/Digest.ts"
import { categoryRank } from "../../../src/domain/Scent.ts"
import { severities, severityRank } from "../../../src/domain/Severity.ts"
import { Compression } from "../../../src/host/port/Compression.ts"
import { Hash } from "../../../src/host/port/Hash.ts"
import { Memory } from "../../../src/host/port/Memory.ts"
import { Randomness } from "../../../src/host/port/Randomness.ts"
import { Alerts } from "../../../src/safety/alert/Alerts.ts"
import { FailSafe } from "../../../src/safety/failsafe/FailSafe.ts"
import { make as makeCaller } from "../../../src/telemetry/Caller.ts"
import * as RootSpans from "../../../src/telemetry/RootSpans.ts"
import { evidence, makeTold, rooms, withRooms } from "../../support/rooms.ts"

const bounds = (maxCount: number, maxBytes = 1_000_000) => ({ quarantine: { maxCount, maxBytes } })

describe("Quarantine", () => {
  it("RFC D7 holds evidence once, answers its duplicates, and takes it anew after it has left", () => {
    withRooms(bounds(10), ({ quarantine }) => {
      const [record] = evidence(1, "low")
      assert.strictEqual(quarantine.hit(record.signature, "low"), null)
      const first = quarantine.hold(...evidence(1, "low"))
      assert.deepStrictEqual(quarantine.hit(record.signature, "low"), {
        status: "ignored",
        signature: record.signature
      })
      assert.strictEqual(quarantine.hits(), 1)
      assert.strictEqual(quarantine.get(record.signature)?.signature, first.handle.signature)
      quarantine.neutralize(record.signature)
      assert.strictEqual(quarantine.hit(record.signature, "low"), null)
      const second = quarantine.hold(...evidence(1, "low"))
      assert.notStrictEqual(second.handle, first.handle)
      assert.isTrue(first.handle.disposed)
      assert.isFalse(second.handle.disposed)
    })
  })

  it("answers every duplicate with the same object: nothing is allocated", () => {
    withRooms(bounds(10), ({ quarantine }) => {
      const [record, bytes] = evidence(1, "low")
      quarantine.hold(record, bytes)
      assert.strictEqual(quarantine.hit(record.signature, "low"), quarantine.hit(record.signature, "low"))
    })
  })

  it("raises the severity when a duplicate comes with a worse one, and never lowers it", () => {
    withRooms(bounds(10), ({ quarantine }) => {
      const { handle } = quarantine.hold(...evidence(1, "low"))
      quarantine.hit(handle.signature, "critical")
      assert.strictEqual(handle.severity, "critical")
      quarantine.hit(handle.signature, "medium")
      assert.strictEqual(handle.severity, "critical")
      assert.deepStrictEqual(quarantine.stats().bySeverity, { low: 0, medium: 0, high: 0, critical: 1 })
    })
  })

  it("RFC E1 gives a handle that knows its evidence", () => {
    withRooms(bounds(10), ({ quarantine }) => {
      const [record, bytes] = evidence(7, "high", 3)
      const { handle } = quarantine.hold(record, bytes)
      assert.deepStrictEqual(new Uint8Array(handle.bytes ?? new ArrayBuffer(0)), new Uint8Array([7, 7, 7]))
      assert.strictEqual(handle.size, 3)
      assert.strictEqual(handle.hash, record.hash)
      assert.strictEqual(handle.signature, record.signature)
      assert.strictEqual(handle.captured, record.captured)
      assert.strictEqual(handle.severity, "high")
      assert.isFalse(handle.disposed)
      assert.deepStrictEqual(JSON.parse(JSON.stringify(handle)), { ...record, disposed: false })
    })
  })

  it("RFC E2 neutralizes in one step: record, chain, no bytes left to read, and null the second time", () => {
    withRooms(bounds(10), ({ chain, quarantine, told }) => {
      const [record, bytes] = evidence(5, "high", 16)
      const { handle } = quarantine.hold(record, bytes)
      const view = new Uint8Array(handle.bytes ?? new ArrayBuffer(0))
      assert.strictEqual(view.length, 16)
      const before = chain.lastHash
      const neutralized = handle.neutralize()
      assert.strictEqual(neutralized?.status, "neutralized")
      assert.strictEqual(neutralized?.hash, record.hash)
      assert.strictEqual(neutralized?.size, 16)
      assert.strictEqual(neutralized?.previousHash, before)
      assert.strictEqual(view.length, 0)
      assert.strictEqual(handle.bytes, null)
      assert.isTrue(handle.disposed)
      assert.strictEqual(handle.neutralize(), null)
      assert.strictEqual(handle.evacuate(), null)
      assert.strictEqual(handle.transfer(), null)
      assert.strictEqual(quarantine.neutralize(record.signature), null)
      assert.strictEqual(chain.length, 1)
      assert.deepStrictEqual(told.log, ["chain"])
      assert.deepStrictEqual(quarantine.stats(), {
        count: 0,
        bytes: 0,
        bySeverity: { low: 0, medium: 0, high: 0, critical: 0 }
      })
    })
  })

  it("RFC Q1 under lru keeps the evidence that duplicates came for", () => {
    withRooms({ quarantine: { maxCount: 2, evictionPolicy: "lru" } }, ({ quarantine }) => {
      const { handle: first } = quarantine.hold(...evidence(1, "low"))
      const { handle: second } = quarantine.hold(...evidence(2, "low"))
      quarantine.hit(first.signature, "low")
      quarantine.hold(...evidence(3, "low"))
      assert.isFalse(first.disposed)
      assert.isTrue(second.disposed)
    })
  })

  it("RFC E3 transfers the buffer to the caller, and the chain says so", () => {
    withRooms(bounds(10), ({ chain, quarantine }) => {
      const { handle } = quarantine.hold(...evidence(9, "low", 4))
      const kept = handle.bytes
      const mine = handle.transfer()
      assert.deepStrictEqual(new Uint8Array(mine ?? new ArrayBuffer(0)), new Uint8Array([9, 9, 9, 9]))
      assert.isTrue(kept?.detached)
      assert.isTrue(handle.disposed)
      assert.strictEqual(chain.records()[0]?.entry.status, "transferred")
      assert.strictEqual(quarantine.stats().count, 0)
    })
  })

  it("RFC E4 evacuates: gzip to cold storage, logged, recorded, then gone", () => {
    withRooms(bounds(10), ({ chain, quarantine, told }) => {
      const { handle } = quarantine.hold(...evidence(3, "medium", 1000))
      const record = handle.evacuate()
      const delivery = told.deliveries[0]
      assert.strictEqual(record?.status, "evacuated")
      assert.strictEqual(record?.size, 1000)
      assert.strictEqual(record?.destination, "file:double")
      assert.strictEqual(record?.compressedSize, delivery?.compressed?.length)
      assert.deepStrictEqual(
        new Uint8Array(gunzipSync(delivery?.compressed ?? new Uint8Array())),
        new Uint8Array(1000).fill(3)
      )
      assert.strictEqual(delivery?.id, record?.id)
      assert.isTrue(handle.disposed)
      assert.deepStrictEqual(told.log, ["coldstorage", "log quarantine.evacuation", "chain"])
      assert.strictEqual(chain.records()[0]?.entry.status, "evacuated")
    }, "takes")
  })

  it("RFC E4 keeps the evidence where cold storage refuses it, or none is configured", () => {
    for (const answer of ["refuses", "none"] as const) {
      withRooms(bounds(10), ({ chain, quarantine, told }) => {
        const { handle } = quarantine.hold(...evidence(3, "medium", 4))
        assert.strictEqual(handle.evacuate(), null)
        assert.isFalse(handle.disposed)
        assert.deepStrictEqual(new Uint8Array(handle.bytes ?? new ArrayBuffer(0)), new Uint8Array(4).fill(3))
        assert.strictEqual(quarantine.stats().bytes, 4)
        assert.strictEqual(chain.length, 0)
        assert.deepStrictEqual(told.errors, answer === "none" ? ["coldstorage_not_configured"] : [])
      }, answer)
    }
  })

  it("RFC Q2 tells cold storage, the log and the alerts, in this order, before the bytes are gone", () => {
    withRooms(bounds(1), ({ quarantine, told }) => {
      const { handle } = quarantine.hold(...evidence(1, "high", 4))
      quarantine.hold(...evidence(2, "high", 4))
      assert.deepStrictEqual(told.log, [
        "coldstorage",
        "log quarantine.eviction",
        "alert high_severity_eviction",
        "chain"
      ])
      assert.deepStrictEqual(told.deliveries[0]?.contentThen, new Uint8Array(4).fill(1))
      assert.isTrue(handle.disposed)
    }, "takes")
  })

  it("RFC Q2 alerts for high and critical evidence only", () => {
    for (const severity of severities) {
      withRooms(bounds(1), ({ quarantine, told }) => {
        quarantine.hold(...evidence(1, severity))
        quarantine.hold(...evidence(2, "critical"))
        const expected = severity === "high" || severity === "critical"
        assert.strictEqual(told.log.includes("alert high_severity_eviction"), expected)
      })
    }
  })

  it("RFC Q2 records where evicted evidence went: the endpoint, or nowhere", () => {
    for (const [answer, destination] of [["takes", "file:double"], ["refuses", null], ["none", null]] as const) {
      withRooms(bounds(1), ({ chain, quarantine }) => {
        quarantine.hold(...evidence(1, "low"))
        quarantine.hold(...evidence(2, "low"))
        const entry = chain.records()[0]?.entry
        assert.strictEqual(entry?.status === "evicted" ? entry.destination : undefined, destination)
      }, answer)
    }
  })

  it("RFC Q3 evicts the arrival itself before anything worse than it, and says so", () => {
    withRooms(bounds(2), ({ chain, quarantine, told }) => {
      quarantine.hold(...evidence(1, "critical"))
      quarantine.hold(...evidence(2, "high"))
      const result = quarantine.hold(...evidence(3, "medium"))
      assert.strictEqual(result.status, "quarantined")
      assert.strictEqual(result.evicted?.status, "evicted")
      assert.strictEqual(result.evicted?.signature, evidence(3, "medium")[0].signature)
      assert.isTrue(result.handle.disposed)
      assert.strictEqual(result.handle.bytes, null)
      assert.strictEqual(quarantine.stats().count, 2)
      assert.strictEqual(quarantine.evictions(), 1)
      assert.strictEqual(chain.length, 1)
      assert.strictEqual(told.deliveries.length, 1)
      assert.strictEqual(quarantine.hit(result.handle.signature, "medium"), null)
    }, "takes")
  })

  it("RFC Q3 evicts nothing for an arrival that would not fit even so", () => {
    withRooms(bounds(100, 100), ({ quarantine }) => {
      quarantine.hold(...evidence(1, "low", 40))
      quarantine.hold(...evidence(2, "critical", 50))
      const result = quarantine.hold(...evidence(3, "high", 60))
      assert.isDefined(result.evicted)
      assert.deepStrictEqual(quarantine.stats().bySeverity, { low: 1, medium: 0, high: 0, critical: 1 })
      assert.isDefined(quarantine.hold(...evidence(4, "critical", 101)).evicted)
      assert.strictEqual(quarantine.stats().bytes, 90)
    })
  })

  it("RFC Q3 holds under lru as well: a flood of low arrivals costs no worse evidence", () => {
    withRooms({ quarantine: { maxCount: 2, evictionPolicy: "lru" } }, ({ quarantine }) => {
      const { handle } = quarantine.hold(...evidence(1, "critical"))
      quarantine.hold(...evidence(2, "low"))
      for (let n = 3; n < 50; n++) quarantine.hold(...evidence(n, "low"))
      assert.isFalse(handle.disposed)
    })
  })

  it("RFC Q4 flushes everything in the order of eviction", () => {
    withRooms(bounds(10), ({ quarantine }) => {
      const order = ["critical", "low", "high", "low", "medium"] as const
      order.forEach((severity, n) => quarantine.hold(...evidence(n, severity)))
      const flushed = quarantine.flush()
      const expected = [1, 3, 4, 2, 0].map((n) => evidence(n, "low")[0].signature)
      assert.deepStrictEqual(flushed.map(({ signature }) => signature), expected)
      assert.isTrue(flushed.every(({ status }) => status === "neutralized"))
      assert.strictEqual(quarantine.stats().count, 0)
      assert.deepStrictEqual(quarantine.flush(), [])
    })
  })

  it("RFC Q4 stats are what sorting and counting would give, and flushing asks nothing of the index but its removals", () => {
    withRooms(bounds(100_000, 1e9), ({ quarantine }) => {
      for (let n = 0; n < 200; n++) quarantine.hold(...evidence(n, severities[n % 4] ?? "low", n))
      assert.deepStrictEqual(quarantine.stats(), {
        count: 200,
        bytes: 19_900,
        bySeverity: { low: 50, medium: 50, high: 50, critical: 50 }
      })
      const before = quarantine.probes()
      quarantine.stats()
      assert.strictEqual(quarantine.probes(), before)
      quarantine.flush()
      assert.isAtMost(quarantine.probes() - before, 4 * 200)
    })
  })

  it("RFC D7 answers a duplicate by its bytes alone, and counts it as a hit", () => {
    withRooms(bounds(10), ({ quarantine }) => {
      const [record, bytes] = evidence(1, "low", 40)
      const content = new Uint8Array(bytes)
      const injection = categoryRank("injection")
      const [low, critical] = [severityRank("low"), severityRank("critical")]
      assert.strictEqual(quarantine.hitSame(content, 40, injection, low), null)
      const { handle } = quarantine.hold(record, bytes)
      assert.deepStrictEqual(quarantine.hitSame(content, 40, injection, critical), {
        status: "ignored",
        signature: record.signature
      })
      assert.strictEqual(handle.severity, "critical")
      assert.strictEqual(quarantine.hits(), 1)
      assert.strictEqual(quarantine.hitSame(content, 40, categoryRank("ddos"), critical), null)
      handle.neutralize()
      assert.strictEqual(quarantine.hitSame(content, 40, injection, critical), null)
    })
  })

  it("RFC E1 a text that is no signature names no evidence", () => {
    withRooms(bounds(10), ({ quarantine }) => {
      const { handle } = quarantine.hold(...evidence(1, "low"))
      const [category = "", hash = ""] = handle.signature.split(":")
      for (
        const wrong of [
          "",
          ":",
          hash,
          `:${hash}`,
          `${category}:`,
          `${category}${hash}`,
          `nothing:${hash}`,
          `${category}:${hash} `,
          `${category} :${hash}`,
          `injectio:${hash}`,
          `${category}::${hash}`,
          handle.signature.toUpperCase()
        ]
      ) {
        assert.strictEqual(quarantine.get(wrong), null, wrong)
        assert.strictEqual(quarantine.neutralize(wrong), null, wrong)
        assert.strictEqual(quarantine.evacuate(wrong), null, wrong)
      }
      assert.strictEqual(quarantine.get(Symbol("x") as never), null)
      assert.isFalse(handle.disposed)
    })
  })

  it("RFC E1 a handle of evidence that left stays dead when its slot is taken", () => {
    withRooms(bounds(1), ({ quarantine }) => {
      const { handle } = quarantine.hold(...evidence(1, "low", 4))
      const { scent: _, ...known } = { ...JSON.parse(JSON.stringify(handle)), disposed: true }
      quarantine.hold(...evidence(2, "critical", 4))
      assert.isTrue(handle.disposed)
      assert.deepStrictEqual(JSON.parse(JSON.stringify(handle)), known)
      assert.deepStrictEqual([handle.bytes, handle.neutralize(), handle.transfer(), handle.evacuate()], [
        null,
        null,
        null,
        null
      ])
      assert.strictEqual(quarantine.stats().count, 1)
    })
  })

  it("alerts where somebody wrote to the live buffer, before the bytes are gone", () => {
    withRooms(bounds(10), ({ quarantine, told }) => {
      const { handle } = quarantine.hold(...evidence(1, "low", 8))
      if (handle.bytes !== null) new Uint8Array(handle.bytes)[0] = 99
      handle.neutralize()
      assert.deepStrictEqual(told.errors, ["evidence_tampered"])
      assert.deepStrictEqual(told.log, ["alert evidence.tampered", "chain"])
    })
  })

  it("does not throw where the holder of a handle took the live buffer away, and alerts on every way out", () => {
    for (const way of ["evacuate", "neutralize", "transfer"] as const) {
      withRooms(bounds(10), ({ chain, quarantine, told }) => {
        const { handle } = quarantine.hold(...evidence(1, "low", 8))
        handle.bytes?.transfer()
        const left = handle[way]()
        assert.deepStrictEqual(told.errors, ["evidence_tampered"])
        assert.strictEqual(chain.length, way === "evacuate" ? 0 : 1)
        if (way === "evacuate") assert.strictEqual(left, null)
        if (left instanceof ArrayBuffer) assert.strictEqual(left.byteLength, 0)
      }, "takes")
    }
  })

  it.effect("make gives each caller an empty quarantine of its own, whose functions need no this", () =>
    Effect.gen(function*() {
      const services = {
        settings: yield* Settings,
        clock: yield* Clock.Clock,
        hash: yield* Hash,
        memory: yield* Memory,
        compression: yield* Compression,
        randomness: yield* Randomness,
        ids: yield* SecureIds,
        alerts: yield* Alerts,
        chain: yield* AuditChain,
        coldStorage: yield* ColdStorage,
        failSafe: yield* FailSafe,
        caller: makeCaller(),
        spans: yield* RootSpans.fromContext
      }
      const { copy, flush, get, hold, stats } = make(services)
      const hash = new DigestBuffer().digest()
      const content = Uint8Array.of(1, 2)
      const scent = { id: "", source: "", timestamp: 0 }
      const ranks = { category: categoryRank("spam"), severity: severityRank("low") }
      const { handle } = hold({ ...scent, ...ranks, content, size: 2, captured: 0, hash, signed: hash })
      assert.deepStrictEqual(copy(handle.signature), Uint8Array.of(1, 2))
      assert.strictEqual(stats().count, 1)
      const other = make(services)
      assert.isNull(other.get(handle.signature))
      assert.strictEqual(other.stats().count, 0)
      assert.deepStrictEqual(flush().map(({ signature }) => signature), [handle.signature])
      assert.isNull(get(handle.signature))
      assert.isTrue(handle.disposed)
    }).pipe(Effect.provide(rooms({}, makeTold()))))

  const Arrivals = Schema.Array(Schema.Struct({
    n: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 30 })),
    severity: Schema.Literals(severities),
    size: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 })),
    leave: Schema.Literals(["no", "no", "no", "neutralize", "flush"])
  })).check(Schema.isMaxLength(120))

  for (const evictionPolicy of ["priority", "lru"] as const) {
    it.prop(`RFC Q1 keeps both bounds after every call under ${evictionPolicy}`, [Arrivals], ([arrivals]) => {
      withRooms({ quarantine: { maxCount: 5, maxBytes: 100, evictionPolicy } }, ({ chain, quarantine }) => {
        let fresh = 0
        let left = 0
        for (const { leave, n, severity, size } of arrivals) {
          const [record, bytes] = evidence(n, severity, size)
          if (quarantine.hit(record.signature, severity) === null) {
            quarantine.hold(record, bytes)
            fresh += 1
          }
          if (leave === "neutralize" && quarantine.neutralize(record.signature) !== null) left += 1
          if (leave === "flush") left += quarantine.flush().length
          const { bySeverity, bytes: held, count } = quarantine.stats()
          assert.isAtMost(count, 5)
          assert.isAtMost(held, 100)
          assert.strictEqual(Object.values(bySeverity).reduce((a, b) => a + b, 0), count)
          assert.strictEqual(fresh, count + quarantine.evictions() + left)
          assert.strictEqual(chain.length, quarantine.evictions() + left)
        }
        assert.isTrue(chain.inspect().valid)
      })
    }, { arbitrary: { runs: 60, size: 120 } })
  }
})
