import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { closeSync, mkdtempSync, openSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { seccompFilter } from "../../../src/hound/sandbox/Seccomp.ts"
import { hasHard, withHound, withoutIt } from "./boots.ts"

/** Runs this as an analyzer; the text that it throws is what it found. */
const finds = (body: string): Promise<string> =>
  withHound(
    `export const analyze = async () => { throw new Error(String(await (async () => { ${body} })())) }`,
    {},
    async (hound) => {
      assert.strictEqual(await hound.ask({}), "error")
      const said = await hound.end()
      return JSON.parse(said.slice("the analyzer failed: ".length)) as string
    }
  )

/**
 * Everything that can be reached, by properties, prototypes, and what some calls and syntax give.
 */
const walk = `
  const seen = new Set()
  const found = []
  const samples = [
    () => [].values(), () => "".matchAll(/a/g), () => ""[Symbol.iterator](), () => new Map().keys(), () => new Set().keys(),
    () => [].values().map((x) => x), () => Iterator.from({ next() {} }), () => new Error("x"),
    () => Promise.resolve(), () => new TextDecoder(), () => new TextEncoder(), () => new TextEncoder().encodeInto("a", new Uint8Array(2)),
    () => atob("*"), () => new TextDecoder("?"), () => crypto.getRandomValues(new Float32Array(1)), () => new Intl.Collator().compare,
    () => new Date().toTemporalInstant(), () => new WeakRef({}), () => Error.captureStackTrace({}), () => new Intl.Locale("en"),
    () => setTimeout(() => {}, 0), () => Iterator.concat([1]), () => new DisposableStack()
  ]
  const visit = (value, path, isSample = false) => {
    if (value === null || (typeof value !== "object" && typeof value !== "function") || seen.has(value)) return
    seen.add(value)
    if (!isSample) check(value, path)
    visit(Object.getPrototypeOf(value), path + ".[[Prototype]]")
    for (const key of Reflect.ownKeys(value)) {
      const { get, set, value: inner } = Reflect.getOwnPropertyDescriptor(value, key)
      for (const part of [get, set, inner]) visit(part, path + "." + String(key))
    }
  }
  visit(globalThis, "globalThis", true)
  for (const sample of samples) {
    let value
    try { value = sample() } catch (error) { value = error }
    visit(value, String(sample), true)
  }
  return [seen.size > 500, ...found].slice(0, 5).join(" ")`

describe("what an analyzer can reach", () => {
  it("RFC H2 is all frozen", async () => {
    const check = "const check = (value, path) => { if (!Object.isFrozen(value)) found.push(path) };"
    assert.strictEqual(await finds(check + walk), "true")
  })

  it("RFC H2 has no object of Node's, nor of a class of its own", async () => {
    const check = `
      const sources = ["process", "internalBinding", "primordials", "require("]
      const check = (value, path) => {
        const name = Object.getOwnPropertyDescriptor(value, "name")?.value
        const text = typeof value === "function" ? Function.prototype.toString.call(value) : ""
        if (["EventEmitter", "EventTarget", "Timeout", "Buffer", "KeyObject", "DOMException", "Event"].includes(name)) found.push(path)
        if (sources.some((part) => text.includes(part))) found.push(path)
        if (Object.getOwnPropertySymbols(value).some((key) => String(key).startsWith("Symbol(k"))) found.push(path)
      };`
    assert.strictEqual(await finds(check + walk), "true")
  })

  it("RFC H2 globalThis may be added to, and nothing of it changed", async () => {
    const found = await finds(`
      globalThis.added = 1
      globalThis.process = 2
      const kept = Object.getOwnPropertyNames(globalThis).filter((name) => name !== "added" && name !== "process")
      const changed = kept.filter((name) => {
        try { globalThis[name] = 3; return true } catch {}
        try { Object.defineProperty(globalThis, name, { value: 3 }); return true } catch {}
        try { return delete globalThis[name] } catch { return false }
      })
      return [added, process, kept.length > 60, ...changed].join()`)
    assert.strictEqual(found, "1,2,true")
  })

  it("RFC H2 the functions that the entry writes itself do what they should", async () => {
    const found = await finds(`
      const bytes = new TextEncoder().encode("é€")
      const view = new DataView(bytes.buffer, 2)
      const digest = await crypto.subtle.digest({ name: "sha-256" }, new Uint8Array([97, 98, 99]).subarray(0, 3))
      const order = []
      queueMicrotask(() => order.push(2)); order.push(1)
      await new Promise((resolve) => { const id = setTimeout(() => order.push("never"), 0); clearTimeout(id); setTimeout(resolve, 5) })
      const random = crypto.getRandomValues(new Uint8Array(32))
      const stream = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      return [
        new TextDecoder().decode(view), bytes.byteLength, bytes.buffer.byteLength, new TextDecoder("latin1").encoding,
        stream.decode(bytes.subarray(0, 1), { stream: true }) + stream.decode(bytes.subarray(1)), stream.fatal, stream.ignoreBOM,
        atob(btoa("abc")), new Uint8Array(digest)[0], order, typeof setTimeout(() => {}, 0), random.some((byte) => byte > 0),
        crypto.randomUUID().length, (await new Promise((resolve) => setTimeout(function(a) { resolve([this, a]) }, 0, 7)))[1],
        Object.keys(new TextEncoder().encodeInto("ab", new Uint8Array(1)))
      ].join("|")`)
    assert.strictEqual(found, "€|5|5|windows-1252|é€|true|true|abc|186|1,2|number|true|36|7|read,written")
  })

  it("RFC H2 errors are plain, and a hostile argument is given to no function of Node", async () => {
    const found = await finds(`
      const spy = Object.assign(Object.create(null), { [Symbol.for("nodejs.util.inspect.custom")]: () => { leaked = true } })
      let leaked = false
      const calls = [
        () => atob(spy), () => new TextDecoder(spy), () => new TextDecoder().decode(spy), () => setTimeout(spy), () => queueMicrotask(spy),
        () => new TextEncoder().encodeInto("a", spy), () => crypto.getRandomValues(spy), () => new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([255])),
        () => crypto.subtle.digest("MD5", new Uint8Array(1)), () => crypto.subtle.digest("SHA-1", spy), () => clearTimeout(spy), () => import(spy)
      ]
      const plain = [Error, TypeError, RangeError].map(({ prototype }) => prototype)
      const odd = []
      for (const call of calls) {
        try { await call(); odd.push(call) } catch (error) {
          const isPlain = plain.includes(Object.getPrototypeOf(error)) && Reflect.ownKeys(error).every((key) => ["stack", "message"].includes(key))
          if (!isPlain || error.stack.includes("\\n")) odd.push(call)
        }
      }
      return [leaked, odd.length, odd].join("|")`)
    assert.strictEqual(found, "false|1|() => clearTimeout(spy)")
  })

  it("RFC H2 there is no clock finer than milliseconds, no stack, no path, no text of Node's", async () => {
    const found = await finds(`
      return [typeof Temporal, typeof performance, typeof SharedArrayBuffer, typeof Atomics, new Error("x").stack.split("\\n").length,
        import.meta.url, import.meta.filename, import.meta.dirname, RegExp.input, RegExp.lastMatch].join("|")`)
    assert.strictEqual(found, "undefined|undefined|undefined|undefined|1|hound:analyzer||||")
  })

  it("RFC H2 no module, by no name", async () => {
    const found = await finds(`
      const names = ["node:fs", "fs", "process", "node:internal/process", "data:text/javascript,0", "file:///etc/passwd", "./a.mjs", "#a",
        "", "blob:nodedata:1", "hound:analyzer", "hound:other", "http://127.0.0.1/", "wasm:a", { toString: () => "node:fs" }]
      const got = []
      for (const name of names) {
        for (const load of [() => import(name), () => import(name, { with: { type: "json" } }), () => import.meta.resolve(name)]) {
          try { await load(); got.push(String(name)) } catch (error) { if (error.message !== "a hound loads no modules") got.push(error.message) }
        }
      }
      return got.join()`)
    assert.strictEqual(found, "")
  })
})

describe("the filter in the kernel", () => {
  it("RFC H2 an unlocked node behind it has threads, and no processes, sockets or files of its own", () => {
    if (!hasHard) return withoutIt("bubblewrap")
    const directory = mkdtempSync(join(tmpdir(), "filter-"))
    try {
      const path = join(directory, "filter")
      writeFileSync(path, seccompFilter(process.arch === "arm64" ? "arm64" : "x64"))
      const filter = openSync(path, "r")
      const program = `
        const outcomes = {}
        const attempt = (name, act) => { try { outcomes[name] = act()?.error?.code ?? "done" } catch (error) { outcomes[name] = error.code } }
        const fs = require("node:fs")
        attempt("spawn", () => require("node:child_process").spawnSync("/bin/true"))
        attempt("mkdir", () => fs.mkdirSync(${JSON.stringify(join(directory, "made"))}))
        attempt("unlink", () => fs.unlinkSync(${JSON.stringify(path)}))
        attempt("chmod", () => fs.chmodSync(${JSON.stringify(path)}, 0o777))
        attempt("kill", () => process.kill(process.ppid, 0))
        attempt("nice", () => require("node:os").setPriority(19))
        attempt("udp", () => { require("node:dgram").createSocket("udp4").bind() })
        const { Worker } = require("node:worker_threads")
        const server = require("node:net").createServer()
        server.on("error", (error) => { outcomes.listen = error.code; ended() })
        server.listen(0, "127.0.0.1")
        process.on("uncaughtException", (error) => { outcomes.uncaught = error.code })
        new Worker("", { eval: true }).on("exit", () => { outcomes.worker = "done"; ended() })
        let left = 2
        const ended = () => { if (--left === 0) { fs.writeSync(1, JSON.stringify(outcomes)); process.exit(0) } }`
      const args = ["--ro-bind", "/", "/", "--bind", directory, directory, "--dev", "/dev", "--seccomp", "4", "--"]
      const stdio = ["ignore", "pipe", "pipe", "ignore", filter] as const
      const { stderr, stdout } = spawnSync("bwrap", [...args, realpathSync(process.execPath), "-e", program], {
        stdio: [...stdio],
        encoding: "utf8",
        timeout: 20_000
      })
      closeSync(filter)
      const outcomes = JSON.parse(stdout === "" ? JSON.stringify({ stderr }) : stdout) as Record<string, string>
      assert.strictEqual(outcomes["worker"], "done", stderr)
      for (const name of ["spawn", "mkdir", "unlink", "chmod", "kill", "nice", "listen"])
        assert.match(outcomes[name] ?? "", /^(?:EPERM|ERR_SYSTEM_ERROR)$/, `${name} ${stdout}`)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
