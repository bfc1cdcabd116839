/**
 * The fork server's program: a small process that starts hounds for a host with a large heap, and
 * hands each one's pipe over (CONFORMANCE H1, H4).
 *
 * Promises that it outlives its host by no more than the time it takes to kill all hounds, and that
 * it keeps no pipe: its own copy is closed when the host has taken it.
 *
 * **Details**
 *
 * - It trusts whoever speaks to it, which is its parent alone: no hound has a descriptor that leads
 *   here.
 * - While a pipe is on its way other reports wait in Node's queue, so that a hound is never down
 *   before it was up.
 *
 * **Gotchas**
 *
 * - Node begins to read a child's pipe when it makes its socket, and goes on until the host has
 *   acknowledged it: what came in that time would be lost. So the pipe is stilled in the turn of
 *   the spawn, before the event loop can read; there is no public way to.
 */
import type { Socket } from "node:net"
import { type Order, readPlan, type Report } from "./ForkServerMessages.ts"
import { LocalSpawner } from "./LocalSpawner.ts"

/** For hounds to be reaped when the host has gone, in ms. */
const patience = 1_000

let localSpawner: LocalSpawner | undefined

/** Reports that have not left: while a pipe is on its way they wait for it. */
let unsent = 0
let isClosing = false

/** Where the host is gone there is nobody to hear it. */
const report = (message: Report, pipe?: Socket): void => {
  if (!process.connected) return
  unsent += 1
  process.send?.(message, pipe, {}, () => {
    unsent -= 1
    disconnect()
  })
}

/** Ends the channel when everything has been said. */
const disconnect = (): void => {
  if (isClosing && unsent === 0 && process.connected) process.disconnect?.()
}

/** Has the system keep what the hound says. */
const still = (pipe: Socket): void => {
  const { _handle: handle } = pipe as Socket & {
    readonly _handle?: { reading?: boolean; readStop?: () => number } | null
  }
  if (handle === null || handle === undefined) return
  handle.readStop?.()
  handle.reading = false
}

const launch = (id: number): void => {
  localSpawner?.launch(id, {
    up: (pid, pipe) => {
      still(pipe)
      report({ op: "up", id, pid }, pipe)
    },
    down: (ending) => report({ op: "down", id, ending })
  })
}

const leave = (): void => {
  const exit = (): never => process.exit()
  setTimeout(exit, patience)
  void (localSpawner?.close() ?? Promise.resolve()).then(exit)
}

const retire = async (): Promise<void> => {
  await localSpawner?.close()
  isClosing = true
  disconnect()
}

process.on("message", (order: Order) => {
  switch (order.op) {
    case "plan":
      localSpawner = new LocalSpawner(readPlan(order.plan))
      return report({ op: "ready" })
    case "launch":
      return launch(order.id)
    case "watch":
      return localSpawner?.watch(order.id, order.isOn)
    case "kill":
      return localSpawner?.kill(order.id)
    case "close":
      void retire()
  }
})
process.on("disconnect", leave)
