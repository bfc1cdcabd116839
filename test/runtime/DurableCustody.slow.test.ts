/**
 * A Tracehound with a data directory: what it holds and records is there again after a restart
 * (CONFORMANCE E9, A5). The store is the real one.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createHash } from "node:crypto"
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import type { EvidenceNotDurable } from "../../src/domain/EvidenceNotDurable.ts"
import { severities, type Severity } from "../../src/domain/Severity.ts"
import { createTracehound, InvalidConfig, type Tracehound, type TracehoundConfigInput } from "../../src/index.ts"
import { type ModelConfig, ReferenceModel } from "../../src/testing/ReferenceModel.ts"
import { random } from "../support/random.ts"
import { sampleOf, shareOf } from "../support/tiers.ts"
import { inDirectory, temporaryDirectory, verified } from "./dataDirectories.ts"

/** The sample has the first test of four. */
const test = sampleOf(it, 4)

const scent = (payload: string, severity: Severity = "low") => ({
  id: `id of ${payload}`,
  source: "192.0.2.7",
  timestamp: 7,
  payload,
  threat: { category: "injection", severity }
} as const)

const held = (tracehound: Tracehound["Service"], payload: string, severity: Severity = "low") => {
  const result = tracehound.sync.intercept(scent(payload, severity))
  return result.status === "quarantined" ? result.handle : assert.fail(result.status)
}

const hashOf = (payload: string): string => createHash("sha256").update(payload).digest("hex")

describe("the records of custody", () => {
  test.live("RFC A5 go on where the ledger ends, in one chain that a stranger verifies", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const once = (payload: string) =>
        inDirectory(directory, (tracehound) =>
          Effect.sync(() => {
            const before = tracehound.sync.auditChain.lastHash
            const record = held(tracehound, payload).neutralize()
            assert.strictEqual(record?.previousHash, before)
            assert.isTrue(tracehound.sync.auditChain.verify())
            return { length: tracehound.sync.auditChain.length, head: tracehound.sync.auditChain.lastHash, before }
          }), { custody: "memory" })
      const first = yield* once("a")
      const second = yield* once("b")
      assert.deepStrictEqual([first.length, second.length], [1, 2])
      assert.strictEqual(second.before, first.head)
      const { entries, finding, signed } = yield* verified(directory)
      assert.deepStrictEqual({ entries, finding, signed }, { entries: 2, finding: null, signed: 2 })
      assert.strictEqual(statSync(directory).mode & 0o777, 0o700)
      assert.strictEqual(statSync(join(directory, "keys", "ledger")).mode & 0o777, 0o600)
    }))

  test.live("RFC A5 of before the start are linked anew behind the ledger's end, and are in it", () =>
    Effect.gen(function*() {
      const dataDirectory = yield* temporaryDirectory
      for (let run = 1; run <= 2; run++) {
        const tracehound = createTracehound({ hound: { enabled: false }, dataDirectory })
        const early = tracehound.intercept(scent(`early ${run}`))
        if (early.status === "quarantined") early.handle.neutralize()
        yield* Effect.promise(() => tracehound.init())
        assert.deepStrictEqual(
          tracehound.auditChain.records().map(({ sequence }) => sequence),
          [run - 1]
        )
        assert.isTrue(tracehound.auditChain.verify())
        yield* Effect.promise(() => tracehound.dispose())
      }
      const { entries, finding, signed } = yield* verified(dataDirectory)
      assert.deepStrictEqual({ entries, finding, signed }, { entries: 2, finding: null, signed: 2 })
    }))

  test.live("RFC A5 have one owner: a second Tracehound does not start, and can once the first has closed", () =>
    Effect.gen(function*() {
      const dataDirectory = yield* temporaryDirectory
      const second = createTracehound({ hound: { enabled: false }, dataDirectory })
      yield* inDirectory(dataDirectory, () =>
        Effect.gen(function*() {
          const refused = yield* Effect.promise(() => second.init().then(() => "it started", (cause: unknown) => cause))
          assert.propertyVal(refused, "reason", "held")
        }))
      yield* Effect.promise(() => second.init())
      yield* Effect.promise(() => second.dispose())
    }))

  test.live("RFC A5 are refused another key: without the one that signed them nothing starts", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* inDirectory(directory, () => Effect.void)
      const path = join(directory, "keys", "ledger")
      const key = readFileSync(path)
      for (const change of [() => rmSync(path), () => writeFileSync(path, key.subarray(0, 40))]) {
        change()
        const refused = yield* Effect.flip(inDirectory(directory, () => Effect.void))
        assert.propertyVal(refused, "reason", "damaged")
      }
      writeFileSync(path, key)
      yield* inDirectory(directory, () => Effect.void)
    }))
})

describe("durable custody", () => {
  test.live("RFC E9 says when evidence is on disk, and has it again after a restart with all that was known of it", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const before = yield* inDirectory(directory, (tracehound) =>
        Effect.gen(function*() {
          const handle = held(tracehound, "a")
          assert.isFalse(handle.isDurable)
          assert.strictEqual(tracehound.sync.watcher.snapshot().custody.durable, 0)
          yield* handle.whenDurable()
          assert.isTrue(handle.isDurable)
          assert.deepStrictEqual(tracehound.sync.watcher.snapshot().custody, { held: 1, durable: 1, notDurable: 0 })
          tracehound.sync.intercept(scent("a", "critical"))
          return JSON.parse(JSON.stringify(handle)) as object
        }))
      yield* inDirectory(directory, (tracehound) =>
        Effect.sync(() => {
          const handle = tracehound.sync.quarantine.get(`injection:${hashOf("a")}`)
          assert.deepStrictEqual(JSON.parse(JSON.stringify(handle)), before)
          assert.strictEqual(handle?.severity, "critical")
          assert.isTrue(handle?.isDurable)
          assert.strictEqual(Buffer.from(handle?.bytes ?? new ArrayBuffer(0)).toString(), "a")
          assert.strictEqual(tracehound.sync.intercept(scent("a")).status, "ignored")
          assert.isNotNull(handle?.neutralize())
        }))
      yield* inDirectory(
        directory,
        (tracehound) => Effect.sync(() => assert.strictEqual(tracehound.sync.quarantine.count, 0))
      )
    }))

  test.live("RFC E9 ends a wait where evidence will not be on disk, and says why", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const why = (effect: Effect.Effect<void, EvidenceNotDurable>) =>
        Effect.map(Effect.flip(effect), ({ reason }) => reason)
      yield* inDirectory(directory, (tracehound) =>
        Effect.gen(function*() {
          const handle = held(tracehound, "a")
          handle.neutralize()
          assert.strictEqual(yield* why(handle.whenDurable()), "left")
        }))
      yield* inDirectory(directory, (tracehound) =>
        Effect.gen(function*() {
          const handle = held(tracehound, "a")
          assert.strictEqual(yield* why(handle.whenDurable()), "memory")
          assert.isFalse(handle.isDurable)
        }), { custody: "memory" })
    }))

  test.live("RFC E9 holds no more than the bounds after a restart, and records what has no room", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* inDirectory(directory, (tracehound) =>
        Effect.sync(() => {
          for (const severity of ["low", "high", "medium"] as const) held(tracehound, severity, severity)
        }))
      yield* inDirectory(directory, (tracehound) =>
        Effect.sync(() => {
          assert.deepStrictEqual(tracehound.sync.quarantine.bySeverity, { low: 0, medium: 0, high: 1, critical: 0 })
          assert.strictEqual(tracehound.sync.auditChain.length, 2)
        }), { quarantine: { maxCount: 1 } })
      yield* inDirectory(
        directory,
        (tracehound) => Effect.sync(() => assert.strictEqual(tracehound.sync.quarantine.count, 1))
      )
    }))

  test.live("RFC E9 restores nothing whose content is not what was journalled, and leaves it where it is", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      yield* inDirectory(directory, (tracehound) =>
        Effect.sync(() => {
          for (const payload of ["a", "b"]) held(tracehound, payload)
        }))
      const change = new DatabaseSync(join(directory, "ledger.db"))
      change.exec("UPDATE evidence SET content = x'00' WHERE content = x'61'")
      change.close()
      for (let run = 0; run < 2; run++) {
        yield* inDirectory(directory, (tracehound) =>
          Effect.sync(() => {
            assert.strictEqual(tracehound.sync.quarantine.count, 1)
            assert.include(tracehound.sync.watcher.snapshot().errors.map(({ code }) => code), "journal_unreadable")
          }))
      }
    }))

  test("RFC R2 E9 needs a directory, and a chain", () => {
    const mistakes = (config: TracehoundConfigInput) => {
      try {
        createTracehound(config)
        return assert.fail("was not refused")
      } catch (error) {
        return error instanceof InvalidConfig ? error.mistakes.map(({ path }) => path) : assert.fail(String(error))
      }
    }
    assert.deepStrictEqual(mistakes({ custody: "durable" }), ["custody"])
    assert.deepStrictEqual(mistakes({ dataDirectory: "./d", audit: { chainEnabled: false } }), ["audit.chainEnabled"])
  })

  test.live("RFC A5 makes nothing before it is started", () =>
    Effect.gen(function*() {
      const dataDirectory = yield* temporaryDirectory
      const tracehound = createTracehound({ hound: { enabled: false }, dataDirectory })
      tracehound.intercept(scent("a"))
      yield* Effect.promise(() => tracehound.dispose())
      assert.isFalse(existsSync(dataDirectory))
    }))
})

/** A program of one process: what it does between two starts. */
const commands = ["intercept", "intercept", "intercept", "intercept", "neutralize", "transfer", "pause"] as const

describe("a restart", () => {
  const cases = [["priority", 1], ["lru", 2], ["priority", 3], ["lru", 4]] as const
  for (const [evictionPolicy, seed] of shareOf(cases, (_, index) => index === 1)) {
    it.live(`RFC E9 Q1 leaves the same quarantine, in the same order: ${evictionPolicy}, seed ${seed}`, () =>
      Effect.gen(function*() {
        const directory = yield* temporaryDirectory
        const { below } = random(seed)
        const quarantine = { maxCount: 6, maxBytes: 400, evictionPolicy }
        const rateLimit = { windowMs: 1_000, maxRequests: 1_000_000, blockDurationMs: 0, maxSources: 10 }
        const bounds: ModelConfig = { maxPayloadSize: 1_000, rateLimit, quarantine, coldStorage: null }
        const model = new ReferenceModel(bounds)
        const payloads = Array.from({ length: 12 }, (_, n) => String.fromCharCode(97 + n).repeat(1 + 10 * n))

        const step = (tracehound: Tracehound["Service"]): Effect.Effect<void> => {
          const command = commands[below(commands.length)] ?? "pause"
          if (command === "pause") return Effect.sleep(1)
          return Effect.sync(() => {
            if (command === "intercept") {
              const payload = payloads[below(payloads.length)] ?? ""
              const severity = severities[below(severities.length)] ?? "low"
              const threat = { category: "injection", severity } as const
              model.intercept("192.0.2.7", { name: hashOf(payload), size: payload.length }, threat, 0)
              tracehound.sync.intercept(scent(payload, severity))
              return
            }
            const evidence = model.order()[below(6)]
            if (evidence === undefined) return
            model[command](evidence)
            tracehound.sync.quarantine.get(evidence.signature)?.[command]()
          })
        }
        const expected = () => model.order().map(({ severity, signature, size }) => ({ severity, signature, size }))
        const seen = (tracehound: Tracehound["Service"]) =>
          expected().map(({ signature }) => {
            const handle = tracehound.sync.quarantine.get(signature)
            return handle === null ? null : { severity: handle.severity, signature, size: handle.size }
          })

        for (let run = 0; run < 5; run++) {
          yield* inDirectory(directory, (tracehound) =>
            Effect.gen(function*() {
              assert.deepStrictEqual(seen(tracehound), expected(), `start ${run}`)
              assert.strictEqual(tracehound.sync.quarantine.count, expected().length)
              const { length } = tracehound.sync.auditChain
              assert.strictEqual(length, model.audit.length)
              for (let i = 0; i < 20; i++) yield* step(tracehound)
            }), { quarantine })
        }
        yield* inDirectory(directory, (tracehound) =>
          Effect.sync(() => {
            const signatures = model.order().map(({ signature }) => signature)
            assert.deepStrictEqual(tracehound.sync.flush().map(({ signature }) => signature), signatures)
          }), { quarantine })
        const { entries, finding } = yield* verified(directory)
        assert.isNull(finding)
        assert.isAtLeast(entries, model.audit.length)
      }))
  }
})
