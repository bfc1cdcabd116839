/**
 * What a host was started with, and what of it is open in its hounds: seen from outside of them.
 */
import { assert, describe, it } from "@effect/vitest"
import { spawn, type SpawnOptions } from "node:child_process"
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { shareOf } from "../../support/tiers.ts"
import { hasHard } from "../sandbox/boots.ts"
import { hasProc } from "./spawners.ts"

/**
 * A host that prints its own descriptors, and those of every hound that it ever had, the ones that
 * were tried out among them.
 */
const host = (config: object): string => `
  import { readdirSync, readFileSync, readlinkSync } from "node:fs"
  import { createTracehound } from ${JSON.stringify(fileURLToPath(new URL("../../../src/index.ts", import.meta.url)))}
  const entry = ["entry", "mjs"].join(".")
  const attempt = (read, otherwise) => { try { return read() } catch { return otherwise } }
  const links = (pid) => attempt(() => readdirSync("/proc/" + pid + "/fd"), []).flatMap((fd) =>
    attempt(() => [fd + " " + readlinkSync("/proc/" + pid + "/fd/" + fd)], []))
  const children = (pid) => attempt(() => readdirSync("/proc/" + pid + "/task"), []).flatMap((task) =>
    attempt(() => readFileSync("/proc/" + pid + "/task/" + task + "/children", "latin1"), "").split(" ").filter(Boolean))
  const hounds = new Map()
  const look = (pid) => {
    for (const child of children(pid)) {
      const command = attempt(() => readFileSync("/proc/" + child + "/cmdline", "latin1"), "")
      if (command.includes(entry)) for (const link of links(child)) {
        if (!hounds.has(child)) hounds.set(child, new Set())
        hounds.get(child).add(link)
      }
      look(child)
    }
  }
  const looking = setInterval(() => look("self"), 2)
  const tracehound = createTracehound(${JSON.stringify(config)})
  await tracehound.init()
  look("self")
  const servers = children("self").flatMap((child) => links(child))
  const own = links("self")
  // bubblewrap, outside of a hound, has descriptors of its own.
  const isNode = (pid) => attempt(() => readFileSync("/proc/" + pid + "/cmdline", "latin1"), "").startsWith(process.execPath)
  const living = [...hounds.keys()].filter(isNode).map(links)
  const sealed = [...hounds.keys()].flatMap((pid) =>
    attempt(() => /NoNewPrivs:\\s+(\\d)/.exec(readFileSync("/proc/" + pid + "/status", "latin1"))[1], []))
  clearInterval(looking)
  await tracehound.dispose()
  process.stdout.write(JSON.stringify({ own, servers, living, sealed, hounds: [...hounds.values()].map((found) => [...found]) }))`

interface Seen {
  readonly own: ReadonlyArray<string>
  /** Of the host's children at the end: its fork server, or its hounds. */
  readonly servers: ReadonlyArray<string>
  /** Whether hounds that live at the end can gain rights: "1" where they cannot. */
  readonly sealed: ReadonlyArray<string>
  readonly hounds: ReadonlyArray<ReadonlyArray<string>>
  /** Of hounds that live at the end. */
  readonly living: ReadonlyArray<ReadonlyArray<string>>
}

/** Runs a host that was started with these descriptors. */
const seenBy = (config: object, planted: ReadonlyMap<number, number | "pipe">): Promise<Seen> =>
  new Promise((resolve, reject) => {
    const stdio: NonNullable<Exclude<SpawnOptions["stdio"], string>> = ["ignore", "pipe", "inherit"]
    for (let at = 3; at <= Math.max(...planted.keys()); at++) stdio.push(planted.get(at) ?? "ignore")
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", host(config)], { stdio })
    let text = ""
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString()
    })
    child.on("error", reject)
    child.on("close", (code) => {
      if (code !== 0) return reject(new Error(`the host ended with ${code}`))
      resolve(JSON.parse(text) as Seen)
    })
  })

const hasSetpriv = ["/usr/bin", "/usr/local/bin", "/bin"].some((directory) => existsSync(join(directory, "setpriv")))
const levels = ["default", ...(hasHard ? ["hard"] : [])]
const cases = levels.flatMap((sandbox) => [true, false].map((forkServer) => ({ sandbox, forkServer })))

describe.runIf(hasProc)("what a host was started with", () => {
  it.each(shareOf(cases, ({ sandbox }) => sandbox === "default"))(
    "RFC H2 no hound has it: level $sandbox, fork server $forkServer",
    async (hound) => {
      const directory = mkdtempSync(join(tmpdir(), "inherited-"))
      const file = join(directory, "root-only.txt")
      writeFileSync(file, "secret", { mode: 0o600 })
      const opened = [openSync(file, "r+"), openSync(directory, "r")] as const
      const [secret, folder] = opened
      // A file, a directory, the end of a socket, and a number past those that a hound may open.
      const planted = new Map<number, number | "pipe">([
        [20, secret],
        [21, folder],
        [40, secret],
        [63, "pipe"],
        [64, folder],
        [251, secret]
      ])
      try {
        const { hounds, living, own, sealed, servers } = await seenBy(
          { hound: { ...hound, minimumDormant: 2 } },
          planted
        )
        const socket = own.find((link) => link.startsWith("63 "))?.slice(3) ?? assert.fail("nothing was planted")
        assert.lengthOf(own.filter((link) => link.includes(directory)), 5, "the host keeps what it has")
        const isPlanted = (link: string): boolean => link.includes(directory) || link.endsWith(socket)
        assert.isAtLeast(hounds.length, 3, "two hounds, and one that was tried out")
        for (const links of [...hounds, servers]) assert.deepStrictEqual(links.filter(isPlanted), [])
        assert.lengthOf(living, 2)
        for (const links of living) {
          const strange = links.filter((link) => !/^\d+ (?:\/dev\/null|socket:|pipe:|anon_inode:|\/proc\/)/.test(link))
          assert.deepStrictEqual(strange, [])
        }
        assert.isAtLeast(sealed.length, 2)
        if (hasSetpriv || hound.sandbox === "hard") assert.deepStrictEqual(new Set(sealed), new Set(["1"]))
        assert.strictEqual(readFileSync(file, "utf8"), "secret")
      } finally {
        for (const descriptor of opened) closeSync(descriptor)
        rmSync(directory, { recursive: true })
      }
    },
    60_000
  )
})
