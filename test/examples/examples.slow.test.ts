/**
 * The examples, run as their readers run them: real processes, real sockets.
 */
import { assert, describe, it as every } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:net"
import { root } from "../support/programs.ts"
import { sampleOf } from "../support/tiers.ts"
import { walked, walkExample } from "./walks.ts"

const it = sampleOf(every, 4)

/** By tsx, as `npm start` does. */
const here = { directory: root, flags: ["--import", "tsx"], env: process.env }

describe("examples", () => {
  for (const name of walked) it(`${name}: does what it says`, () => walkExample(here, name))

  it("server: says what to do where its port is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1")
    await once(other, "listening")
    const address = other.address()
    const port = typeof address === "object" && address !== null ? String(address.port) : ""
    const { status, stderr } = spawnSync(process.execPath, ["--import", "tsx", "examples/server/main.ts"], {
      cwd: root,
      env: { ...process.env, PORT: port },
      encoding: "utf8",
      timeout: 20_000
    })
    other.close()
    assert.strictEqual(status, 1)
    assert.include(stderr, "choose another one")
  })
})
