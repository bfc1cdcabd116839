/**
 * Probes that read, write or inspect files and descriptors: group `fs` (CONFORMANCE H2).
 */
import { type Probe, waysProbe } from "./Probe.ts"

const probe = waysProbe("fs")

/** Every way to read the file at `path`; `check` is given its bytes as text. */
const readers = (path: string, check: string): string =>
  String.raw`
  async () => (${check})((await need("fs", "readFileSync")).readFileSync(${path}, "latin1")),
  async () => (${check})(await (await need("fs/promises", "readFile")).readFile(${path}, "latin1")),
  async () => (${check})(new TextDecoder().decode(await (await (await need("fs", "openAsBlob")).openAsBlob(${path})).arrayBuffer())),
  async () => (${check})(await (await fetch("file://" + ${path})).text()),
  async () => (${check})((await import("file://" + ${path}, { with: { type: "text" } })).default),
  async () => (${check})((await reach()).get("readFileSync")(${path}, "latin1")),
  async () => {
    const fs = proc().binding("fs")
    const fd = fs.open(${path}, 0, 0o666, undefined, {})
    const bytes = new Uint8Array(4096)
    const n = fs.read(fd, bytes, 0, 4096, -1, undefined, {})
    return (${check})(String.fromCharCode(...bytes.subarray(0, n)))
  }`

export const fsProbes: ReadonlyArray<Probe> = [
  probe(
    "chdirCwd",
    String.raw`
  () => { process.chdir(W.dir); return true },
  () => proc().cwd().includes("/"),
  async () => (await reach()).get("chdir")(W.dir) === undefined,
  async () => (await need("path", "resolve")).resolve("x").includes("/")`
  ),
  probe(
    "cpuProfile",
    String.raw`
  async () => {
    const { Session } = await need("inspector", "Session")
    const session = new Session()
    session.connect()
    const post = (method) => once(500, (yes, no) => session.post(method, (error, value) => error ? no(error) : yes(value)))
    await post("Profiler.enable")
    await post("Profiler.start")
    return (await post("Profiler.stop")).profile !== undefined
  },
  async () => (await need("v8")).startCpuProfile() !== undefined,
  () => proc()._startProfilerIdleNotifier() === undefined`
  ),
  probe(
    "forgeStatusFd3",
    String.raw`
  async () => {
    const { writeSync } = await need("fs", "writeSync")
    const frame = new Uint8Array(24)
    frame.set([0x48, 0x54, 1, 2])
    return writeSync(3, frame) === 24
  },
  async () => (await reach()).get("writeSync")(3, new Uint8Array(24)) === 24,
  async () => proc().binding("fs").writeBuffer(3, new Uint8Array(24), 0, 24, null, undefined, {}) === 24,
  async () => { const { Socket } = await need("net", "Socket"); return new Socket({ fd: 3 }).write(new Uint8Array(24)) !== undefined },
  () => { const { Pipe } = proc().binding("pipe_wrap"); return new Pipe(0).open(3) === 0 }`
  ),
  probe(
    "heapSnapshot",
    String.raw`
  async () => (await need("v8")).writeHeapSnapshot(W.marker) === W.marker,
  async () => (await need("v8")).getHeapSnapshot() !== undefined,
  async () => proc().report.getReport().javascriptHeap !== undefined`
  ),
  probe(
    "internalFds",
    String.raw`
  async () => {
    const { fstatSync } = await need("fs", "fstatSync")
    for (let fd = 3; fd < 64; fd++) { try { if (fstatSync(fd)) return true } catch {} }
  },
  async () => {
    const { closeSync } = await need("fs", "closeSync")
    for (let fd = 4; fd < 64; fd++) { try { closeSync(fd); return true } catch {} }
  },
  async () => { const fs = proc().binding("fs"); return fs.fstat(3, false, undefined, true) !== undefined }`
  ),
  probe(
    "loadEnvFile",
    String.raw`
  () => { proc().loadEnvFile(W.settings); return proc().env.PROBE_SECRET === W.secretText },
  async () => { (await reach()).get("loadEnvFile")(W.settings); return true },
  async () => (await need("util", "parseEnv")).parseEnv("A=7").A === "7"`
  ),
  probe(
    "localStorage",
    String.raw`
  () => { localStorage.setItem("a", "7"); return localStorage.getItem("a") === "7" },
  () => { sessionStorage.setItem("a", "7"); return sessionStorage.getItem("a") === "7" },
  () => { globalThis.localStorage.a = "7"; return globalThis.localStorage.a === "7" }`
  ),
  probe(
    "opensslEngine",
    String.raw`
  async () => {
    const { setEngine } = await need("crypto", "setEngine")
    try { setEngine(W.addon) } catch (error) { return !/ACCESS_DENIED|PERMISSION/i.test(String(error.code)) }
    return true
  },
  async () => { (await need("crypto", "setFips")).setFips(false); return true },
  async () => (await need("tls", "createSecureContext")).createSecureContext({ clientCertEngine: W.addon }) !== undefined`
  ),
  probe("procEnviron", readers("\"/proc/self/environ\"", "(text) => text.includes(\"UV_THREADPOOL_SIZE\")")),
  probe(
    "procPpidEnviron",
    readers("(\"/proc/\" + (globalThis.process?.ppid ?? 1) + \"/environ\")", "(text) => text.includes(\"=\")")
  ),
  probe("readEtc", readers("\"/etc/passwd\"", "(text) => text.includes(\"root:\")")),
  probe(
    "readFd0",
    String.raw`
  async () => (await need("fs", "readSync")).readSync(0, new Uint8Array(1)) >= 0,
  async () => (await need("fs", "fstatSync")).fstatSync(0) !== undefined,
  async () => (await reach()).get("readSync")(0, new Uint8Array(1)) >= 0,
  () => proc().stdin.fd === 0,
  () => proc().openStdin() !== undefined`
  ),
  probe("readOther", readers("W.secret", "(text) => text === W.secretText")),
  probe(
    "readSelfSource",
    `${readers("W.analyzer", "(text) => text.includes(\"analyze\")")},${
      readers("W.entry", "(text) => text.includes(\"analyze\")")
    },${readers("\"/hound/entry.mjs\"", "(text) => text.includes(\"analyze\")")}`
  ),
  probe(
    "reportGet",
    String.raw`
  () => proc().report.getReport().header !== undefined,
  async () => (await import("node:process")).report.getReport() !== undefined`
  ),
  probe(
    "reportWrite",
    String.raw`
  () => proc().report.writeReport(W.marker).length > 0,
  () => { proc().report.directory = W.dir; return proc().report.writeReport("x.json").length > 0 }`
  ),
  probe(
    "sqliteAttach",
    String.raw`
  async () => {
    const { DatabaseSync } = await need("sqlite", "DatabaseSync")
    const db = new DatabaseSync(":memory:")
    db.exec("ATTACH '" + W.marker + "' AS x; CREATE TABLE x.t (a); INSERT INTO x.t VALUES (7)")
    return true
  },
  async () => {
    const { DatabaseSync } = await need("sqlite", "DatabaseSync")
    new DatabaseSync(":memory:").exec("VACUUM INTO '" + W.marker + "'")
    return true
  }`
  ),
  probe(
    "sqliteFile",
    String.raw`
  async () => {
    const { DatabaseSync } = await need("sqlite", "DatabaseSync")
    new DatabaseSync(W.marker).exec("CREATE TABLE t (a)")
    return true
  },
  async () => {
    const { DatabaseSync } = await need("sqlite", "DatabaseSync")
    new DatabaseSync("file:" + W.marker + "?mode=rwc").exec("CREATE TABLE t (a)")
    return true
  }`
  ),
  probe(
    "sqliteMemory",
    String.raw`
  async () => {
    const { DatabaseSync } = await need("sqlite", "DatabaseSync")
    return new DatabaseSync(":memory:").prepare("SELECT 7 AS n").get().n === 7
  }`
  ),
  probe(
    "stderrWrite",
    String.raw`
  async () => { (await need("fs", "writeSync")).writeSync(2, "x"); return true },
  () => { console.error("x"); return true },
  () => { proc().stderr.write("x"); return true },
  () => { proc()._rawDebug("x"); return true },
  async () => { (await reach()).get("_rawDebug")("x"); return true },
  () => { proc().emitWarning("x"); return true }`
  ),
  probe(
    "symlink",
    String.raw`
  async () => { (await need("fs", "symlinkSync")).symlinkSync(W.secret, W.marker); return true },
  async () => { (await need("fs", "linkSync")).linkSync(W.secret, W.marker); return true },
  async () => { await (await need("fs/promises", "symlink")).symlink(W.secret, W.marker); return true },
  async () => { proc().binding("fs").symlink(W.secret, W.marker, 0, undefined, {}); return true }`
  ),
  probe(
    "traceEvents",
    String.raw`
  async () => {
    const tracing = (await need("trace_events", "createTracing")).createTracing({ categories: ["node", "v8"] })
    tracing.enable()
    await wait(50)
    return tracing.enabled
  },
  () => proc().binding("trace_events") !== undefined`
  ),
  probe(
    "write",
    String.raw`
  async () => { (await need("fs", "writeFileSync")).writeFileSync(W.marker, "x"); return true },
  async () => { (await need("fs", "appendFileSync")).appendFileSync(W.secret, "x"); return true },
  async () => { (await need("fs", "mkdirSync")).mkdirSync(W.marker); return true },
  async () => { (await need("fs", "renameSync")).renameSync(W.secret, W.marker); return true },
  async () => { (await need("fs", "unlinkSync")).unlinkSync(W.secret); return true },
  async () => { (await need("fs", "chmodSync")).chmodSync(W.secret, 0o600); return true },
  async () => { await (await need("fs/promises", "writeFile")).writeFile(W.marker, "x"); return true },
  async () => once(500, (yes) => need("fs", "createWriteStream").then((fs) => fs.createWriteStream(W.marker).end("x", () => yes(true)), () => yes(false))),
  async () => proc().binding("fs").open(W.marker, 0o102, 0o666, undefined, {}) >= 0`
  )
]
