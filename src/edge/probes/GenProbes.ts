/**
 * Probes that make code out of text: group `gen` (CONFORMANCE H2). Each makes code that returns
 * 7.
 */
import { type Probe, waysProbe } from "./Probe.ts"

const probe = waysProbe("gen")

/** Ways to reach the constructor of one kind of function from a literal of that kind. */
const constructors = (literal: string, call: string): string =>
  String.raw`
  () => { const F = (${literal}).constructor; return ${call} },
  () => { const F = Object.getPrototypeOf(${literal}).constructor; return ${call} },
  () => { const C = (${literal}).constructor; const F = (text) => Reflect.construct(C, [text]); return ${call} },
  () => { class F0 extends (${literal}).constructor {}; const F = (text) => new F0(text); return ${call} },
  () => { const F = Reflect.getOwnPropertyDescriptor(Object.getPrototypeOf(${literal}), "constructor").value; return ${call} },
  () => { const F = (${literal}).constructor.bind(null); return ${call} }`

export const genProbes: ReadonlyArray<Probe> = [
  probe(
    "Function",
    String.raw`
  () => Function("return 7")() === 7,
  () => new Function("return 7")() === 7,
  () => globalThis.Function("a", "return a")(7) === 7,
  () => Reflect.construct(Function, ["return 7"])() === 7,
  () => Reflect.construct(Function, ["return 7"], Array)() === 7,
  () => Function({ toString: () => "return 7" })() === 7,
  () => Function("a = 7", "return a")() === 7`
  ),
  probe(
    "FunctionProto",
    String.raw`${constructors("() => {}", "F(\"return 7\")() === 7")},
  () => Object.getPrototypeOf(function () {}).constructor("return 7")() === 7,
  () => [].map.constructor("return 7")() === 7,
  () => Math.max.constructor("return 7")() === 7,
  () => (class {}).constructor("return 7")() === 7,
  () => (function () {}).bind().constructor("return 7")() === 7,
  () => new Proxy(() => {}, {}).constructor("return 7")() === 7`
  ),
  probe("AsyncFunction", constructors("async () => {}", "F(\"return 7\")().then((n) => n === 7)")),
  probe("GeneratorFunction", constructors("function* () {}", "F(\"yield 7\")().next().value === 7")),
  probe("AsyncGenerator", constructors("async function* () {}", "F(\"yield 7\")().next().then((r) => r.value === 7)")),
  probe(
    "ShadowRealm",
    String.raw`
  () => new ShadowRealm().evaluate("7") === 7,
  () => new globalThis.ShadowRealm().evaluate("7") === 7,
  async () => {
    (await need("v8")).setFlagsFromString("--harmony-shadow-realm")
    const vm = await need("vm")
    return vm.runInNewContext("new ShadowRealm().evaluate('7')") === 7
  }`,
    { bareClosed: "it is behind a flag that is read at the start" }
  ),
  probe(
    "eval",
    String.raw`
  () => (0, eval)("3 + 4") === 7,
  () => globalThis.eval("3 + 4") === 7,
  () => Reflect.apply(eval, undefined, ["3 + 4"]) === 7,
  () => ["3 + 4"].map(eval)[0] === 7,
  async () => (await Promise.resolve("3 + 4").then(eval)) === 7`
  ),
  probe("evalDirect", String.raw`() => eval("3 + 4") === 7, () => { let x = 3; eval("x = 7"); return x === 7 }`),
  probe(
    "inspectorEval",
    String.raw`
  async () => {
    const { Session } = await need("inspector", "Session")
    const session = new Session()
    session.connect()
    const answer = await once(1000, (yes, no) =>
      session.post("Runtime.evaluate", { expression: "3 + 4" }, (error, value) => error ? no(error) : yes(value)))
    return answer.result.value === 7
  },
  async () => {
    const { Connection } = proc().binding("inspector")
    return typeof Connection === "function" && new Connection(() => {}) !== undefined
  }`
  ),
  probe(
    "setTimeoutString",
    String.raw`
  async () => { setTimeout("globalThis.__timed = 7", 0); await wait(50); return globalThis.__timed === 7 },
  async () => { globalThis.setInterval("globalThis.__timed = 7", 1); await wait(50); return globalThis.__timed === 7 },
  async () => { globalThis.setImmediate("globalThis.__timed = 7"); await wait(50); return globalThis.__timed === 7 },
  async () => { queueMicrotask("globalThis.__timed = 7"); await wait(50); return globalThis.__timed === 7 }`,
    { bareClosed: "Node's timers take functions only" }
  ),
  probe(
    "vm",
    String.raw`
  async () => (await need("vm")).runInThisContext("3 + 4") === 7,
  async () => (await need("vm")).runInNewContext("3 + 4") === 7,
  async () => { const { Script } = await need("vm"); return new Script("3 + 4").runInThisContext() === 7 },
  async () => { const { ContextifyScript } = proc().binding("contextify"); return new ContextifyScript("3 + 4", "x") !== undefined }`
  ),
  probe(
    "vmCompileFunction",
    String.raw`
  async () => (await need("vm")).compileFunction("return 7")() === 7,
  async () => proc().binding("contextify").compileFunction("return 7", "", 0, 0).function() === 7,
  async () => (await reach()).get("compileFunction")("return 7")() === 7`
  ),
  probe(
    "vmEscapeCtor",
    String.raw`
  async () => {
    const p = (await need("vm")).runInNewContext("this.constructor.constructor('return process')()", {})
    return typeof p.exit === "function"
  },
  async () => {
    const F = (await need("vm")).runInNewContext("(() => {}).constructor")
    return F("return 7")() === 7
  }`
  ),
  probe(
    "wasm",
    String.raw`
  async () => (await WebAssembly.instantiate(emptyWasm)).instance !== undefined,
  async () => (await globalThis.WebAssembly.compile(emptyWasm)) !== undefined,
  async () => (await import("data:application/wasm;base64,AGFzbQEAAAA=")) !== undefined,
  async () => (await import(W.wasm)) !== undefined,
  async () => (await WebAssembly.instantiateStreaming(new Response(emptyWasm, { headers: { "content-type": "application/wasm" } }))) !== undefined`
  ),
  probe(
    "wasmSync",
    String.raw`
  () => new WebAssembly.Instance(new WebAssembly.Module(emptyWasm)) !== undefined,
  () => WebAssembly.validate(emptyWasm),
  () => new WebAssembly.Memory({ initial: 1 }).buffer.byteLength === 65536,
  async () => (await need("vm")).runInNewContext("new WebAssembly.Memory({ initial: 1 })").buffer.byteLength === 65536`
  )
]
