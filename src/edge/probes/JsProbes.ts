/**
 * Probes of the language itself, group `js`, and controls that must work, group `allow`
 * (CONFORMANCE H2).
 */
import { moduleProbe, type Probe, waysProbe } from "./Probe.ts"

const probe = waysProbe("js")
const whole = moduleProbe("js")
const allow = moduleProbe("allow")

/** Copies one object into another, as careless libraries do it. */
const merge = String.raw`
const merge = (to, from) => {
  for (const key of Reflect.ownKeys(from)) {
    if (typeof from[key] === "object" && from[key] !== null && to[key]) merge(to[key], from[key])
    else to[key] = from[key]
  }
  return to
}`

/** Ways to change a property that must not change; each returns whether it did. */
const patches = (holder: string, key: string): string =>
  String.raw`
  () => { const mine = () => 7; ${holder}.${key} = mine; return ${holder}.${key} === mine },
  () => { const mine = () => 7; Object.defineProperty(${holder}, "${key}", { value: mine }); return ${holder}.${key} === mine },
  () => { const mine = () => 7; return Reflect.set(${holder}, "${key}", mine) && ${holder}.${key} === mine },
  () => { const mine = () => 7; Object.assign(${holder}, { ${key}: mine }); return ${holder}.${key} === mine },
  () => Object.hasOwn(${holder}, "${key}") && delete ${holder}.${key} && !Object.hasOwn(${holder}, "${key}")`

export const jsProbes: ReadonlyArray<Probe> = [
  probe(
    "addToObjectProto",
    String.raw`
  () => { Object.prototype.polluted = 7; return ({}).polluted === 7 },
  () => { Object.defineProperty(Object.prototype, "polluted", { value: 7 }); return ({}).polluted === 7 },
  () => { Reflect.set({}, "polluted", 7, Object.prototype); return ({}).polluted === 7 },
  () => { Object.setPrototypeOf(Object.prototype, { polluted: 7 }); return ({}).polluted === 7 },
  () => { Object.prototype.__defineGetter__("polluted", () => 7); return ({}).polluted === 7 },
  () => { Array.prototype.polluted = 7; return [].polluted === 7 },
  () => { Promise.prototype.polluted = 7; return Promise.resolve().polluted === 7 }`
  ),
  probe(
    "atomicsWaitBlock",
    String.raw`
  () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20) === "timed-out",
  () => Atomics.wait(new Int32Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer), 0, 0, 20) === "timed-out",
  async () => (await Atomics.waitAsync(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20).value) === "timed-out"`
  ),
  probe(
    "broadcastChannel",
    String.raw`
  async () => {
    const [a, b] = [new BroadcastChannel("probe"), new BroadcastChannel("probe")]
    return once(1000, (yes) => { b.onmessage = () => { a.close(); b.close(); yes(true) }; a.postMessage(7) })
  },
  async () => {
    const { port1, port2 } = new MessageChannel()
    return once(1000, (yes) => { port2.onmessage = () => { port1.close(); yes(true) }; port1.postMessage(7) })
  },
  async () => (await need("worker_threads", "BroadcastChannel")).BroadcastChannel !== undefined,
  async () => (await globalThis.navigator.locks.query()) !== undefined`
  ),
  probe(
    "bufferPoolLeak",
    String.raw`
  () => Buffer.from("a").buffer.byteLength > 1,
  () => Buffer.allocUnsafe(8).buffer.byteLength > 8,
  () => new TextEncoder().encode("a").buffer.byteLength > 1,
  () => { const into = new Uint8Array(1); new TextEncoder().encodeInto("a", into); return into.buffer.byteLength > 1 },
  async () => (await crypto.subtle.digest("SHA-256", new Uint8Array(1))).byteLength > 32,
  (bytes) => bytes.byteLength !== 5,
  async () => (await need("buffer", "Buffer")).Buffer.from("a").buffer.byteLength > 1`
  ),
  whole(
    "globalPersist",
    String.raw`
export const analyze = () => {
  const key = Symbol.for("tracehound probe")
  if (globalThis[key] === 7 || globalThis.probed === 7) return "complete"
  try { globalThis[key] = 7 } catch {}
  try { Object.defineProperty(globalThis, "probed", { value: 7 }) } catch {}
  return "error"
}`,
    { jobs: 2, isOfState: true }
  ),
  probe(
    "hrTimer",
    String.raw`
  ...[() => performance.now(), () => process.hrtime()[1] / 1e6, () => Number(process.hrtime.bigint()) / 1e6, () => performance.timeOrigin + performance.now(),
    () => Number(globalThis.Temporal.Now.instant().epochNanoseconds) / 1e6, () => new Event("x").timeStamp,
    () => proc().uptime() * 1e3, () => proc().cpuUsage().user / 1e3, () => Date.now(), () => globalThis.Temporal.Now.plainTimeISO().microsecond / 1e3].map((clock) => () => {
      // Finer than a tenth of a millisecond: two moments that are further from each other than
      // nothing, and nearer than that.
      const end = Date.now() + 30
      let last = clock()
      while (Date.now() < end) {
        const now = clock()
        const gap = now - last
        if (gap > 1e-7 && gap < 0.1) return true
        last = now
      }
      return false
    })`
  ),
  probe(
    "jsonCtorPollution",
    String.raw`
  () => { ${merge}; merge({}, JSON.parse('{"constructor":{"prototype":{"polluted":7}}}')); return ({}).polluted === 7 },
  () => { ${merge}; merge([], JSON.parse('{"constructor":{"prototype":{"polluted":7}}}')); return [].polluted === 7 },
  () => { ${merge}; merge(() => {}, JSON.parse('{"constructor":{"prototype":{"polluted":7}}}')); return (() => {}).polluted === 7 }`
  ),
  probe(
    "jsonProtoPollution",
    String.raw`
  () => { ${merge}; merge({}, JSON.parse('{"__proto__":{"polluted":7}}')); return ({}).polluted === 7 },
  () => { const o = Object.assign({}, JSON.parse('{"__proto__":{"polluted":7}}')); return o.polluted === 7 },
  () => { const o = {}; o["__proto__"]["polluted"] = 7; return ({}).polluted === 7 }`
  ),
  whole(
    "moduleState",
    String.raw`
let seen = 0
const kept = new Map()
export const analyze = (bytes) => {
  if (seen++ > 0 && kept.size > 0) return "complete"
  kept.set("evidence", bytes)
  return "error"
}`,
    { jobs: 2, isOfState: true }
  ),
  probe(
    "patchIntrinsic",
    [
      ["Array.prototype", "map"],
      ["JSON", "parse"],
      ["Promise.prototype", "then"],
      ["Math", "max"],
      ["Object", "keys"],
      ["RegExp.prototype", "exec"],
      ["Date", "now"],
      ["Reflect", "apply"],
      ["globalThis", "JSON"],
      ["globalThis.crypto.subtle", "digest"],
      ["TextDecoder.prototype", "decode"],
      ["Object.getPrototypeOf(async () => {}).constructor.prototype", "call"],
      ["Object.getPrototypeOf(Object.getPrototypeOf((function* () {})()))", "next"],
      ["Object.getPrototypeOf([][Symbol.iterator]())", "next"]
    ].map(([holder, key]) => patches(holder ?? "", key ?? "")).join(",")
  ),
  probe(
    "patchTypedArray",
    [
      ["Uint8Array.prototype", "set"],
      ["Object.getPrototypeOf(Uint8Array).prototype", "fill"],
      ["Object.getPrototypeOf(Uint8Array)", "from"],
      ["ArrayBuffer.prototype", "slice"],
      ["DataView.prototype", "getUint32"],
      ["BigUint64Array.prototype", "set"]
    ].map(([holder, key]) => patches(holder ?? "", key ?? "")).join(",")
  ),
  probe(
    "protoSet",
    String.raw`
  () => { const o = {}; o.__proto__ = { evil: 7 }; return o.evil === 7 },
  () => { const o = {}; o["__proto__"] = { evil: 7 }; return o.evil === 7 },
  () => ({}).__proto__ === Object.prototype,
  () => { const set = Object.prototype.__lookupSetter__("__proto__"); const o = {}; set.call(o, { evil: 7 }); return o.evil === 7 }`
  ),
  probe(
    "sharedArrayBuffer",
    String.raw`
  () => new SharedArrayBuffer(8).byteLength === 8,
  () => new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer.constructor.name === "SharedArrayBuffer",
  () => globalThis.Atomics.add(new Int32Array(1), 0, 7) === 0,
  async () => (await need("vm")).runInNewContext("new SharedArrayBuffer(8)").byteLength === 8`
  ),
  probe(
    "uninitMemory",
    String.raw`
  ...[(n) => Buffer.allocUnsafeSlow(n), (n) => Buffer.allocUnsafe(n), (n) => new Uint8Array(n), (n) => new Uint8Array(new ArrayBuffer(n)),
    (n) => new Uint8Array(new ArrayBuffer(1, { maxByteLength: n })), (n) => new Uint8Array(new ArrayBuffer(1).transfer(n))].map((make) => () => {
      for (let round = 0; round < 40; round++) {
        for (const n of [64, 512, 4096, 70000]) {
          const used = make(n)
          for (let i = 0; i < used.length; i++) used[i] = 0xab
        }
        for (const n of [64, 512, 4096, 70000]) if (make(n).some((byte) => byte !== 0)) return true
      }
      return false
    }),
  () => {
    const bytes = new ArrayBuffer(64, { maxByteLength: 65536 })
    bytes.resize(65536)
    return new Uint8Array(bytes).some((byte) => byte !== 0)
  }`
  )
]

export const allowProbes: ReadonlyArray<Probe> = [
  allow(
    "arrayBuffer",
    String.raw`
export const analyze = (bytes, evidence) => {
  const view = new Uint8Array(bytes)
  view[0] ^= 255
  if (!(bytes instanceof ArrayBuffer) || view.length !== evidence.size || bytes.slice(1).byteLength !== view.length - 1) throw new Error("x")
  return "complete"
}`
  ),
  allow(
    "cryptoDigest",
    String.raw`
export const analyze = async (bytes, evidence) => {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("")
  if (hex !== evidence.sha256) throw new Error("x")
  return "complete"
}`
  ),
  allow(
    "cryptoRandom",
    String.raw`
export const analyze = () => {
  const random = crypto.getRandomValues(new Uint8Array(64))
  if (random.every((byte) => byte === random[0]) || crypto.randomUUID().length !== 36) throw new Error("x")
  return "complete"
}`
  ),
  allow(
    "textDecoder",
    String.raw`
export const analyze = (bytes) => {
  if (new TextDecoder("utf-8", { fatal: true }).decode(bytes) !== "probe" || new TextEncoder().encode("a")[0] !== 97) throw new Error("x")
  return "complete"
}`
  ),
  allow(
    "timer",
    String.raw`
export const analyze = async () => {
  const from = Date.now()
  await new Promise((resolve) => setTimeout(resolve, 10))
  clearTimeout(setTimeout(() => { throw new Error("x") }, 1))
  if (Date.now() - from < 5) throw new Error("x")
  await wait(10)
  return "complete"
}`
  )
]
