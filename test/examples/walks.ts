/**
 * What a reader sees who runs the examples: each is started as its reader starts it, and asked over
 * real sockets. They are run from the sources, and from the package.
 */
import { assert } from "@effect/vitest"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"

/** Where the examples are, and how they are run. */
export interface Place {
  /** The directory that has `examples/`. */
  readonly directory: string
  readonly flags: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string | undefined>>
}

/** An example that runs. */
interface Example {
  readonly output: () => string
  readonly process: ChildProcess
}

/** Starts an example; at the end it is killed if it still runs. */
const withExample = async (
  { directory, env, flags }: Place,
  name: string,
  use: (example: Example) => Promise<void>
): Promise<void> => {
  const child = spawn(process.execPath, [...flags, `examples/${name}/main.ts`], {
    cwd: directory,
    env: { ...env, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"]
  })
  let output = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text
  })
  try {
    await use({ output: () => output, process: child })
  } finally {
    if (child.exitCode === null) child.kill("SIGKILL")
  }
}

/** Waits for the address that a server prints. */
const addressOf = async ({ output, process }: Example) => {
  for (;;) {
    const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output())
    if (found !== null) return found[0]
    const ended = await Promise.race([
      once(process.stdout ?? process, "data").then(() => false),
      once(process, "exit").then(() => true)
    ])
    if (ended) throw new Error(`the server ended: ${output()}`)
  }
}

const post = (url: string, body: string | Uint8Array<ArrayBuffer>) =>
  fetch(url, { method: "POST", body }).then(async (response) => [response.status, await response.text()] as const)

/** What each example shows, by its name. */
const walks: Readonly<Record<string, (example: Example) => Promise<void>>> = {
  server: async (example) => {
    const at = await addressOf(example)
    const clean = await fetch(`${at}/search?q=shoes`)
    assert.strictEqual(clean.status, 200)
    const attack = "user=admin' OR 1=1 --"
    assert.deepStrictEqual(await post(`${at}/login`, attack), [403, "blocked: escalated\n"])
    assert.deepStrictEqual(await post(`${at}/login`, attack), [403, "blocked: ignored\n"])
    assert.deepStrictEqual(await post(`${at}/login`, "user=alice"), [200, "welcome\n"])
    assert.deepStrictEqual(await post(`${at}/comments`, "<script>alert(1)</script>"), [403, "blocked: quarantined\n"])
    assert.strictEqual((await fetch(`${at}/search?q=1%27%20or%201=1`)).status, 403)
    assert.strictEqual((await fetch(`${at}/search?q=%E0%A4%A`)).status, 200)
    assert.strictEqual((await post(`${at}/comments`, new Uint8Array(1_000_001)))[0], 413)
    const snapshot = await fetch(`${at}/snapshot`).then((response) => response.json()) as {
      readonly quarantine: object
      readonly audit: { readonly verified: boolean }
    }
    assert.deepStrictEqual(snapshot.quarantine, {
      count: 3,
      bytes: attack.length + "<script>alert(1)</script>".length + "/search?q=1' or 1=1".length,
      bySeverity: { low: 0, medium: 0, high: 1, critical: 2 }
    })
    assert.isTrue(snapshot.audit.verified)
    // Every curl line it printed names a route that exists.
    const curls = Array.from(example.output().matchAll(/curl .*(http:\S+)/g), ([, url = ""]) => url)
    assert.strictEqual(curls.length, 5)
    example.process.kill("SIGTERM")
    await once(example.process, "exit")
  },
  "effect-app": async ({ output, process }) => {
    const [code] = await once(process, "exit")
    assert.strictEqual(code, 0)
    assert.match(output(), /an attack: escalated; the same again: ignored/)
    assert.match(output(), /signed injection:[0-9a-f]{64}/)
    assert.match(output(), /audit: 1 record, verified: true/)
  },
  "plain-node": async (example) => {
    const at = await addressOf(example)
    assert.deepStrictEqual(await post(at, "hello"), [200, "hello\n"])
    assert.deepStrictEqual(await post(at, "<script>"), [403, "blocked: quarantined\n"])
    assert.deepStrictEqual(await post(at, "<script>"), [403, "blocked: ignored\n"])
    example.process.kill("SIGTERM")
    const [code] = await once(example.process, "exit")
    assert.strictEqual(code, 0)
    assert.include(example.output(), "held at the end: 1, audit verified: true")
  },
  "job-queue": async ({ output, process }) => {
    const [code] = await once(process, "exit")
    assert.strictEqual(code, 0)
    assert.include(output(), "done: 192, given up: 8, retries: 56\nthe queue was full: true\n")
    assert.include(output(), "restarts of workers: 12\n")
  },
  reconnect: async ({ output, process }) => {
    const [code] = await once(process, "exit")
    assert.strictEqual(code, 0)
    const lines = output().split("\n").filter((line) => /^(?:answered|in hand|connected|the connection)/.test(line))
    assert.sameMembers(lines, [
      "answered: HELLO",
      "in hand when it broke: ActorCrashed",
      "connected again: incarnation 2",
      "answered: AGAIN 0",
      "in hand when it broke: ActorCrashed",
      "connected again: incarnation 3",
      "answered: AGAIN 1",
      "the connection is Stopped"
    ])
  },
  crawler: async ({ output, process }) => {
    const [code] = await once(process, "exit")
    assert.strictEqual(code, 0)
    assert.include(output(), "fetched: 20, failed: 21, retried: 1, left out: 0\nnever faster than allowed: true\n")
  }
}

/** The names of the examples that this module walks. */
export const walked: ReadonlyArray<string> = Object.keys(walks)

/** Runs an example, and asserts that it shows what it says. */
export const walkExample = (place: Place, name: string): Promise<void> =>
  withExample(place, name, walks[name] ?? (() => Promise.reject(new Error(`nobody walks ${name}`))))
