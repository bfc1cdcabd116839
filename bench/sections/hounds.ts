/**
 * Hounds: the cost of a start, a round trip and a job, the memory of one, and whether the host is
 * held up meanwhile.
 *
 * Lines about one or two hounds measure processes, pipes and sandbox alone; those with `intercept`
 * go through all of Tracehound. The analyzer does nothing, so that all of it is the cost of hounds.
 */
import { execFile } from "node:child_process"
import { setTimeout } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { ForkServer } from "../../src/hound/process/ForkServer.ts"
import { LocalSpawner } from "../../src/hound/process/LocalSpawner.ts"
import type { Spawner } from "../../src/hound/process/Spawner.ts"
import type { Line } from "../goals.ts"
import { once } from "../heap.ts"
import { handovers, houndPeers, houndSizes, replacements } from "../houndLines.ts"
import { threadPools } from "../houndPeers.ts"
import { analyzer, awake, defaultPlan, heldBy, keepBusy, planAt, readyHound } from "../houndWorld.ts"
import type { Delays } from "../largeHost.ts"
import { type Context, type Measure, measureValues, measureWaiting, type WaitingMakers } from "../measure.ts"
import { changingBytes, threatScent } from "../payloads.ts"
import { median, quantile } from "../statistics.ts"
import { roomyTracehound } from "../tracehounds.ts"

type Values = Readonly<Record<string, () => number | Promise<number>>>

const timed = async (run: () => Promise<unknown>): Promise<number> => {
  const start = performance.now()
  await run()
  return performance.now() - start
}

/** The peers that a line was asked of: the others need not be installed. */
const askedPeers = ({ lines }: Context): ReadonlyArray<typeof houndPeers[number]> =>
  houndPeers.filter((peer) => lines.some(({ name }) => name.startsWith(peer)))

/** Starts hounds one at a time, and ends them. */
const starting = (spawner: Spawner): () => Promise<number> => {
  let id = 0
  return async () => {
    id += 1
    const took = await timed(() => readyHound(spawner, id))
    spawner.kill(id)
    return took
  }
}

const starts = async (context: Context): Promise<Values> => {
  const runs = context.quick ? 3 : 15
  const plan = await defaultPlan()
  const hard = await planAt("hard")
  const forkServer = new ForkServer(plan)
  const hardForkServer = hard === null ? null : new ForkServer(hard)
  const all: Record<string, () => Promise<number>> = {
    "spawn to ready, default": starting(forkServer),
    "spawn to ready, default, without a fork server": starting(new LocalSpawner(plan)),
    ...(hardForkServer === null ? {} : { "spawn to ready, hard": starting(hardForkServer) }),
    "fork server and first hound to ready": async () => {
      const fresh = new ForkServer(plan)
      const took = await timed(() => readyHound(fresh, 1))
      await fresh.close()
      return took
    }
  }
  for (const peer of askedPeers(context)) {
    const make = await threadPools[peer]()
    all[`${peer}: pool to first answer`] = async () => {
      const start = performance.now()
      const pool = make(1)
      await pool.run(0, false)
      const took = performance.now() - start
      await pool.close()
      return took
    }
  }
  const times = new Map(Object.keys(all).map((name): [string, Array<number>] => [name, []]))
  // The first of each is the warm-up, and starts the fork servers.
  for (let run = -1; run < runs; run++) {
    for (const [name, measure] of Object.entries(all)) {
      context.progress(`${name}, ${run + 1} of ${runs}`)
      const took = await measure()
      if (run >= 0) times.get(name)?.push(took)
    }
  }
  return Object.fromEntries([...times].map(([name, taken]) => [name, () => median(taken)]))
}

const memory = async (): Promise<Values> => {
  const forkServer = new ForkServer(await defaultPlan())
  const hounds = []
  for (let id = 1; id <= 5; id++) hounds.push(await readyHound(forkServer, id))
  const held = await Promise.all(hounds.map(({ pid }) => heldBy(pid)))
  const forkServerHeld = await heldBy(forkServer.pid() ?? "self")
  await forkServer.close()
  const threads = 4
  const values: Record<string, Values[string]> = {
    "a hound that is ready, resident": () => median(held.map(({ resident }) => resident)),
    "a hound that is ready, private": () => median(held.map((one) => one.private)),
    "the fork server, resident": () => forkServerHeld.resident,
    "the fork server, private": () => forkServerHeld.private
  }
  for (const peer of houndPeers) {
    values[`${peer}: a thread`] = async () => {
      const make = await threadPools[peer]()
      const before = await heldBy("self")
      const pool = make(threads)
      // So long that no thread gets two of them.
      await Promise.all(Array.from({ length: threads }, () => pool.run(1000, false)))
      const after = await heldBy("self")
      await pool.close()
      return (after.resident - before.resident) / threads
    }
  }
  return values
}

const roundTrips = async (context: Context): Promise<Values> => {
  const forkServer = new ForkServer(await defaultPlan())
  const hound = await readyHound(forkServer, 1)
  const contenders: Array<[string, (bytes: Uint8Array<ArrayBuffer>) => Promise<unknown>]> = [
    ["", (bytes) => keepBusy([hound], 1, () => bytes)]
  ]
  for (const peer of askedPeers(context)) {
    const pool = (await threadPools[peer]())(1)
    contenders.push([`${peer}: `, (bytes) => pool.run(bytes, true)])
  }
  const values: Record<string, Values[string]> = {}
  const asked = houndSizes.filter(({ size }) => context.lines.some(({ name }) => name.includes(`, ${size}:`)))
  for (const { bytes, size } of asked) {
    const rounds = context.quick ? 3 : 21
    const each = Math.max(20, Math.min(300, Math.round(30_000_000 / bytes)))
    const times = contenders.map((): Array<number> => [])
    const template = new Uint8Array(bytes).fill(97)
    // The first two rounds are the warm-up.
    for (let round = -2; round < rounds; round++) {
      context.progress(`round trips of ${size}: ${round + 1} of ${rounds}`)
      for (const [at, [, run]] of contenders.entries()) {
        for (let trip = 0; trip < each; trip++) {
          const copy = template.slice()
          const took = await timed(() => run(copy))
          if (round >= 0) times[at]?.push(took)
        }
      }
    }
    for (const [at, [prefix]] of contenders.entries()) {
      values[`${prefix}round trip, ${size}: p50`] = () => median(times[at] ?? [])
      values[`${prefix}round trip, ${size}: p99`] = () => quantile(times[at] ?? [], 0.99)
    }
  }
  return values
}

/** Examinations that are on their way through Tracehound at the same time. */
const inFlight = 128

/** Evidence held between two turns. */
const mostHeld = 67_108_864

/** A Tracehound all of whose evidence is examined, by two hounds that stay. */
const lookingTracehound = async () => {
  const tracehound = roomyTracehound({
    hound: {
      analyzer: { path: analyzer },
      maxActive: 2,
      maxJobs: 4_000_000_000,
      readyTimeout: 60_000,
      maxProcessingTime: 60_000,
      escalation: { severity: "low" }
    },
    // Each piece of evidence is a record, and none of them is read here.
    audit: { maxRecords: 10_000 }
  })
  await tracehound.init()
  const { flush, hounds, intercept, quarantine } = tracehound
  let i = 0
  return (size: number) => {
    const bytes = changingBytes(size)
    const scent = threatScent(bytes(0), { category: "malware", severity: "critical" })
    return async (calls: number): Promise<void> => {
      const { complete: before } = hounds.outcomes()
      const through = (): number => hounds.outcomes().complete - before
      for (let sent = 0; through() < calls;) {
        for (; sent < calls && sent - through() < inFlight; sent++) {
          bytes(i++)
          const { status } = intercept(scent)
          if (status !== "escalated" && status !== "quarantined") throw new Error(`new evidence was ${status}`)
        }
        await setTimeout(1)
        const { complete: _, ...others } = hounds.outcomes()
        if (Object.values(others).some((count) => count > 0)) throw new Error(JSON.stringify(others))
      }
      // After this turn was timed, and before the next one begins.
      if (quarantine.bytes > mostHeld) setImmediate(flush)
    }
  }
}

/** Has a pool of threads do that many jobs, with enough of them always waiting. */
const threadsBusy = async (calls: number, run: () => Promise<unknown>): Promise<void> => {
  let sent = 0
  const oneAfterTheOther = async (): Promise<void> => {
    while (sent < calls) {
      sent += 1
      await run()
    }
  }
  await Promise.all(Array.from({ length: 8 }, oneAfterTheOther))
}

const jobs = (): WaitingMakers => {
  const pair = once(async () => {
    const forkServer = new ForkServer(await defaultPlan())
    return Promise.all([readyHound(forkServer, 1), readyHound(forkServer, 2)])
  })
  const looking = once(lookingTracehound)
  const makers: Record<string, WaitingMakers[string]> = {}
  const pools = houndPeers.map((peer) => ({ peer, pool: once(async () => (await threadPools[peer]())(2)) }))
  for (const { bytes, size } of houndSizes) {
    const template = new Uint8Array(bytes).fill(97)
    makers[`two hounds kept busy, ${size}`] = async () => {
      const hounds = await pair()
      return { run: (calls) => keepBusy(hounds, calls, () => template.slice()) }
    }
    makers[`intercept, pool and two hounds, ${size}`] = async () => ({ run: (await looking())(bytes) })
    for (const { peer, pool } of pools) {
      for (const handover of handovers) {
        makers[`${peer}: two threads, ${handover}, ${size}`] = async () => {
          const { run } = await pool()
          const isTransferred = handover === "transferred"
          return {
            run: (calls) => threadsBusy(calls, () => run(isTransferred ? template.slice() : template, isTransferred))
          }
        }
      }
    }
  }
  return makers
}

const largeHost = fileURLToPath(new URL("../largeHost.ts", import.meta.url))

const delays = (): Values => {
  const found = once(async (): Promise<Delays> => {
    const flags = ["--expose-gc", "--max-old-space-size=4096", "--no-warnings"]
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, largeHost])
    return JSON.parse(stdout) as Delays
  })
  const value = (name: string, figure: "longest" | "p99") => async () => {
    const delay = (await found())[name]
    if (delay === undefined) throw new Error(`nothing was said of ${name}`)
    return delay[figure]
  }
  const heap = "1 GiB heap"
  const shown: ReadonlyArray<readonly [string, string]> = [
    [`${heap}, nothing going on`, "idle"],
    [`${heap}, ${replacements} hounds replaced`, "forkServer"],
    [`${heap}, ${replacements} replaced without a fork server`, "direct"],
    [`${heap}, starting, with a fork server`, "startingForkServer"],
    [`${heap}, starting, without a fork server`, "startingDirect"],
    ...houndPeers.map((peer) => [`${peer}: ${heap}, ${replacements} threads replaced`, peer] as const)
  ]
  return Object.fromEntries(shown.flatMap(([name, key]) => [
    [`${name}: longest delay`, value(key, "longest")],
    [`${name}: p99`, value(key, "p99")]
  ]))
}

/** Whether this run, on this machine, has that line. */
const isWanted = (whole: boolean, hasHard: boolean) => ({ group, name }: Line): boolean => {
  if (name.endsWith(", hard") && !hasHard) return false
  // Memory is read from /proc.
  if (group === "kept" && process.platform !== "linux") return false
  return whole || !(group === "delays" || name.includes("copied") || (group === "jobs" && name.includes("1 MiB")))
}

export const measure: Measure = (context) =>
  awake(async () => {
    const [first] = context.lines
    const hasHard = first?.group === "start" && await planAt("hard") !== null
    const asked = { ...context, lines: context.lines.filter(isWanted(context.whole, hasHard)) }
    if (first === undefined || asked.lines.length === 0) return []
    if (first.group === "start") return measureValues(asked, await starts(asked))
    if (first.group === "kept") return measureValues(asked, await memory())
    if (first.group === "round trips") return measureValues(asked, await roundTrips(asked))
    if (first.group === "delays") return measureValues(asked, delays())
    // Turns so long that the millisecond of a timer does not count.
    const turns = context.quick
      ? { rounds: Math.min(3, context.turns.rounds), turnMs: 50, warmMs: 100 } :
      { rounds: 15, turnMs: 150, warmMs: 500 }
    return measureWaiting({ ...asked, turns }, jobs())
  })
