/**
 * The process of the clients of all hosts: sends each the same requests at the same time, so many a
 * second whatever becomes of them, and counts what came back.
 */
import { Agent, request } from "node:http"
import { createHistogram } from "node:perf_hooks"
import { setTimeout } from "node:timers/promises"
import type { ClientsOrder, FromClients } from "./messages.ts"
import { runLoop } from "./openLoop.ts"
import { type HostRequest, requestOf } from "./requests.ts"
import { recordWait, Tally, waitsOf } from "./tally.ts"

const order = JSON.parse(process.argv[2] ?? "{}") as ClientsOrder

const tell = (message: FromClients): boolean | undefined => process.send?.(message)

/** A client waits so long, and then it has no answer. */
const patience = 10_000

const hosts = order.ports.map((port) => ({
  port,
  agent: new Agent({ keepAlive: true, maxSockets: 256 }),
  tally: new Tally()
}))

type Host = typeof hosts[number]

const open = { requests: 0 }

/** Sends a request; where it counts, its answer counts from the moment at which it was due. */
const send = (
  { agent, port, tally }: Host,
  { body, kind, source }: HostRequest,
  due: number,
  counts: boolean
): void => {
  open.requests += 1
  let isDone = false
  const done = (status: number | null): void => {
    if (isDone) return
    isDone = true
    open.requests -= 1
    if (!counts) return
    if (status === null) tally.failed()
    else tally.answered(kind, status, performance.now() - due)
  }
  const sent = request({
    agent,
    port,
    host: "127.0.0.1",
    method: "POST",
    path: "/orders",
    headers: { "content-type": "application/json", "content-length": body.length, "x-forwarded-for": source }
  })
  sent.setTimeout(patience, () => sent.destroy())
  sent.on("error", () => done(null))
  sent.on("response", (response) => {
    response.on("end", () => done(response.statusCode ?? null))
    response.on("error", () => done(null))
    response.resume()
  })
  sent.end(body)
}

const late = createHistogram()
const start = performance.now()
const counted = start + order.warmMs
let isWarm = false

await runLoop({ rate: order.rate, start, end: counted + order.runMs }, (i, due) => {
  const counts = due >= counted
  if (counts && !isWarm) {
    isWarm = true
    tell({ type: "warm" })
  }
  if (counts) recordWait(late, performance.now() - due)
  const one = requestOf(i)
  // Neither of the hosts is always the first.
  for (const host of i % 2 === 0 ? hosts : hosts.toReversed()) send(host, one, due, counts)
})
tell({ type: "sent" })
while (open.requests > 0) await setTimeout(5)
tell({ type: "figures", figures: { late: waitsOf(late), answers: hosts.map(({ tally }) => tally.read()) } })
for (const { agent } of hosts) agent.destroy()
process.disconnect?.()
