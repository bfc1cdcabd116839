import { assert, describe, it as every } from "@effect/vitest"
import { readFileSync, readlinkSync } from "node:fs"
import { sampleOf } from "../../support/tiers.ts"
import { type Booted, descriptorsOf, hasHard, hasProc, withHound, withoutIt } from "./boots.ts"

const it = sampleOf(every, 3)

const analyzer = "export const analyze = () => {}"

const field = (pid: number, file: string, name: string): string => {
  const line = readFileSync(`/proc/${pid}/${file}`, "utf8").split("\n").find((line) => line.startsWith(name)) ?? ""
  return line.slice(name.length).replace(/^:/, "").trim().replaceAll(/\s+/g, " ")
}

/** The confinement that holds at both levels, observed from outside. */
const checkOutside = async (hound: Booted): Promise<void> => {
  await hound.ready()
  const { pid } = hound
  const limits: ReadonlyArray<readonly [string, string]> = [
    ["Max core file size", "0 0 bytes"],
    ["Max file size", "0 0 bytes"],
    ["Max open files", "64 64 files"],
    ["Max cpu time", "120 120 seconds"]
  ]
  for (const [name, value] of limits) assert.strictEqual(field(pid, "limits", name), value, name)
  assert.match(field(pid, "limits", "Max data size"), /^(838860800|301989888) \1 bytes$/)
  if (process.getuid?.() === 0) {
    assert.strictEqual(field(pid, "status", "Uid"), "65534 65534 65534 65534")
    assert.strictEqual(field(pid, "status", "Gid"), "65534 65534 65534 65534")
    assert.strictEqual(field(pid, "status", "Groups"), "")
  }
  assert.strictEqual(field(pid, "status", "CapEff"), "0000000000000000")
  assert.strictEqual(readlinkSync(`/proc/${pid}/cwd`), "/")
  const names = readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").map((text) => text.split("=")[0])
  assert.includeMembers(["UV_THREADPOOL_SIZE", "PWD", "OLDPWD", "SHLVL", "_", ""], names)
  const open = descriptorsOf(pid).map((fd) => [fd, readlinkSync(`/proc/${pid}/fd/${fd}`)] as const)
  for (const [fd, target] of open) {
    const isOwn = /^anon_inode:|^pipe:/.test(target) || target === "/dev/null"
    assert.isTrue(
      isOwn || (fd === 3 && target.startsWith("socket:")) || (fd === 2 && target.startsWith("socket:")),
      `${fd} ${target}`
    )
  }
}

describe("a hound seen from outside", () => {
  it("RFC H2 default: the user nobody, with limits, an empty environment, and one socket", () =>
    hasProc
      ? withHound(analyzer, {}, async (hound) => {
        await checkOutside(hound)
        assert.strictEqual(hound.pid, hound.process.pid)
      })
      : Promise.resolve(withoutIt("/proc")))

  it("RFC H2 hard: the same, in namespaces of its own and behind a filter", () =>
    hasHard
      ? withHound(analyzer, { level: "hard" }, async (hound) => {
        await checkOutside(hound)
        const { pid } = hound
        assert.notStrictEqual(pid, hound.process.pid)
        for (const name of ["user", "ipc", "pid", "net", "uts", "mnt", "cgroup"])
          assert.notStrictEqual(readlinkSync(`/proc/${pid}/ns/${name}`), readlinkSync(`/proc/self/ns/${name}`), name)
        assert.strictEqual(field(pid, "status", "Seccomp"), "2")
        assert.strictEqual(field(pid, "status", "NoNewPrivs"), "1")
        assert.strictEqual(field(pid, "status", "NSpid").split(" ").at(-1), "1")
        for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"])
          assert.strictEqual(field(pid, "status", set), "0000000000000000", set)
        // Nothing is there that bubblewrap was not told to bind, and none of it is a directory.
        const mounts = readFileSync(`/proc/${pid}/mountinfo`, "utf8").trim().split("\n").map((line) => line.split(" "))
        for (const [, , , , point = "", options = ""] of mounts) {
          assert.match(options, /^ro\b/, point)
          assert.include([...hound.process.spawnargs, "/"], point)
        }
        assert.strictEqual(await hound.ask({ text: "a" }), "complete")
        assert.strictEqual(await hound.end(), "")
      })
      : Promise.resolve(withoutIt("bubblewrap")))

  it("RFC H2 hard: killing the process that was started kills the hound", () =>
    hasHard
      ? withHound(analyzer, { level: "hard" }, async (hound) => {
        await hound.ready()
        let isClosed = false
        hound.pipe.on("end", () => {
          isClosed = true
        })
        hound.process.kill("SIGKILL")
        // Its pipe ends with the last process that holds the other end.
        assert.strictEqual(await hound.ended, "SIGKILL")
        assert.isTrue(isClosed)
      })
      : Promise.resolve(withoutIt("bubblewrap")))

  for (const level of ["default", "hard"] as const) {
    it(`RFC H2 ${level}: memory that V8's heap does not count has its bound`, () => {
      if (level === "hard" && !hasHard) return withoutIt("bubblewrap")
      const source = `
        const kept = []
        export const analyze = () => {
          for (;;) {
            if (kept.length > 64) throw new Error("unbounded")
            kept.push(new Uint8Array(16 * 1048576).fill(1))
          }
        }`
      return withHound(source, { level }, async (hound) => {
        assert.strictEqual(await hound.ask({}), "error")
        const said = await hound.end()
        assert.include(said, "Array buffer allocation failed")
      })
    })

    it(`RFC H2 ${level}: evidence of the largest size comes through, as bytes and as text`, () => {
      if (level === "hard" && !hasHard) return withoutIt("bubblewrap")
      const size = 24 * 1_048_576
      const source = `export const analyze = (bytes) => {
        const text = new TextDecoder().decode(bytes)
        return text.length === ${size} && text.charCodeAt(${size - 1}) === 98 ? "complete" : "error"
      }`
      return withHound(source, { level, maxPayloadSize: size }, async (hound) => {
        for (let i = 0; i < 4; i++)
          assert.strictEqual(await hound.ask({ bytes: new Uint8Array(size).fill(98) }), "complete")
        assert.strictEqual(await hound.end(), "")
      })
    })
  }
})
