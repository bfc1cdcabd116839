/**
 * The process of one Express host. It listens on a port of its own, measures itself from "begin" to
 * "end", and tells the process that started it.
 *
 * **Gotchas**
 *
 * - Node's histogram counts the interval of its own timer as delay: it is taken off.
 */
import type { AddressInfo } from "node:net"
import { monitorEventLoopDelay } from "node:perf_hooks"
import type { TracehoundInstance } from "../../src/index.ts"
import { PauseWatch } from "../pauses.ts"
import { threatScent } from "../payloads.ts"
import { makeApplication } from "./application.ts"
import type { Custody, FromHost, HostFigures, HostOrder, Look, ToHost } from "./messages.ts"
import { maxPayloadSize } from "./requests.ts"

const order = JSON.parse(process.argv[2] ?? "{}") as HostOrder

const tell = (message: FromHost): boolean | undefined => process.send?.(message)

const mostHeld = 10_000

/** A Tracehound that runs and whose quarantine is full of what came before. */
const fullTracehound = async (): Promise<TracehoundInstance> => {
  // The host without custody loads nothing of it.
  const { createTracehound } = await import("../../src/index.ts")
  const tracehound = createTracehound({
    maxPayloadSize,
    quarantine: { maxCount: mostHeld },
    hound: { enabled: order.hasHounds }
  })
  await tracehound.init()
  const scent = threatScent("")
  for (let i = 0; i < mostHeld; i++) {
    scent.source = `192.0.2.${i % 251}`
    scent.payload = `' OR 1=1 -- ${i} `.padEnd(1024, "x")
    tracehound.intercept(scent)
  }
  if (tracehound.quarantine.count !== mostHeld) throw new Error(`it holds ${tracehound.quarantine.count}`)
  return tracehound
}

const custodyOf = ({ auditChain, hounds, quarantine, totals }: TracehoundInstance): Custody => {
  const { checked, valid } = auditChain.inspect()
  if (!valid) throw new Error("the audit chain does not verify")
  return {
    held: quarantine.count,
    most: mostHeld,
    records: checked,
    examined: hounds.outcomes().complete,
    totals: { ...totals() }
  }
}

/** What is measured from the moment at which it is made. */
const measuring = () => {
  const interval = 1
  const delay = monitorEventLoopDelay({ resolution: interval })
  const pauses = new PauseWatch()
  const memory: Array<Look> = []
  const start = performance.now()
  const processor = process.cpuUsage()
  const look = (): void => {
    const { external, heapUsed, rss } = process.memoryUsage()
    memory.push({ seconds: (performance.now() - start) / 1000, rss, heapUsed, external })
  }
  const timer = setInterval(look, order.lookMs)
  look()
  pauses.start()
  delay.enable()
  return async (): Promise<Omit<HostFigures, "custody">> => {
    delay.disable()
    clearInterval(timer)
    look()
    const { system, user } = process.cpuUsage(processor)
    await pauses.stop()
    const beyond = (ns: number): number => Math.max(0, ns / 1e6 - interval)
    return {
      delay: {
        count: delay.count,
        p50: beyond(delay.percentile(50)),
        p99: beyond(delay.percentile(99)),
        longest: beyond(delay.max)
      },
      processor: (system + user) / 1000,
      pauses: pauses.read(),
      memory
    }
  }
}

const tracehound = order.hasCustody ? await fullTracehound() : null
const application = await makeApplication(tracehound)
const server = application.listen(0, "127.0.0.1", () => {
  tell({ type: "listening", port: (server.address() as AddressInfo).port })
})

// A proxy keeps its connections, and closes them itself: one that the host closes may have a
// request on its way.
server.keepAliveTimeout = 3_600_000

/** Says what was measured, and leaves nothing running. */
const finish = async (end: ReturnType<typeof measuring>): Promise<void> => {
  const figures = { ...await end(), custody: tracehound === null ? null : custodyOf(tracehound) }
  tell({ type: "figures", figures })
  server.close()
  server.closeAllConnections()
  await tracehound?.dispose()
  process.disconnect?.()
}

let end: ReturnType<typeof measuring> | undefined
process.on("message", (message: ToHost) => {
  if (message === "begin") end = measuring()
  else if (end === undefined) throw new Error("it never began")
  else void finish(end)
})
// Whoever started it is gone: nobody needs it.
process.on("disconnect", () => process.exit(0))
