/**
 * The fork server's program: a small process that starts hounds for a host with a large heap, and
 * hands each one's pipe over (CONFORMANCE H1, H4).
 *
 * Promises that it outlives its host by no more than the time it takes to kill all hounds, and that
 * it keeps no pipe: its own copy is closed when the host has taken it.
 *
 * **Details**
 *
 * - It trusts its parent, the only process that can speak to it: no hound has a descriptor that
 *   leads here.
 * - While a pipe is on its way other reports wait in Node's queue, so that a hound is never down
 *   before it was up.
 *
 * **Gotchas**
 *
 * - Node begins to read a child's pipe when it makes its socket, and goes on until the host has
 *   acknowledged it: what came in that time would be lost. So reading is stopped in the turn of the
 *   spawn, before the event loop can read; Node has no public way to do that.
 */
import type { Socket } from "node:net"
import { type Order, readPlan, type Report } from "./ForkServerMessages.ts"
import { closeInheritedAbove } from "./Inheritance.ts"
import { LocalSpawner } from "./LocalSpawner.ts"

/** Time for hounds to be reaped when the host has gone, in ms. */
const patience = 1_000

/** The descriptor of the channel to the host. */
const channel = 3

// Before anything is started: what the host was itself started with is for no hound.
closeInheritedAbove(channel)

let localSpawner: LocalSpawner | undefined

/** Reports that have not left: while a pipe is on its way they wait for it. */
let unsent = 0
let isClosing = false

/** Does nothing where the host is gone. */
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

/** Leaves what the hound says with the system. */
const stopReading = (pipe: Socket): void => {
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
      stopReading(pipe)
      report({ op: "up", id, pid }, pipe)
    },
    down: (exit) => report({ op: "down", id, exit })
  })
}

/** The host has gone: nobody is left to report to. */
const leave = (): void => {
  const exit = (): never => process.exit()
  setTimeout(exit, patience)
  void (localSpawner?.close() ?? Promise.resolve()).then(exit)
}

/** The host asked for the end: the last reports are sent first. */
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
