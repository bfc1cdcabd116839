/**
 * The actors of a whole Tracehound: which there are, that they do everything that takes time, and
 * the order in which they close.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Logger, Scope } from "effect"
import { TestClock } from "effect/testing"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { Inspection } from "tracehound/actor"
import { AlertRecorder, MemoryColdStorage, TracehoundTest } from "tracehound/testing"
import { createTracehound, Tracehound } from "../../src/index.ts"

const threat = (severity: "low" | "high" | "critical") => ({ category: "injection", severity }) as const
const scent = (payload: unknown, severity: "low" | "high" | "critical" = "high") => ({
  id: "1",
  source: "192.0.2.1",
  timestamp: 1,
  payload,
  threat: threat(severity)
})

/** Every actor of a tree, as its name and the kind of its mailbox. */
const mailboxes = (tree: Inspection): ReadonlyArray<string> =>
  tree.kind === "actor" ? [`${tree.name} ${tree.mailbox.kind}`] : tree.children.flatMap(mailboxes)

const callbacks = {
  onPurge: () => undefined,
  onEscalate: () => undefined,
  onPanicThreshold: () => undefined,
  onQuarantineFull: () => undefined,
  onColdStorageFailure: () => undefined
}

describe("actors", () => {
  it.effect("RFC S1 every queue is the one that the RFC assigns: alerts go by lanes, all others are FIFO", () =>
    Effect.gen(function*() {
      const { sync } = yield* Tracehound
      const tree = sync.actors()
      assert.strictEqual(tree.strategy, "one_for_one")
      assert.sameMembers([...mailboxes(tree)], [
        "activation fifo",
        "alerts lanes",
        "coldstorage fifo",
        "compressor fifo",
        "devops lanes",
        "onColdStorageFailure fifo",
        "onEscalate fifo",
        "onPanicThreshold fifo",
        "onPurge fifo",
        "onQuarantineFull fifo",
        "purge fifo",
        "shutdown fifo"
      ])
      assert.deepStrictEqual(structuredClone(tree), tree)
    }).pipe(Effect.provide(
      TracehoundTest.layer({ alerts: { devopsEndpoint: "http://127.0.0.1:1/hook" } }, { callbacks })
    )))

  it.effect("RFC S2 a message that a full mailbox refuses is counted, and every message ends somewhere", () =>
    Effect.gen(function*() {
      const { settled, sync } = yield* Tracehound
      const memory = yield* MemoryColdStorage
      yield* memory.hang()
      for (let n = 0; n < 400; n++) sync.intercept(scent(`payload ${n}`))
      const { deadLetters, pending } = sync.coldStorage.stats()
      assert.strictEqual(pending, 4)
      assert.strictEqual(deadLetters, 400 - 2 - 4)
      assert.strictEqual(sync.deadLetters(), deadLetters)
      yield* memory.release()
      yield* settled
      assert.strictEqual((yield* memory.written).length, 4)
      assert.strictEqual(sync.auditChain.length, 398)
    }).pipe(Effect.provide(TracehoundTest.layer({
      rateLimit: { maxRequests: 1_000 },
      quarantine: { maxCount: 2 },
      audit: { coldStorage: { endpoint: "file:memory", maxPendingCount: 4 } }
    }))))

  it.effect("RFC S2 a stampede of a hundred times what the mailboxes hold changes none of the core's answers", () =>
    Effect.gen(function*() {
      const answers = (steer: (memory: MemoryColdStorage["Service"]) => Effect.Effect<void>) =>
        Effect.gen(function*() {
          const { settled, sync } = yield* Tracehound
          const memory = yield* MemoryColdStorage
          yield* steer(memory)
          const said = Array.from({ length: 1_600 }, (_, n) => {
            const result = sync.intercept(scent(`payload ${n % 1_500}`, n % 7 === 0 ? "critical" : "low"))
            return [result.status, sync.quarantine.count, sync.quarantine.bytes]
          })
          const { pending, pendingBytes } = sync.coldStorage.stats()
          assert.isAtMost(pending, 16)
          assert.isAtMost(pendingBytes, 16 * 12)
          // Time that passes while it closes is the test's too: nothing may hang by then.
          yield* memory.heal
          yield* TestClock.adjust("1 hour")
          yield* settled
          return JSON.stringify(said)
        }).pipe(Effect.provide(TracehoundTest.layer({
          rateLimit: { maxRequests: 2_000 },
          quarantine: { maxCount: 8 },
          hound: { escalation: { fill: 1 }, maxActive: 1, maxPending: 1 },
          audit: { coldStorage: { endpoint: "file:memory", maxPendingCount: 16 } }
        })))
      const undisturbed = yield* answers(() => Effect.void)
      assert.strictEqual(yield* answers((memory) => memory.hang()), undisturbed)
      assert.strictEqual(yield* answers((memory) => memory.failAlways), undisturbed)
      assert.strictEqual(yield* answers((memory) => memory.slowBy(60_000)), undisturbed)
    }))

  it.effect("RFC S4 closing goes from the top down: evidence that cold storage cannot write while it closes is still an alert", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const logger = Logger.make<unknown, void>(({ message }) => {
        lines.push(String(message))
      })
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(
        TracehoundTest.layer({
          quarantine: { maxCount: 1 },
          audit: { coldStorage: { endpoint: "file:memory", retries: 0 } }
        }).pipe(Layer.provide(Logger.layer([logger]))),
        scope
      )
      yield* Effect.gen(function*() {
        const { sync } = yield* Tracehound
        const memory = yield* MemoryColdStorage
        yield* memory.failAlways
        sync.intercept(scent("a", "low"))
        sync.intercept(scent("b", "low"))
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual((yield* memory.attempts).length, 1)
        assert.strictEqual(sync.coldStorage.stats().deadLetters, 1)
        assert.deepStrictEqual(lines, ["coldstorage.failure: evidence was not written: the endpoint failed"])
        assert.deepStrictEqual(yield* (yield* AlertRecorder).types, ["coldstorage.failure"])
        assert.strictEqual(sync.actors().phase, "ended")
        assert.deepStrictEqual(sync.actors().children, [])
      }).pipe(Effect.provide(context))
    }))

  it.effect("RFC W1 W2 the flood of alerts leaves the snapshot as it was, and one escalation", () =>
    Effect.gen(function*() {
      const { sync } = yield* Tracehound
      for (let n = 0; n < 500; n++) sync.intercept(scent(n, "critical"))
      const before = sync.watcher.snapshot()
      assert.deepStrictEqual(sync.watcher.snapshot(), before)
      yield* TestClock.adjust(1)
      const types = yield* (yield* AlertRecorder).types
      assert.deepStrictEqual(types, [
        "alert.flood",
        ...Array.from({ length: 10 }, () => "high_severity_eviction" as const)
      ])
    }).pipe(Effect.provide(TracehoundTest.layer(
      { rateLimit: { maxRequests: 1_000 }, quarantine: { maxCount: 1 }, hound: { escalation: { fill: 1 } } },
      { coldStorage: false }
    ))))
})

/** A server that answers every request with this status and keeps the bodies. */
const hook = async (status: number) => {
  const bodies: Array<string> = []
  const server = createServer((request, response) => {
    let body = ""
    request.on("data", (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on("end", () => {
      bodies.push(body)
      response.writeHead(status).end()
    })
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  const close = () =>
    new Promise<void>((resolve) => {
      server.closeAllConnections()
      server.close(() => resolve())
    })
  return { bodies, close, url: `http://127.0.0.1:${port}/hook?secret=s3cr3t` }
}

describe("devopsEndpoint", () => {
  it("RFC W3 an alert that leaves is posted, before dispose has ended", async () => {
    const { bodies, close, url } = await hook(200)
    const tracehound = createTracehound({
      hound: { enabled: false },
      quarantine: { maxCount: 1 },
      alerts: { devopsEndpoint: url }
    })
    await tracehound.init()
    tracehound.intercept(scent("a"))
    tracehound.intercept(scent("b"))
    await tracehound.dispose()
    await close()
    assert.strictEqual(bodies.length, 1)
    const alert: unknown = JSON.parse(bodies[0] ?? "")
    assert.include(alert, { type: "high_severity_eviction", severity: "warning" })
    assert.deepStrictEqual(tracehound.watcher.snapshot().errors.map(({ code }) => code), ["quarantine_full"])
  })

  it("RFC S2 W3 a message that an actor could not do is one dead letter of the Tracehound", async () => {
    const { close, url } = await hook(404)
    const tracehound = createTracehound({
      hound: { enabled: false },
      quarantine: { maxCount: 1 },
      alerts: { devopsEndpoint: url }
    })
    await tracehound.init()
    tracehound.intercept(scent("a"))
    tracehound.intercept(scent("b"))
    // Until the failure is on the board: once the alerts service has closed, an alert that the
    // endpoint refuses is a dead letter of that service as well.
    const isTold = () => tracehound.watcher.snapshot().errors.some(({ code }) => code === "devops_failure")
    for (let n = 0; n < 1_000 && !isTold(); n++) await Effect.runPromise(Effect.sleep(5))
    await tracehound.dispose()
    await close()
    assert.isTrue(isTold())
    assert.strictEqual(tracehound.deadLetters(), 1)
  })

  it("RFC W3 one that refuses is an error on the board and an alert to the log, which is not posted again", async () => {
    const { bodies, close, url } = await hook(404)
    const tracehound = createTracehound({
      hound: { enabled: false },
      quarantine: { maxCount: 1 },
      alerts: { devopsEndpoint: url }
    })
    await tracehound.init()
    tracehound.intercept(scent("a"))
    tracehound.intercept(scent("b"))
    await tracehound.dispose()
    await close()
    assert.strictEqual(bodies.length, 1)
    const { errors } = tracehound.watcher.snapshot()
    assert.deepStrictEqual(errors.map(({ code, recoverable, state }) => [code, recoverable, state]), [
      ["quarantine_full", true, "quarantine"],
      ["devops_failure", true, "agent"]
    ])
    assert.notInclude(JSON.stringify(errors), "s3cr3t")
  })

  it("RFC R4 dispose leaves no connection and no timer behind, and the process ends", async () => {
    const { bodies, close, url } = await hook(200)
    const script = `
      import { createTracehound } from ${JSON.stringify(new URL("../../src/index.ts", import.meta.url).href)}
      process.stdout.write("begins ") // the pipe to this test is the process's own
      const before = process.getActiveResourcesInfo()
      const tracehound = createTracehound(
        { quarantine: { maxCount: 1 }, alerts: { devopsEndpoint: ${JSON.stringify(url)} } },
        { onEscalate: () => new Promise(() => {}) }
      )
      await tracehound.init()
      for (const payload of ["a", "b"]) {
        tracehound.intercept({ id: "1", source: "s", timestamp: 1, payload, threat: { category: "spam", severity: "high" } })
      }
      await tracehound.dispose()
      const left = process.getActiveResourcesInfo()
      for (const name of before) left.splice(left.indexOf(name), 1)
      process.stdout.write("LEFT " + JSON.stringify(left))`
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"]
    })
    let said = ""
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString()
    })
    const [status] = await once(child, "close")
    await close()
    assert.strictEqual(status, 0)
    assert.strictEqual(bodies.length, 1)
    assert.include(said, "LEFT []")
  })
})
