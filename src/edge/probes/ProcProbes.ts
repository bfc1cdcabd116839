/**
 * Probes that use or harm processes: group `proc` (CONFORMANCE H2).
 *
 * **Gotchas**
 *
 * - The hound's parent is the process that runs the probes: it is sent no signal that does harm.
 */
import { type Probe, waysProbe } from "./Probe.ts"

const probe = waysProbe("proc")
const victim = { needs: ["victim"] } as const

export const procProbes: ReadonlyArray<Probe> = [
  probe("abort", String.raw`() => process.abort(), () => proc().abort(), async () => (await reach()).get("abort")()`),
  probe(
    "argvExecPath",
    String.raw`
  () => process.argv.length > 0,
  () => proc().argv0.length > 0,
  () => proc().execPath.includes("/"),
  () => Array.isArray(proc().execArgv),
  () => proc().config.variables !== undefined`
  ),
  probe(
    "channelUnref",
    String.raw`
  () => { process.channel.unref(); return true },
  () => { proc().channel.ref(); return true },
  () => { proc().disconnect(); return true },
  () => proc().connected === true`,
    { bareClosed: "there is no IPC channel" }
  ),
  probe(
    "cluster",
    String.raw`
  async () => {
    const cluster = await need("cluster", "fork")
    const { setupPrimary, fork } = cluster.default ?? cluster
    setupPrimary({ exec: W.module })
    return once(1000, (yes, no) => { const worker = fork(); worker.once("online", () => { worker.process.kill(); yes(true) }); worker.once("error", no) })
  }`
  ),
  probe(
    "env",
    String.raw`() => process.env.UV_THREADPOOL_SIZE !== undefined, () => proc().env.UV_THREADPOOL_SIZE !== undefined`
  ),
  probe(
    "envAny",
    String.raw`
  () => Object.keys(process.env).length > 0,
  () => Reflect.ownKeys(proc().env).length > 0,
  () => { proc().env.PROBE = "7"; return proc().env.PROBE === "7" },
  async () => Object.keys((await import("node:process")).env).length > 0`
  ),
  probe(
    "execve",
    String.raw`
  () => process.execve("/bin/sh", ["sh", "-c", "echo x > " + W.marker], {}),
  () => proc().execve("/bin/sh", ["sh", "-c", "echo x > " + W.marker], {}),
  async () => (await reach()).get("execve")("/bin/sh", ["sh", "-c", "echo x > " + W.marker], {})`
  ),
  probe(
    "exit",
    String.raw`
  () => process.exit(42),
  () => proc().reallyExit(42),
  async () => (await reach()).get("reallyExit")(42),
  async () => (await import("node:process")).exit(42)`
  ),
  probe(
    "ffi",
    String.raw`
  async () => { const ffi = await need("ffi", "dlopen"); return ffi.dlopen(null, { getpid: { parameters: [], result: "i32" } }) !== undefined },
  async () => { const ffi = await need("ffi", "DynamicLibrary"); return new ffi.DynamicLibrary(null) !== undefined },
  async () => Object.keys(await import("node:ffi")).length > 0`
  ),
  probe(
    "fork",
    String.raw`
  async () => {
    const { fork } = await need("child_process", "fork")
    return once(1000, (yes, no) => { const child = fork(W.module, { stdio: "ignore", execArgv: [] }); child.once("spawn", () => { child.kill(); yes(true) }); child.once("error", no) })
  }`
  ),
  probe(
    "inspectorOpen",
    String.raw`
  async () => {
    const inspector = await need("inspector", "open")
    inspector.open(0, "127.0.0.1")
    const url = inspector.url()
    inspector.close()
    return url !== undefined
  },
  async () => { (await need("inspector", "waitForDebugger")).console.log("x"); return true }`
  ),
  probe(
    "inspectorSIGUSR1",
    String.raw`
  async () => { process.kill(process.pid, "SIGUSR1"); await wait(200); return true },
  async () => { proc()._debugProcess(proc().pid); return true },
  async () => { proc()._debugEnd(); return true },
  async () => { (await reach()).get("_debugProcess")(1); return true },
  async () => { (await reach()).get("kill")(proc().pid, "SIGUSR1"); return true }`
  ),
  probe(
    "ipcSend",
    String.raw`
  () => process.send({ cmd: "NODE_HANDLE_ACK" }),
  () => proc().send("x"),
  () => proc()._channel.writeUtf8String({}, "x\n") === 0,
  async () => (await need("worker_threads", "parentPort")).parentPort.postMessage("x") === undefined`,
    { bareClosed: "there is no IPC channel" }
  ),
  probe(
    "killOther",
    String.raw`
  () => process.kill(W.victim, "SIGKILL"),
  () => proc().kill(W.victim, "SIGTERM"),
  async () => (await reach()).get("kill")(W.victim, 9),
  async () => (await need("child_process", "spawnSync")).spawnSync("/bin/sh", ["-c", "kill -9 " + W.victim]).status === 0`,
    victim
  ),
  probe(
    "killParent",
    String.raw`
  () => process.kill(process.ppid, "SIGWINCH"),
  () => proc().kill(proc().ppid, "SIGURG"),
  async () => (await reach()).get("kill")(proc().ppid, 28) === 0`
  ),
  probe(
    "killParent0",
    String.raw`
  () => process.kill(process.ppid, 0),
  () => proc().kill(1, 0),
  () => proc().kill(proc().pid, 0),
  () => proc().ppid > 0`
  ),
  probe(
    "killRaw",
    String.raw`
  () => process._kill(W.victim, 9) === 0,
  () => proc()._kill(W.victim, 15) === 0,
  async () => (await reach()).get("_kill")(W.victim, 9) === 0`,
    victim
  ),
  probe(
    "memoryInfo",
    String.raw`
  () => process.memoryUsage().rss > 0,
  () => proc().memoryUsage.rss() > 0,
  () => proc().resourceUsage().maxRSS > 0,
  () => proc().constrainedMemory() >= 0,
  async () => (await need("os", "totalmem")).totalmem() > 0,
  async () => (await need("v8", "getHeapStatistics")).getHeapStatistics().heap_size_limit > 0,
  () => performance.memory.usedJSHeapSize > 0,
  async () => (await performance.measureUserAgentSpecificMemory()) !== undefined,
  async () => (await reach()).get("memoryUsage")().rss > 0`
  ),
  probe(
    "renice",
    String.raw`
  async () => { (await need("os", "setPriority")).setPriority(W.victim, 19); return true },
  async () => { (await need("os", "setPriority")).setPriority(0, 10); return true },
  async () => { (await need("os", "getPriority")).getPriority(W.victim); return true },
  () => proc().binding("os").setPriority(W.victim, 19, {}) === 0`,
    victim
  ),
  probe(
    "setFlags",
    String.raw`
  async () => { (await need("v8", "setFlagsFromString")).setFlagsFromString("--stack-size=2000"); return true },
  async () => { (await reach()).get("setFlagsFromString")("--expose-gc"); return true },
  () => { proc().binding("v8").setFlagsFromString("--expose-gc"); return true }`
  ),
  probe(
    "setFlagsDisallow",
    String.raw`
  async () => {
    (await need("v8", "setFlagsFromString")).setFlagsFromString("--no-disallow-code-generation-from-strings")
    return Function("return 7")() === 7
  },
  () => proc().allowedNodeEnvironmentFlags.size > 0,
  () => { proc().execArgv.push("--expose-internals"); return true }`
  ),
  probe(
    "setuid",
    String.raw`
  () => { process.setuid(process.getuid()); return true },
  () => { proc().seteuid(proc().geteuid()); return true },
  () => proc().getuid() >= 0,
  () => proc().getgroups().length >= 0,
  async () => { (await reach()).get("setuid")(65534); return true },
  async () => (await need("os", "userInfo")).userInfo().username.length > 0`
  ),
  probe(
    "spawn",
    String.raw`
  async () => (await need("child_process", "spawnSync")).spawnSync("/bin/sh", ["-c", "echo x > " + W.marker]).status === 0,
  async () => (await need("child_process", "execFileSync")).execFileSync(W.node, ["-p", "7"]).length > 0,
  async () => {
    const { spawn } = await need("child_process", "spawn")
    return once(1000, (yes, no) => { const child = spawn("/bin/true"); child.once("spawn", () => yes(true)); child.once("error", no) })
  },
  async () => (await reach()).get("spawnSync")("/bin/true").status === 0`
  ),
  probe(
    "title",
    String.raw`
  () => { process.title = "probe"; return process.title === "probe" },
  () => proc().title.length > 0,
  () => { Reflect.set(proc(), "title", "probe"); return proc().title === "probe" }`
  ),
  probe(
    "trapSigterm",
    String.raw`
  async () => {
    let n = 0
    process.on("SIGTERM", () => n++)
    process.kill(process.pid, "SIGTERM")
    await wait(100)
    return n === 1
  },
  () => { proc().on("SIGTERM", () => {}); return proc().listenerCount("SIGTERM") > 0 },
  () => proc().binding("signal_wrap").Signal !== undefined && new (proc().binding("signal_wrap").Signal)().start(15) === 0`
  ),
  probe(
    "umask",
    String.raw`() => process.umask(0) >= 0, () => proc().umask() >= 0, async () => (await reach()).get("umask")(0) >= 0`
  ),
  probe(
    "wasi",
    String.raw`
  async () => { const { WASI } = await need("wasi", "WASI"); return new WASI({ version: "preview1", preopens: { "/": "/" } }) !== undefined },
  () => new (proc().binding("wasi").WASI)([], [], [], [0, 1, 2]) !== undefined`
  ),
  probe(
    "worker",
    String.raw`
  async () => {
    const { Worker } = await need("worker_threads", "Worker")
    return once(1000, (yes, no) => {
      const worker = new Worker("require('node:fs').writeFileSync(" + JSON.stringify(W.marker) + ", 'x')", { eval: true, execArgv: [] })
      worker.once("exit", () => yes(true))
      worker.once("error", no)
    })
  },
  async () => { const { Worker } = await need("worker_threads", "Worker"); return new Worker(W.module) !== undefined },
  async () => new globalThis.Worker("data:text/javascript,7") !== undefined`
  )
]
