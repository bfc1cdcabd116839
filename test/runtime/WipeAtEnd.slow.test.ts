/**
 * Programs that end with evidence in memory, and look through all of their memory for it.
 */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { createTracehound } from "../../src/index.ts"
import { restOf, sampled } from "../support/tiers.ts"

const fixture = fileURLToPath(new URL("fixtures/wiping.ts", import.meta.url))

interface Looked {
  readonly when: string
  readonly found: Readonly<Record<string, number>>
}

interface Ended {
  readonly status: number | null
  readonly signal: string | null
  readonly looked: ReadonlyArray<Looked>
  readonly stderr: string
}

/** Runs the program, and sends it the signal once it holds evidence. */
const run = (door: string, signal?: NodeJS.Signals): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fixture, door], { stdio: ["ignore", "pipe", "pipe"], timeout: 60_000 })
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const isFirst = !stdout.includes("\n")
      stdout += text
      if (isFirst && stdout.includes("\n") && signal !== undefined) child.kill(signal)
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    child.on("error", reject)
    child.on("close", (status, ended) =>
      resolve({
        status,
        signal: ended,
        looked: stdout.split("\n").filter(Boolean).map((line): Looked => JSON.parse(line)),
        stderr
      }))
  })

const secrets = ["small", "long", "exposed", "innerKey", "outerKey"]
const none = Object.fromEntries(secrets.map((name) => [name, 0]))

/** The moments at which it looked. All was there in all but the last, and nothing in that. */
const assertWiped = ({ looked, stderr }: Ended, moments: ReadonlyArray<string>): void => {
  assert.deepStrictEqual(looked.map(({ when }) => when), moments, stderr)
  for (const { found, when } of looked.slice(0, -1))
    for (const name of secrets) assert.isAtLeast(found[name] ?? 0, 1, `${name}, ${when}`)
  assert.deepStrictEqual(looked.at(-1)?.found, none)
}

describe.runIf(process.platform === "linux")("the memory of a program that ends", () => {
  sampled(it)("SYS L6 has no evidence and no key after SIGTERM, by which it ends", async () => {
    const ended = await run("signal", "SIGTERM")
    assertWiped(ended, ["held", "raised again"])
    assert.deepStrictEqual([ended.status, ended.signal], [null, "SIGTERM"])
  })

  restOf(it)("SYS L6 has no evidence and no key after SIGINT, by which it ends", async () => {
    const ended = await run("signal", "SIGINT")
    assertWiped(ended, ["held", "raised again"])
    assert.deepStrictEqual([ended.status, ended.signal], [null, "SIGINT"])
  })

  restOf(it)("SYS L6 is left to a host that listens itself, and is wiped when that ends the process", async () => {
    const ended = await run("others", "SIGTERM")
    assertWiped(ended, ["held", "others listen", "exit"])
    assert.deepStrictEqual([ended.status, ended.signal], [7, null])
  })

  restOf(it)("SYS L6 has no evidence and no key at process.exit, and where nothing is left to do", async () => {
    const exited = await run("exit")
    assertWiped(exited, ["held", "exit"])
    assert.strictEqual(exited.status, 3)
    const ended = await run("end")
    assertWiped(ended, ["held", "exit"])
    assert.strictEqual(ended.status, 0)
  })

  restOf(it)("SYS L6 has no evidence and no key after dispose", async () => {
    const ended = await run("dispose")
    assertWiped(ended, ["held", "disposed"])
    assert.strictEqual(ended.status, 0)
  })
})

describe.runIf(process.platform === "linux")("the command line", () => {
  const bin = fileURLToPath(new URL("../../src/edge/cli/bin.ts", import.meta.url))
  const scent = { id: "1", source: "192.0.2.7", timestamp: 0, payload: "x" }

  /** How a replay ends that gets the signal when it has read a line, and waits for the next. */
  const replay = (signal: NodeJS.Signals): Promise<number | null> =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [bin, "replay", "-", "--signatures", "/dev/stderr"], { timeout: 60_000 })
      child.stderr.once("data", () => child.kill(signal))
      child.on("error", reject)
      child.on("close", resolve)
      child.stdin.write(`${JSON.stringify(scent)}\n`)
    })

  sampled(it)("SYS L6 closes a replay at a signal, and ends with its status", async () => {
    assert.strictEqual(await replay("SIGTERM"), 143)
    assert.strictEqual(await replay("SIGINT"), 130)
  })
})

describe("wipeOnSignals", () => {
  const events = ["SIGTERM", "SIGINT", "exit"] as const
  const counts = () => events.map((event) => process.listenerCount(event))

  sampled(it)("SYS L6 adds listeners only where it is asked to, once for all, and takes them off again", async () => {
    const before = counts()
    const plain = createTracehound({ hound: { enabled: false } })
    assert.deepStrictEqual(counts(), before)
    await plain.dispose()
    const config = { hound: { enabled: false } }
    const first = createTracehound(config, {}, { wipeOnSignals: true })
    const second = createTracehound(config, {}, { wipeOnSignals: true })
    assert.deepStrictEqual(counts(), before.map((n) => n + 1))
    await first.dispose()
    assert.deepStrictEqual(counts(), before.map((n) => n + 1))
    await second.dispose()
    assert.deepStrictEqual(counts(), before)
  })
})
