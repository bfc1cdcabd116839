/**
 * Runs two Express hosts at the same time, one without custody and one with it, and one process of
 * clients that sends both the same requests: so what the machine does meanwhile hits both.
 */
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { ClientsOrder, FromClients, FromHost, HostFigures, HostOrder, ToHost } from "./messages.ts"
import { type Answers, unexpected, type Waits } from "./tally.ts"

/** What is to be run. */
export interface HostRun {
  /** Requests a second to each host. */
  readonly rate: number
  /** What the hosts run before anything counts. */
  readonly warmSeconds: number
  readonly seconds: number
  readonly hasHounds: boolean
}

/** What was measured of one host, and what its clients got. */
export interface HostResult {
  readonly figures: HostFigures
  readonly answers: Answers
}

/** What was measured of both. */
export interface HostReport {
  readonly run: HostRun
  /** How late requests were sent. */
  readonly late: Waits
  readonly without: HostResult
  readonly with: HostResult
}

const file = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** A process that is told what to do, and what it tells. */
class Process<Told> {
  readonly #child: ChildProcess
  readonly #heard: Array<Told> = []
  #ended: string | null = null
  #wake: () => void = () => undefined

  constructor(name: string, order: HostOrder | ClientsOrder) {
    const { NODE_OPTIONS: _, ...env } = process.env
    this.#child = fork(file(name), [JSON.stringify(order)], {
      env: { ...env, NODE_ENV: "production" },
      execArgv: ["--no-warnings"],
      stdio: ["ignore", "ignore", "inherit", "ipc"]
    })
    this.#child.on("message", (message: Told) => {
      this.#heard.push(message)
      this.#wake()
    })
    this.#child.on("error", (error) => this.#end(error.message))
    this.#child.on("close", (code, signal) => this.#end(`it ended with ${signal ?? code}`))
  }

  #end(how: string): void {
    this.#ended ??= how
    this.#wake()
  }

  tell(message: ToHost): void {
    this.#child.send(message)
  }

  /** The next thing that it tells. Rejects where it ends without. */
  async next(): Promise<Told> {
    for (;;) {
      const first = this.#heard.shift()
      if (first !== undefined) return first
      if (this.#ended !== null) throw new Error(`a process of the host's measurement failed: ${this.#ended}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  kill(): void {
    this.#child.kill("SIGKILL")
  }
}

/** The next thing that is told, which must be of this type. */
const expect = async <Told extends { readonly type: string }, Type extends Told["type"]>(
  from: Process<Told>,
  type: Type
): Promise<Extract<Told, { readonly type: Type }>> => {
  const told = await from.next()
  if (told.type !== type) throw new Error(`${told.type} was told in place of ${type}`)
  return told as Extract<Told, { readonly type: Type }>
}

/** Ten seconds, or a twelfth of a short run. */
const lookMsOf = (seconds: number): number => Math.min(10_000, seconds * 1000 / 12)

/** What should not have been, of both hosts. */
export const faultsOf = (report: HostReport): ReadonlyArray<string> => {
  const { custody } = report.with.figures
  return [
    ...unexpected(report.without.answers, false).map((fault) => `without Tracehound: ${fault}`),
    ...unexpected(report.with.answers, true).map((fault) => `with Tracehound: ${fault}`),
    ...(custody !== null && custody.held !== custody.most
      ? [`${custody.held} pieces are held, where the quarantine has room for ${custody.most}`]
      : []),
    ...(custody === null || custody.records === 0 ? ["nothing left custody, which should have been full"] : [])
  ]
}

/**
 * Runs both hosts and their clients. Rejects where a process fails, and where an answer is not the
 * one that its request should get.
 */
export const runHosts = async (
  run: HostRun,
  progress: (what: string) => void = () => undefined
): Promise<HostReport> => {
  const { hasHounds, rate, seconds, warmSeconds } = run
  const hostOrder = { hasHounds, lookMs: lookMsOf(seconds) }
  const hosts = [false, true].map((hasCustody) => new Process<FromHost>("server.ts", { ...hostOrder, hasCustody }))
  const started: Array<{ readonly kill: () => void }> = [...hosts]
  try {
    progress("starting two hosts")
    const ports = await Promise.all(hosts.map(async (host) => (await expect(host, "listening")).port))
    const order: ClientsOrder = { ports, rate, warmMs: warmSeconds * 1000, runMs: seconds * 1000 }
    const clients = new Process<FromClients>("clients.ts", order)
    started.push(clients)
    progress("warming up")
    await expect(clients, "warm")
    for (const host of hosts) host.tell("begin")
    progress(`${rate} requests a second to each for ${seconds} s`)
    await expect(clients, "sent")
    const { figures: { answers, late } } = await expect(clients, "figures")
    for (const host of hosts) host.tell("end")
    const figures = await Promise.all(hosts.map(async (host) => (await expect(host, "figures")).figures))
    const [without, withIt] = figures.map((of, at) => ({ figures: of, answers: answers[at] }))
    const report = { run, late, without, with: withIt } as HostReport
    const faults = faultsOf(report)
    if (faults.length > 0) throw new Error(faults.join("; "))
    return report
  } finally {
    for (const one of started) one.kill()
  }
}
