/**
 * Tries out a plan: one hound is started by it, and says that it is ready, or it does not work on
 * this machine (CONFORMANCE H2).
 *
 * The hound's own self-test is part of it. What was started is gone when the answer comes; nothing
 * of it throws or rejects.
 *
 * Cost: one start of Node, about 120 ms, and the caller's thread for as long as a `spawn` takes.
 */
import { spawn } from "node:child_process"
import { Duplex, Writable } from "node:stream"
import { frameBytes, frameKinds, frameMagic } from "../channel/Frames.ts"
import type { LaunchPlan } from "../process/Spawner.ts"

/**
 * Milliseconds until a hound that says nothing does not work. Machines under load take their time.
 */
const patience = 15_000

/** What is found of a hound that says nothing until the deadline. */
export const notInTime = "it did not become ready in time"

/** Null where the plan works, else what was found: printable, and short. The deadline is in ms. */
export const tryOut = (plan: LaunchPlan, deadline = patience): Promise<string | null> =>
  new Promise((resolve) => {
    const child = (() => {
      try {
        return spawn(plan.file, plan.args, {
          timeout: deadline,
          killSignal: "SIGKILL",
          cwd: plan.cwd,
          env: plan.env,
          ...(plan.uid === undefined ? {} : { uid: plan.uid }),
          ...(plan.gid === undefined ? {} : { gid: plan.gid }),
          stdio: ["ignore", "ignore", "pipe", "pipe", ...(plan.feed === null ? [] : ["pipe" as const])]
        })
      } catch (error) {
        resolve(printable(String(error)))
        return null
      }
    })()
    if (child === null) return
    const [, , stderr, pipe, feed] = child.stdio
    let said = ""
    let isReady = false
    const settle = (found: string | null) => {
      for (const stream of [stderr, pipe, feed]) stream?.destroy()
      resolve(found)
    }
    // Pipes break when a process dies, and `exit` says so better.
    for (const stream of [stderr, pipe, feed]) stream?.on("error", () => undefined)
    stderr?.on("data", (chunk: Buffer) => {
      if (said.length < 400) said += chunk.toString("latin1")
    })
    if (pipe instanceof Duplex) {
      pipe.once("data", (chunk: Buffer) => {
        isReady = chunk.length === frameBytes && chunk.readUInt16LE(0) === frameMagic && chunk[3] === frameKinds.ready
        child.kill("SIGKILL")
      })
    }
    if (feed instanceof Writable && plan.feed !== null) feed.end(plan.feed)
    child.once("error", (error) => settle(printable(error.message)))
    child.once("close", (code, signal) => {
      if (isReady) settle(null)
      else if (child.killed) settle(notInTime)
      else settle(printable(said) || `it ended with ${code === null ? String(signal) : `code ${code}`}`)
    })
  })

/** The first line that says anything, without what a terminal would obey. */
const printable = (text: string): string => {
  const line = text.split("\n").find((line) => line.trim() !== "") ?? ""
  return line.replaceAll(/[^\x20-\x7e]/g, "?").trim().slice(0, 200)
}
