/**
 * Probes that attack the internals of Node: group `int` (CONFORMANCE H2).
 */
import { type Probe, waysProbe } from "./Probe.ts"

const probe = waysProbe("int")

/** Whether a library was loaded: Node's complaint about it shows that. */
const loads = String.raw`
  (load) => {
    try { load() } catch (error) { return /self-register|register itself|undefined symbol/.test(String(error.message)) }
    return true
  }`

export const intProbes: ReadonlyArray<Probe> = [
  probe(
    "argumentsCaller",
    String.raw`
  () => arguments.callee.caller !== null,
  () => { const f = Function("return arguments.callee.caller"); return [0].map(() => f())[0] !== null },
  () => { const f = Function("return arguments.callee.caller"); return typeof [0].map(f)[0] === "function" },
  () => analyze.caller !== undefined,
  () => analyze.arguments !== undefined,
  async () => {
    const f = (0, eval)("(function f() { return f.caller })")
    return typeof (await Promise.resolve(0).then(f)) === "function"
  }`,
    { bareClosed: "Node's own functions and the module's are strict" }
  ),
  probe(
    "binding",
    String.raw`
  () => typeof process.binding("fs") === "object",
  () => typeof proc().binding("util") === "object",
  () => typeof proc().binding("constants") === "object",
  () => typeof Object.getPrototypeOf(globalThis.process).binding("fs") === "object",
  async () => typeof (await reach()).get("binding")("fs") === "object"`
  ),
  probe(
    "bindingSpawn",
    String.raw`
  async () => {
    const spawn = (p) => p.spawn({ file: "/bin/sh", args: ["sh", "-c", "echo x > " + W.marker],
      stdio: [{ type: "pipe", readable: true, writable: false }], envPairs: [] })
    return spawn(proc().binding("spawn_sync")).status === 0
  },
  async () => {
    const { Process } = proc().binding("process_wrap")
    return new Process().spawn({ file: "/bin/sh", args: ["sh", "-c", "echo x > " + W.marker], stdio: [] }) === 0
  }`
  ),
  probe(
    "bindingTcp",
    String.raw`
  async () => {
    const { TCP, TCPConnectWrap } = proc().binding("tcp_wrap")
    const tcp = new TCP(0)
    return once(1000, (yes) => {
      const request = new TCPConnectWrap()
      request.oncomplete = (status) => yes(status === 0)
      const status = tcp.connect(request, "127.0.0.1", W.tcp)
      if (status !== 0) yes(false)
    })
  },
  async () => {
    const { Pipe, PipeConnectWrap } = proc().binding("pipe_wrap")
    const pipe = new Pipe(0)
    return once(1000, (yes) => {
      const request = new PipeConnectWrap()
      request.oncomplete = (status) => yes(status === 0)
      pipe.connect(request, W.unix)
    })
  }`,
    { needs: ["net"] }
  ),
  probe(
    "dlopen",
    String.raw`
  () => (${loads})(() => process.dlopen({ exports: {} }, W.addon)),
  () => (${loads})(() => proc().dlopen({ exports: {} }, W.addon, 1)),
  async () => { const dlopen = (await reach()).get("dlopen"); return (${loads})(() => dlopen({ exports: {} }, W.addon)) }`
  ),
  probe(
    "graphWalk",
    String.raw`
  async () => (await reach()).size > 0,
  async () => {
    await reach()
    const F = [...(await seeds())].map((it) => it?.constructor?.constructor).find((it) => typeof it === "function")
    return typeof F("return globalThis")() === "object"
  }`
  ),
  probe(
    "inspectHook",
    String.raw`
  async () => {
    let got
    const hook = { [Symbol.for("nodejs.util.inspect.custom")](depth, options, inspect) { got = inspect ?? options; return "" },
      get message() { return this }, toString() { return "" } }
    for (const way of [() => globalThis.console.log(hook), () => globalThis.console.error("%o", hook), () => new Error("x", { cause: hook }).stack,
      async () => (await need("util", "inspect")).inspect(hook), () => crypto.getRandomValues(hook), () => setTimeout(hook, 0),
      () => new TextDecoder(hook), () => crypto.subtle.digest("SHA-256", hook), () => queueMicrotask(hook), () => atob(hook),
      () => crypto.subtle.importKey("raw", hook, hook, hook, hook), () => clearTimeout(hook), () => setTimeout(() => {}, hook)]) {
      try { await within(300, way()) } catch {}
    }
    return got !== undefined
  }`
  ),
  probe(
    "internalBinding",
    String.raw`
  () => typeof proc().internalBinding("fs") === "object",
  async () => typeof (await reach()).get("internalBinding")("fs") === "object",
  async () => typeof (await import("node:module")).createRequire("/x.js")("internal/bootstrap/realm") === "object",
  () => Object.keys(proc().binding("natives")).length > 10,
  async () => {
    const { Session } = await need("inspector", "Session")
    const session = new Session()
    session.connect()
    const post = (method, params) => once(500, (yes, no) => session.post(method, params, (error, value) => error ? no(error) : yes(value)))
    const { result } = await post("Runtime.evaluate", { expression: "process.binding" })
    const { internalProperties } = await post("Runtime.getProperties", { objectId: result.objectId })
    const scopes = internalProperties.find(({ name }) => name === "[[Scopes]]").value.objectId
    const list = (await post("Runtime.getProperties", { objectId: scopes, ownProperties: true })).result
    for (const { value } of list) {
      const names = (await post("Runtime.getProperties", { objectId: value.objectId, ownProperties: true })).result
      if (names.some(({ name, value }) => name === "internalBinding" && value?.type === "function")) return true
    }
    return false
  }`
  ),
  probe(
    "linkedBinding",
    String.raw`
  () => { try { return process._linkedBinding("x") } catch (error) { return /No such (binding|module)/i.test(error.message) } },
  () => { try { return proc()._linkedBinding("x") } catch (error) { return /No such (binding|module)/i.test(error.message) } },
  async () => {
    const linked = (await reach()).get("_linkedBinding")
    try { return linked("x") } catch (error) { return /No such (binding|module)/i.test(error.message) }
  }`
  ),
  probe(
    "prepareStackTrace",
    String.raw`
  ...[(f) => { Error.prepareStackTrace = f }, (f) => Object.defineProperty(Error, "prepareStackTrace", { value: f }),
    (f) => Reflect.set(Error, "prepareStackTrace", f), (f) => Reflect.set({ __proto__: Error }, "prepareStackTrace", f, Error),
    (f) => { TypeError.prepareStackTrace = f }].map((put) => () => {
      let frames
      try { put((_, sites) => { frames = sites; return "" }) } catch {}
      try { Error.stackTraceLimit = 50 } catch {}
      try { null.x } catch (error) { void error.stack }
      void new Error("x").stack
      void new TypeError("x").stack
      const holder = {}
      Error.captureStackTrace?.(holder)
      void holder.stack
      return Array.isArray(frames)
    })`
  ),
  probe(
    "requireAddon",
    String.raw`
  async () => { const require = (await need("module")).createRequire("/x.js"); return (${loads})(() => require(W.addon)) },
  async () => { try { await import(W.addon) } catch (error) { return /self-register/.test(error.message) } return true },
  () => (${loads})(() => globalThis.require(W.addon))`
  ),
  probe(
    "stackPathLeak",
    String.raw`
  ...[() => null.x, () => { throw new Error("x") }, () => JSON.parse("{"), () => new Uint8Array(-1), () => crypto.getRandomValues(1),
    () => import("node:fs"), () => import(["./x.mjs"][0]), () => import.meta.resolve("./x.mjs"), () => crypto.subtle.digest("x", bytes),
    () => new TextDecoder("x"), () => atob("\u{1}"), () => setTimeout(1), () => { const f = () => f(); f() },
    () => Error.captureStackTrace({}), () => decodeURIComponent("%"), () => new Intl.DateTimeFormat("x-x-x-x"),
    () => [1].reduce((a) => a.b.c, {}), () => Promise.any([]), () => Function("{"), () => import("data:text/javascript,{")].map((fail) => async () => {
      const path = /\/[a-z]+\/|file:|node:internal|\.mjs:|[A-Z]:\\/
      try { Error.stackTraceLimit = 50 } catch {}
      try { await fail() } catch (error) {
        const texts = [error.stack, error.message, error.cause?.stack, error.fileName, error.sourceURL, error.url, error.path, String(error)]
        return texts.some((text) => typeof text === "string" && path.test(text.replace("node:fs", "").replace("data:text/javascript", "")))
      }
    })`
  ),
  probe(
    "unhandledRejection",
    String.raw`
  async () => {
    let told
    const p = proc()
    p.on("unhandledRejection", (reason, promise) => { told = promise })
    Promise.reject(new Error("x"))
    await wait(50)
    return told !== undefined
  },
  async () => {
    let got
    const hostile = { [Symbol.for("nodejs.util.inspect.custom")](...args) { got = args; return "" }, get stack() { got = this; return "" },
      get name() { got = this; return "" }, toString() { got = this; return "" }, get [Symbol.toStringTag]() { got = this; return "" } }
    Promise.reject(hostile)
    Promise.reject(Object.assign(new Error("x"), { cause: hostile }))
    await wait(50)
    if (Array.isArray(got)) {
      const F = got.find((it) => typeof it === "function").constructor
      return typeof F("return process")().exit === "function"
    }
    return false
  }`,
    { fails: ["error", "exit 1"] }
  )
]
