/**
 * A host with a large heap, which `sections/hounds.ts` runs in a process of its own: measures how
 * late its event loop is while hounds, or threads, are started and ended beside it. Prints the
 * delays in ms, as JSON.
 *
 * **Gotchas**
 *
 * - The heap is built and collected before anything is measured, and only what is measured
 *   allocates meanwhile. A collection that comes all the same takes as long as the heap is large,
 *   and is in the figures.
 * - Node's histogram counts the interval of its own timer as delay: it is taken off.
 */
import { monitorEventLoopDelay } from "node:perf_hooks"
import { setTimeout } from "node:timers/promises"
import { houndPeers, replacements } from "./houndLines.ts"
import { threadPools } from "./houndPeers.ts"
import { analyzer, awake } from "./houndWorld.ts"
import { changingBytes, threatScent } from "./payloads.ts"
import { roomyTracehound } from "./tracehounds.ts"

/** How late the event loop was, in ms. */
interface Delay {
  readonly longest: number
  readonly p99: number
}

/** The delays, by what was going on. */
export type Delays = Readonly<Record<string, Delay>>

const interval = 1
const large = 1_073_741_824

/** Objects as programs have them: small, and each pointing to others. */
const fill = (): ReadonlyArray<unknown> => {
  const held: Array<unknown> = []
  while (process.memoryUsage().heapUsed < large) {
    for (let i = 0; i < 50_000; i++)
      held.push({ id: i, name: `item ${i}`, tags: [i, i + 1], next: held[held.length >> 1] })
  }
  return held
}

const settle = async (): Promise<void> => {
  for (let i = 0; i < 2; i++) globalThis.gc?.()
  await setTimeout(200)
}

const delayDuring = async (run: () => Promise<void>): Promise<Delay> => {
  await settle()
  const histogram = monitorEventLoopDelay({ resolution: interval })
  histogram.enable()
  await run()
  histogram.disable()
  const of = (ns: number): number => Math.max(0, ns / 1e6 - interval)
  return { longest: of(histogram.max), p99: of(histogram.percentile(99)) }
}

const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await setTimeout(2)
}

/** One hound after the other is activated, examines its evidence and is replaced. */
const withHounds = async (forkServer: boolean): Promise<{ readonly starting: Delay; readonly replacing: Delay }> => {
  const minimumDormant = 2
  const tracehound = roomyTracehound({
    hound: {
      analyzer: { path: analyzer },
      forkServer,
      minimumDormant,
      maxJobs: 1,
      replenishDelay: 10,
      readyTimeout: 60_000,
      maxProcessingTime: 60_000,
      escalation: { severity: "low" }
    }
  })
  const { hounds, intercept } = tracehound
  const bytes = changingBytes(1024)
  const scent = threatScent(bytes(0))
  const starting = await delayDuring(() => tracehound.init())
  const replacing = await delayDuring(async () => {
    for (let i = 1; i <= replacements; i++) {
      bytes(i)
      intercept(scent)
      await until(() => hounds.outcomes().complete === i && hounds.dormant === minimumDormant && hounds.active === 0)
    }
  })
  await tracehound.dispose()
  return { starting, replacing }
}

const measured = async (): Promise<Delays> => {
  const held = fill()
  // The first use of anything loads its code: that is no delay of the second.
  const start = performance.now()
  const forkServer = await withHounds(true)
  const took = performance.now() - start
  const idle = await delayDuring(() => setTimeout(took))
  const direct = await withHounds(false)
  const delays: Record<string, Delay> = {
    idle,
    forkServer: forkServer.replacing,
    startingForkServer: forkServer.starting,
    direct: direct.replacing,
    startingDirect: direct.starting
  }
  for (const peer of houndPeers) {
    const make = await threadPools[peer]()
    delays[peer] = await delayDuring(async () => {
      for (let i = 0; i < replacements; i++) {
        const pool = make(1)
        await pool.run(0, false)
        await pool.close()
      }
    })
  }
  if (held.length === 0) throw new Error("nothing was held")
  return delays
}

const delays = await awake(measured)
process.stdout.write(JSON.stringify(delays), () => process.exit(0))
