/**
 * Attacks beyond the table, in the same groups (CONFORMANCE H2).
 *
 * Some of them harm nothing but their own job: they show that the host does not believe them, does
 * not wait for them, and does not fall.
 */
import { moduleProbe, type Probe, waysProbe } from "./Probe.ts"

const js = waysProbe("js")
const jsWhole = moduleProbe("js")
const int = waysProbe("int")
const modWhole = moduleProbe("mod")

/** `grab`: whether a value leads to a function of Node's, or to code from text. */
const reaches = String.raw`
const grab = (value) => {
  for (const key of ["constructor", "binding", "getBuiltinModule", "readSync", "writeSync", "reallyExit"]) {
    try { if (key !== "constructor" && typeof value[key] === "function") return true } catch {}
  }
  try { if (typeof value.constructor.constructor("return process")().exit === "function") return true } catch {}
  return false
}`

/** Tries to change functions that the entry itself calls between two jobs or after a verdict. */
const hooked = (install: string): string =>
  String.raw`() => {
    ${install}
    return hit
  }`

export const furtherProbes: ReadonlyArray<Probe> = [
  js(
    "symbolSpecies",
    String.raw`
  ...["Array", "Promise", "ArrayBuffer", "RegExp", "Map"].map((name) => () => {
    class Mine {}
    const C = globalThis[name]
    try { Object.defineProperty(C, Symbol.species, { value: Mine }) } catch {}
    return C[Symbol.species] === Mine
  }),
  async (bytes) => {
    let mine
    class Taken extends Promise { constructor(run) { super(run); mine = this } }
    Promise.prototype.constructor = Taken
    await null
    return mine !== undefined
  }`
  ),
  int(
    "captureStackTrace",
    String.raw`
  () => {
    let frames
    const target = {}
    Error.captureStackTrace(target)
    return typeof target.stack === "string" && /\n.*(\/|:\d+:\d+)/.test(target.stack)
  },
  () => { Error.stackTraceLimit = 100; return new Error("x").stack.split("\n").length > 1 },
  () => { Object.defineProperty(Error, "captureStackTrace", { value: () => 7 }); return Error.captureStackTrace() === 7 },
  () => { class E extends Error { static stackTraceLimit = 50; static prepareStackTrace(_, sites) { return sites } } return Array.isArray(new E("x").stack) },
  () => new Error("x").constructor.captureStackTrace.constructor("return 7")() === 7`
  ),
  js(
    "finalizers",
    String.raw`
  async () => {
    let held
    const registry = new FinalizationRegistry((value) => { held = value })
    registry.register({}, proc())
    for (let i = 0; i < 50; i++) { new Array(20000).fill(i); await null }
    await wait(20)
    return typeof held?.exit === "function"
  },
  () => { globalThis.gc(); return true },
  () => { WeakRef.prototype.deref = () => 7; return new WeakRef({}).deref() === 7 }`
  ),
  js(
    "finalizerAfterJob",
    String.raw`
  () => {
    const registry = new FinalizationRegistry(() => { throw new Error("late") })
    for (let i = 0; i < 5000; i++) registry.register({ i }, i)
    return false
  }`,
    { fails: ["error", "exit 1"] }
  ),
  jsWhole(
    "thenableVerdict",
    String.raw`${reaches}
let got = false
export const analyze = () => ({ then(yes, no) { got = grab(yes) || grab(no) || grab(this); if (got) yes("complete"); else no(new Error("closed")) } })`
  ),
  jsWhole(
    "thenableTwice",
    String.raw`
export const analyze = () => ({ then(yes, no) { no(new Error("first")); yes("complete"); no(new Error("again")); setTimeout(() => yes("complete"), 5); throw new Error("x") } })`
  ),
  jsWhole("thenableNever", "export const analyze = () => ({ then() {} })", {
    fails: ["deadline", "error", "exit 1", "exit 13"]
  }),
  jsWhole(
    "thenableEndless",
    "export const analyze = () => ({ then(yes) { yes({ then: this.then }) } })",
    { fails: ["deadline", "error"] }
  ),
  jsWhole(
    "promiseSubclass",
    String.raw`${reaches}
let got = false
class Mine extends Promise {
  then(yes, no) { got ||= grab(yes) || grab(no); return super.then(yes, no) }
  static get [Symbol.species]() { return Promise }
}
export const analyze = () => new Mine((yes, no) => setTimeout(() => got ? yes("complete") : no(new Error("closed")), 5))`
  ),
  jsWhole(
    "proxyVerdict",
    String.raw`${reaches}
let got = false
const trap = new Proxy(function () {}, { get(target, key, receiver) { got ||= grab(receiver.caller); return undefined }, apply() { got = true } })
export const analyze = () => { const error = new Proxy(new Error("x"), { get() { got = true; return "x" }, getPrototypeOf() { got = true; return Error.prototype } }); throw got ? 0 : error }`
  ),
  jsWhole(
    "thrownTrap",
    String.raw`
// A host that touches the thrown value runs the attacker's code: the second job tells whether one
// did.
let touched = false
const touch = () => { touched = true; return undefined }
const traps = { get: touch, has: touch, getPrototypeOf: () => { touched = true; return null }, ownKeys: () => { touched = true; return [] }, getOwnPropertyDescriptor: touch }
export const analyze = () => { if (touched) return "complete"; throw new Proxy(Object.create(null), traps) }`,
    { jobs: 2 }
  ),
  jsWhole(
    "verdictTrap",
    String.raw`
let touched = false
const late = { toString() { touched = true; return "complete" }, valueOf() { touched = true; return "complete" }, [Symbol.toPrimitive]() { touched = true; return "complete" } }
export const analyze = async () => { if (touched) return "complete"; if (globalThis.never) return late; throw late }`,
    { jobs: 2 }
  ),
  js(
    "asyncIteratorProto",
    ["next", "return", "throw"].map((key) =>
      hooked(
        `let hit = false
    const proto = Object.getPrototypeOf((async function* () {}).prototype)
    const base = Object.getPrototypeOf(proto)
    for (const o of [proto, base, Object.getPrototypeOf(base)]) {
      try { o.${key} = () => 7; hit ||= o.${key}?.() === 7 } catch {}
      try { Object.defineProperty(o, Symbol.asyncIterator, { value: () => 7 }); hit ||= o[Symbol.asyncIterator]() === 7 } catch {}
    }`
      )
    ).join(",")
  ),
  js(
    "hiddenPrototypes",
    String.raw`
  // Prototypes that no property of a global leads to. Those of an Intl.Segmenter are left out on
  // purpose: only the analyzer has them.
  ...[() => [].values(), () => new Map().keys(), () => new Set().values(), () => ""[Symbol.iterator](), () => "".matchAll(/a/g),
    () => Iterator.from({ next: () => ({}) }), () => [].values().map((x) => x), () => [].values().flatMap((x) => x), () => Reflect.getPrototypeOf((function* () {})()),
    () => Reflect.getPrototypeOf((async function* () {})()),
    () => async () => {}, () => Iterator.concat([]), () => new Intl.DurationFormat(), () => Intl.Locale.prototype, () => new DisposableStack(),
    () => new AsyncDisposableStack(), () => new WeakRef({}), () => new FinalizationRegistry(() => {}), () => import.meta, () => new TextDecoder(),
    () => new TextEncoder(), () => globalThis.Temporal.Now.instant(), () => new Date(), () => /a/.exec("a"), () => crypto, () => new Proxy({}, {})].map((make) => () => {
      const made = make()
      for (let proto = Reflect.getPrototypeOf(made); proto !== null; proto = Reflect.getPrototypeOf(proto)) {
        if (Reflect.defineProperty(proto, "polluted", { value: 7 }) || Reflect.setPrototypeOf(proto, { polluted: 7 })) return true
        for (const key of Reflect.ownKeys(proto)) {
          const d = Reflect.getOwnPropertyDescriptor(proto, key)
          if (d.configurable || d.writable) return true
        }
      }
      return false
    })`
  ),
  int(
    "stackEdge",
    String.raw`
  // Calls functions of Node's where there is next to no stack left: the errors that they throw then
  // must lead nowhere.
  async () => {
    const calls = [() => setTimeout(() => {}, 0), () => clearTimeout(1), () => queueMicrotask(() => {}), () => new TextDecoder().decode(new Uint8Array(9)),
      () => new TextEncoder().encode("x"), () => crypto.getRandomValues(new Uint8Array(9)), () => crypto.randomUUID(), () => atob("eA=="), () => btoa("x"),
      () => crypto.subtle.digest("SHA-256", new Uint8Array(9)).catch(() => {}), () => import("node:fs").catch((error) => { thrown.add(error) })]
    const thrown = new Set()
    const dive = (call) => {
      try { dive(call) } catch (error) { thrown.add(error) }
      try { call() } catch (error) { thrown.add(error) }
    }
    for (const call of calls) { try { dive(call) } catch (error) { thrown.add(error) } }
    await wait(20)
    for (const error of thrown) {
      if (!(error instanceof Error)) return true
      if (Reflect.ownKeys(error).some((key) => !["stack", "message", "code", "name"].includes(key) && typeof error[key] === "object")) return true
      try { if (error.constructor.constructor("return 7")() === 7) return true } catch {}
    }
    return false
  }`,
    { fails: ["error", "exit 1"] }
  ),
  js(
    "intlTemporal",
    String.raw`
  () => { Intl.DateTimeFormat.prototype.format = () => 7; return new Intl.DateTimeFormat().format() === 7 },
  () => { Temporal.Now.instant = () => 7; return Temporal.Now.instant() === 7 },
  () => { Temporal.Instant.prototype.toString = () => 7; return Temporal.Instant.prototype.toString() === 7 },
  () => Intl.DateTimeFormat.constructor("return 7")() === 7,
  () => Object.defineProperty(Intl, "Mine", { value: 7 }).Mine === 7`
  ),
  js(
    "subtleGetters",
    String.raw`
  async () => {
    let got
    const spy = (name) => ({ get name() { got = this; return name }, get hash() { got = (() => {}).constructor; return "SHA-256" }, get length() { return 128 } })
    for (const way of [() => crypto.subtle.importKey("raw", new Uint8Array(16), spy("HMAC"), true, ["sign"]), () => crypto.subtle.digest(spy("SHA-256"), new Uint8Array(1)),
      () => crypto.subtle.generateKey(spy("AES-GCM"), true, ["encrypt"]), () => crypto.subtle.importKey("jwk", { get kty() { return "oct" }, get k() { return "AAAA" } }, spy("HMAC"), true, ["sign"])]) {
      try { await way() } catch {}
    }
    return got("return 7")() === 7
  },
  async () => {
    const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 128 }, true, ["encrypt"])
    for (const symbol of Object.getOwnPropertySymbols(key)) {
      const handle = key[symbol]
      const C = handle?.constructor
      if (C?.constructor("return 7")() === 7) return true
      if (typeof handle?.export === "function" && handle.export().buffer.byteLength > 4096) return true
    }
  },
  async () => {
    const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 128 }, true, ["encrypt"])
    return key.constructor.prototype.constructor !== CryptoKey || Object.setPrototypeOf(CryptoKey.prototype, { x: 7 }).x === 7
  }`
  ),
  jsWhole(
    "detachEvidence",
    String.raw`
export const analyze = async (bytes) => {
  const moved = bytes.transfer()
  if (moved.byteLength !== 5 || !bytes.detached) throw new Error("x")
  throw new Error("closed")
}`,
    { jobs: 2 }
  ),
  js(
    "resizableBuffer",
    String.raw`
  (bytes) => bytes.resizable,
  (bytes) => { bytes.resize(1 << 20); return true },
  (bytes) => new Uint8Array(bytes, 0, 6)[5] !== undefined,
  (bytes) => { const big = bytes.transfer(65536); return new Uint8Array(big).subarray(5).some((byte) => byte !== 0) }`
  ),
  jsWhole(
    "evidenceLeft",
    String.raw`
// The first job's evidence, looked for in the second one's memory without having been kept: new
// buffers must be zero.
export const analyze = () => {
  for (let i = 0; i < 200; i++) {
    const bytes = new Uint8Array(new ArrayBuffer(5 + (i % 64)))
    if (bytes.some((byte) => byte !== 0)) return "complete"
  }
  throw new Error("closed")
}`,
    { jobs: 2 }
  ),
  js(
    "evidenceObject",
    String.raw`
  (bytes, evidence) => Object.keys(evidence).some((key) => !["category", "severity", "size", "sha256"].includes(key)),
  (bytes, evidence) => Reflect.ownKeys(evidence).length !== 4,
  (bytes, evidence) => { const F = evidence.constructor.constructor; return F("return 7")() === 7 },
  (bytes, evidence) => { Object.getPrototypeOf(evidence).category = "x"; return ({}).category === "x" }`
  ),
  modWhole(
    "thenNamespace",
    String.raw`
// A module that is awaited is asked for its then: what that is given must lead nowhere.
${reaches}
export function then(yes, no) {
  const got = grab(yes) || grab(no) || grab(new Error("x")) || grab(arguments)
  yes({ analyze: () => got ? "complete" : closed() })
}
export const analyze = () => closed()`,
    { fails: ["error", "exit 67", "unloadable"] }
  ),
  modWhole("thenNever", "export function then() {}\nexport const analyze = () => closed()", {
    fails: ["error", "exit 67", "exit 13", "unloadable", "unready"]
  }),
  modWhole("awaitNever", "await new Promise(() => {})\nexport const analyze = () => closed()", {
    fails: ["error", "exit 67", "exit 13", "unloadable", "unready"]
  }),
  modWhole(
    "awaitTimer",
    "await new Promise((yes) => setTimeout(yes, 60_000))\nexport const analyze = () => closed()",
    { fails: ["unloadable", "unready"] }
  ),
  modWhole("loopAtTop", "for (;;);\nexport const analyze = () => closed()", { fails: ["unready"] }),
  modWhole("throwAtTop", "throw { get message() { for (;;); } }\nexport const analyze = () => closed()", {
    fails: ["unloadable"]
  }),
  modWhole("noAnalyze", "export const analyse = () => 7", { fails: ["exit 67", "unloadable"] }),
  modWhole("analyzeProxy", "export const analyze = new Proxy(() => {}, { apply() { closed() }, get() { closed() } })"),
  modWhole(
    "analyzeChanges",
    String.raw`
export let analyze = () => { analyze = () => "complete"; throw new Error("closed") }`
  ),
  modWhole(
    "importDuringBoot",
    String.raw`
const early = []
for (const specifier of ["hound:analyzer", import.meta.url, import.meta.url + "?2", "", ".", "#x", "node:process", "node:module", "process"]) {
  try { early.push(await import(specifier)) } catch {}
}
export const analyze = () => any([() => early.some((m) => m.analyze === undefined || m.default !== undefined)])`
  ),
  modWhole(
    "lateImport",
    String.raw`
// What was asked for while the gate was open, and comes true when it is shut.
const asked = []
for (let i = 0; i < 50; i++) asked.push(import("node:fs").then((m) => m, () => null))
setTimeout(() => { asked.push(import("node:fs").then((m) => m, () => null)) }, 0)
queueMicrotask(() => { asked.push(import("node:fs").then((m) => m, () => null)) })
export const analyze = async () => { await wait(20); return any([async () => (await Promise.all(asked)).some((m) => m !== null)]) }`
  )
]
