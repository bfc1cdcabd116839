/**
 * Hounds under load while the test kills them, stops them, closes their pipes, and kills and stops
 * their fork server. `npm run test:long` goes on for a minute, and `CHAOS_SECONDS` says for how
 * long else.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Layer, References } from "effect"
import { readdirSync } from "node:fs"
import type { Socket } from "node:net"
import { ColdStorageEndpoint } from "../../../src/custody/coldstorage/Endpoint.ts"
import * as NodePorts from "../../../src/host/node/NodePorts.ts"
import * as Launcher from "../../../src/hound/pool/Launcher.ts"
import { layerOf } from "../../../src/hound/pool/ProcessPool.ts"
import { assemble, started, Tracehound } from "../../../src/runtime/Tracehound.ts"
import { amount } from "../../support/tiers.ts"
import { analyzerFile, descendants, houndsOf, obedient, until } from "./pools.ts"

const seconds = Number(process.env["CHAOS_SECONDS"] ?? amount({ sample: 1, rest: 4, long: 60 }))

/** Jobs that wait at the most. */
const crowd = 24

const descriptors = (): number => readdirSync("/proc/self/fd").length

const harm = (pid: number | undefined, signal: NodeJS.Signals): boolean => {
  if (pid === undefined) return false
  try {
    return process.kill(pid, signal)
  } catch {
    // It was quicker.
    return false
  }
}

const chaos = Effect.gen(function*() {
  const path = yield* analyzerFile(obedient)
  const written = new Map<string, number>()
  const pipes: Array<Socket> = []
  const launcher = Effect.map(Launcher.open, (launcher) => ({
    ...launcher,
    openConnection: (pipe: Socket) => {
      pipes.push(pipe)
      return launcher.openConnection(pipe)
    }
  }))
  const endpoint = Layer.succeed(ColdStorageEndpoint, {
    destination: "file:chaos",
    open: Effect.void,
    write: (name, bytes) => Effect.sync(() => void written.set(name, bytes.length))
  })
  const purged = new Set<string>()
  const context = yield* Layer.build(
    started(assemble({
      config: {
        rateLimit: { maxRequests: 1_000_000_000 },
        alerts: { maxAlertsPerWindow: 1 },
        quarantine: { maxCount: 1_000_000, maxBytes: 1_000_000_000 },
        failSafe: { onHoundError: "quarantine" },
        audit: { coldStorage: { endpoint: "file:chaos" } },
        hound: {
          analyzer: { path },
          minimumDormant: 2,
          maxActive: 2,
          maxProcessingTime: 1_000,
          replenishDelay: 10,
          readyTimeout: 20_000,
          maxPending: 10_000
        }
      },
      callbacks: { onPurge: ({ id }) => void purged.add(id) },
      endpointFor: () => endpoint,
      hounds: layerOf(launcher)
    })).pipe(Layer.provide(NodePorts.layer))
  )
  const { sync } = yield* Effect.provideContext(Tracehound, context)
  const outcomes = (): number => Object.values(sync.hounds.outcomes()).reduce((sum, count) => sum + count, 0)
  const done = { kill: 0, stop: 0, pipe: 0, forkServer: 0, forkServerStop: 0 }
  const forkServer = (): number | undefined =>
    descendants().find(({ command }) => command.includes("ForkServerMain"))?.pid
  const some = <A>(among: ReadonlyArray<A>): A | undefined => among[Math.floor(Math.random() * among.length)]
  const before = descriptors()
  let asked = 0

  const misdeeds: ReadonlyArray<() => void> = [
    () => void (harm(some(houndsOf(path))?.pid, "SIGKILL") && done.kill++),
    () => void (harm(some(houndsOf(path))?.pid, "SIGKILL") && done.kill++),
    () => void (harm(some(houndsOf(path))?.pid, "SIGSTOP") && done.stop++),
    () => {
      const pipe = some(pipes.filter(({ destroyed }) => !destroyed))
      if (pipe !== undefined) done.pipe += 1
      pipe?.destroy()
    }
  ]
  const killForkServer = (): void => void (harm(forkServer(), "SIGKILL") && done.forkServer++)
  const end = Date.now() + seconds * 1_000
  // Each at least once, however short the run.
  for (const misdeed of [...misdeeds, killForkServer]) misdeed()
  let turn = 0
  while (Date.now() < end) {
    while (asked - outcomes() < crowd) {
      asked += 1
      const { status } = sync.intercept({
        id: `${asked}`,
        source: "192.0.2.7",
        timestamp: 1_700_000_000_000,
        payload: asked % 50 === 0 ? `loop ${asked}` : `wait ${asked % 7} ${asked}`,
        threat: { category: "malware", severity: "critical" }
      })
      assert.oneOf(status, ["escalated", "quarantined"])
    }
    yield* Effect.sleep("20 millis")
    turn += 1
    // About as often as the pool can come back from it.
    if (turn % 600 === 599) {
      if (harm(forkServer(), "SIGSTOP")) done.forkServerStop += 1
    } else if (turn % 150 === 149) killForkServer()
    else if (turn % 15 === 14) some(misdeeds)?.()
    const { active, dormant } = sync.watcher.snapshot().hound
    assert.isAtMost(active, 2)
    assert.isAtMost(active + dormant, 8)
  }
  yield* until(() => outcomes() === asked)
  yield* until(() => sync.hounds.active === 0 && sync.hounds.dormant >= 2)
  yield* until(() => purged.size === sync.hounds.outcomes().timeout)
  yield* until(() => written.size === purged.size)

  // Every piece of evidence is held, or was purged and is in cold storage; every piece was looked
  // at once, to an end.
  const { complete, error, timeout } = sync.hounds.outcomes()
  assert.strictEqual(complete + error + timeout, asked)
  assert.strictEqual(sync.quarantine.count + purged.size, asked)
  assert.strictEqual(sync.deadLetters(), 0)
  assert.strictEqual(sync.state(), "running")
  assert.isTrue(sync.auditChain.verify())
  // Those that were stopped while they were dormant are still stopped: no zombies, and no
  // descriptors beyond what the pool has.
  yield* until(() => descendants().every(({ state }) => state !== "Z"))
  yield* until(() => houndsOf(path).length === sync.hounds.dormant)
  assert.isAtMost(descriptors(), before + 2 * (sync.hounds.dormant + 2))
  return { seconds, asked, ...done, ...sync.hounds.outcomes() }
})

it.live(
  `RFC H6 ${seconds} s of chaos: nothing is lost, counts are exact, the pool is whole, nothing leaks`,
  () =>
    Effect.gen(function*() {
      const descriptorsBefore = descriptors()
      const processesBefore = descendants().length
      const report = yield* Effect.scoped(chaos)
      yield* until(() => descendants().length === processesBefore)
      yield* until(() => descriptors() <= descriptorsBefore)
      yield* Effect.sync(() => console.log(JSON.stringify(report)))
    }).pipe(Effect.provideService(References.MinimumLogLevel, "None")),
  seconds * 1_000 + 120_000
)
