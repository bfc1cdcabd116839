/**
 * Probes that load modules which a hound must not have: group `mod` (CONFORMANCE H2).
 */
import { moduleProbe, type Probe, waysProbe } from "./Probe.ts"

const probe = waysProbe("mod")
const whole = moduleProbe("mod")

/** Whether a module of Node reads the secret file. */
const reads = "(m) => (m.readFileSync ?? m.default.readFileSync)(W.secret, \"utf8\") === W.secretText"

export const modProbes: ReadonlyArray<Probe> = [
  probe(
    "createRequire",
    String.raw`
  async () => (${reads})((await import("node:module")).createRequire("/x.js")("node:fs")),
  async () => (${reads})(proc().getBuiltinModule("module").createRequire(W.analyzer)("fs")),
  async () => (${reads})((await need("module")).createRequire("/x.js")("fs")),
  () => (${reads})(globalThis.require("fs")),
  () => (${reads})(proc().mainModule.require("fs")),
  () => (${reads})(require("fs"))`
  ),
  probe(
    "getBuiltin",
    String.raw`
  () => (${reads})(process.getBuiltinModule("fs")),
  () => (${reads})(proc().getBuiltinModule("node:fs")),
  async () => (${reads})((await reach()).get("getBuiltinModule")("node:fs")),
  () => (${reads})(Object.getPrototypeOf(process).getBuiltinModule("fs")),
  async () => (await need("os", "hostname")).hostname().length > 0`
  ),
  probe(
    "importBlob",
    String.raw`
  async () => (await import(URL.createObjectURL(new Blob(["export default 7"], { type: "text/javascript" })))).default === 7,
  async () => (await import("blob:nodedata:00000000-0000-0000-0000-000000000000")) !== undefined`,
    { bareClosed: "Node imports no blob: URLs" }
  ),
  probe(
    "importData",
    String.raw`
  async () => (await import("data:text/javascript,export default 7")).default === 7,
  async () => (await import("data:text/javascript;base64,ZXhwb3J0IGRlZmF1bHQgNw==")).default === 7,
  async () => (await import("data:application/json,7", { with: { type: "json" } })).default === 7,
  async () => (await import("data:text/javascript,import fs from 'node:fs'; export default fs")).default !== undefined`
  ),
  probe(
    "importFs",
    String.raw`async () => (${reads})(await import("fs")), async () => (${reads})(await import("fs/promises"))`
  ),
  probe(
    "importHttp",
    String.raw`
  async () => (await import("http://127.0.0.1:" + W.http + "/module.mjs")).default === 7,
  async () => (await import("//127.0.0.1:" + W.http + "/module.mjs")).default === 7`,
    { needs: ["net"], bareClosed: "Node imports nothing from the network" }
  ),
  probe(
    "importJson",
    String.raw`
  async () => (await import(W.json, { with: { type: "json" } })).default.json === W.secretText,
  async () => (await import("file://" + W.json, { with: { type: "json" } })).default.json === W.secretText,
  async () => (await need("module")).createRequire("/x.js")(W.json).json === W.secretText,
  async () => (await import("file://" + W.secret, { with: { type: "text" } })).default === W.secretText,
  async () => (await import("file://" + W.secret, { with: { type: "bytes" } })).default.length > 0`
  ),
  probe(
    "importMetaLeak",
    String.raw`
  () => import.meta.url.includes("/"),
  () => import.meta.filename.includes("/"),
  () => import.meta.dirname.includes("/"),
  () => Reflect.ownKeys(import.meta).some((key) => typeof import.meta[key] === "string" && import.meta[key].includes("/")),
  () => import.meta.main !== undefined && import.meta.main`
  ),
  probe(
    "importMetaResolve",
    String.raw`
  () => import.meta.resolve("node:fs") === "node:fs",
  () => import.meta.resolve("./x.mjs").includes("/"),
  () => import.meta.resolve("./x.mjs", "file:///etc/").includes("/"),
  () => import.meta.resolve("data:text/javascript,7").length > 0,
  () => import.meta.resolve(import.meta.url).length > 0`
  ),
  probe(
    "importNodeCp",
    String.raw`
  async () => (await import("node:child_process")).execFileSync("/bin/sh", ["-c", "echo 7"]).length > 0,
  async () => (await import("child_process")).spawnSync !== undefined`
  ),
  probe(
    "importNodeFs",
    String.raw`
  async () => (${reads})(await import("node:fs")),
  async () => (await (await import("node:fs/promises")).readFile(W.secret, "utf8")) === W.secretText,
  async () => (${reads})(await import("NODE:fs")),
  async () => (${reads})(await import(" node:fs")),
  async () => (${reads})(await import({ toString: () => "node:fs" })),
  async () => { let n = 0; return (${reads})(await import({ toString: () => n++ === 0 ? import.meta.url : "node:fs" })) }`
  ),
  probe(
    "importReadablePath",
    String.raw`
  async () => (await import(W.analyzer)).analyze !== undefined,
  async () => (await import("file://" + W.analyzer + "?again")).analyze !== undefined,
  async () => (await import("/hound/analyzer.mjs")).analyze !== undefined,
  async () => (await import(W.module)).default === 7,
  async () => (await import("file://" + W.module)).default === 7,
  async () => (await import("file://" + W.entry + "?again")) !== undefined,
  async () => (await import(W.entry)) !== undefined`
  ),
  probe(
    "importSelfAgain",
    String.raw`
  async () => (await import(import.meta.url)) !== undefined,
  async () => (await import(import.meta.url + "?again")) !== undefined,
  async () => (await import("hound:analyzer")) !== undefined,
  async () => (await import("hound:analyzer", { with: { type: "json" } })) !== undefined,
  async () => (await import("hound:analyzer#again")) !== undefined,
  async () => (await import("HOUND:analyzer")) !== undefined`
  ),
  whole(
    "importSource",
    String.raw`export const analyze = () => any([
  async () => (await import.source(W.wasm)) instanceof WebAssembly.Module,
  async () => (await import.source("file://" + W.wasm)) !== undefined,
  async () => (await import.source("data:application/wasm;base64,AGFzbQEAAAA=")) !== undefined,
  async () => (await import.source(import.meta.url)) !== undefined
])`,
    { fails: ["error", "unloadable"] }
  ),
  probe(
    "registerLoader",
    String.raw`
  async () => {
    const { register } = await need("module", "register")
    register("data:text/javascript," + encodeURIComponent(
      "export const resolve = (s, c, next) => s === 'probe:x' ? { url: 'data:text/javascript,export default 7', shortCircuit: true } : next(s, c)"))
    return (await import("probe:x")).default === 7
  },
  async () => {
    const Module = await need("module")
    const load = Module._extensions ?? Module.default._extensions
    load[".probe"] = (module) => { module.exports = 7 }
    return Module.createRequire("/x.js")(W.secret.replace(/txt$/, "probe")) === 7
  },
  async () => {
    const Module = (await need("module")).default ?? (await need("module"))
    Module._load = () => 7
    return Module.createRequire("/x.js")("node:fs") === 7
  }`
  ),
  probe(
    "registerOwnHooks",
    String.raw`
  async () => {
    const { registerHooks } = await need("module", "registerHooks")
    registerHooks({
      resolve: (s, c, next) => s === "probe:x" ? { url: "probe:x", format: "module", shortCircuit: true } : next(s, c),
      load: (u, c, next) => u === "probe:x" ? { format: "module", source: "export default 7", shortCircuit: true } : next(u, c)
    })
    return (await import("probe:x")).default === 7
  },
  async () => { (await reach()).get("registerHooks")({}); return true }`
  ),
  whole(
    "staticImportFs",
    `import fs, { readFileSync } from "node:fs"\nexport const analyze = () => any([() => (${reads})({ readFileSync }), () => (${reads})(fs)])`,
    { fails: ["unloadable"] }
  ),
  whole(
    "staticImportModule",
    `import { createRequire } from "node:module"\nexport const analyze = () => any([() => (${reads})(createRequire("/x.js")("fs"))])`,
    { fails: ["unloadable"] }
  ),
  whole(
    "topLevelImport",
    String.raw`
const early = []
for (const name of ["node:fs", "fs", "node:module", "node:child_process", "data:text/javascript,export default 7", W.module]) {
  try { early.push(await import(name)) } catch {}
}
let late
const pending = import("node:fs").then((m) => { late = m }, () => {})
export const analyze = () => any([() => early.length > 0, async () => { await pending; return late !== undefined }])`
  ),
  whole(
    "topLevelProcess",
    String.raw`
const early = []
for (const way of [() => process.getBuiltinModule("fs"), () => process.binding("fs"), () => process.mainModule.require("fs"),
  () => globalThis.require("fs"), () => Function("return process")(), () => globalThis.process.env.UV_THREADPOOL_SIZE,
  () => globalThis.process.argv]) {
  try { early.push(way()) } catch {}
}
const walked = await reach()
export const analyze = () => any([() => early.some((it) => it !== undefined), () => walked.size > 0])`
  )
]
