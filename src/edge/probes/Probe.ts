/**
 * A probe: an attack as the source of an analyzer, and the ends at which it has failed (CONFORMANCE
 * H2).
 *
 * A probe takes the place of the analyzer. It tries the attack of its name in every way it knows,
 * and completes only if one of them got through. The runner does not take its word alone, but asks
 * the witnesses outside as well.
 *
 * **Gotchas**
 *
 * - The source is text, so that no compiler touches it: the hound runs what stands here. It is an
 *   enemy's program: it reads clocks and sets timers because it attacks those, or has nothing else.
 * - An empty `catch` in a source is a way that led nowhere; the next one is tried.
 * - `W` in a source has the places of its witnesses (`ProbeFacts`); `sourceOf` writes it.
 */

/** The groups of the table; all but `allow` must fail, `allow` must work. */
export const probeGroups = ["gen", "mod", "int", "fs", "net", "proc", "js", "allow"] as const
export type ProbeGroup = (typeof probeGroups)[number]

/**
 * How a run ended: with a final frame, a refusal to load the probe (exit code 66), a breach of the
 * channel's rules, the deadline for being ready or for the job, too much memory, or the end of the
 * process, by itself (`exit 1`) or by a signal (`SIGABRT`).
 */
export type ProbeEnd =
  | "complete"
  | "error"
  | "unloadable"
  | "violation"
  | "unready"
  | "deadline"
  | "rss"
  | `exit ${number}`
  | `SIG${string}`

export interface Probe {
  readonly group: ProbeGroup
  /** `group/name`. */
  readonly name: string
  readonly source: string
  /** Witnesses: listeners on TCP, UDP, HTTP and a unix socket; a process that may be harmed. */
  readonly needs: ReadonlyArray<"net" | "victim">
  /** Ends at which the attack has failed. */
  readonly fails: ReadonlyArray<ProbeEnd>
  /** 2: it got through if the second job of one hound completes. */
  readonly jobs: 1 | 2
  /** Whether only a hound of its own for each job keeps it out: it is judged at `maxJobs: 1`. */
  readonly isOfState: boolean
  /** Why it gets nowhere in a bare process of Node 26 either, where that is so. */
  readonly bareClosed: string | null
}

/** The places of the witnesses. Paths are absolute; ports are of 127.0.0.1. */
export interface ProbeFacts {
  /** A directory that everybody may write; any change in it is noticed. */
  readonly dir: string
  /** A file that everybody may read, and its text. */
  readonly secret: string
  readonly secretText: string
  /** A file that does not exist. */
  readonly marker: string
  /**
   * A module, a program of WebAssembly, JSON, settings and a shared library that could be loaded.
   */
  readonly module: string
  readonly wasm: string
  readonly json: string
  readonly settings: string
  readonly addon: string
  /** The files that the hound itself was started with. */
  readonly entry: string
  readonly analyzer: string
  readonly node: string
  readonly tcp: number
  readonly udp: number
  readonly http: number
  readonly unix: string
  /** A process of the hound's own user. */
  readonly victim: number
}

/** The properties of a probe that have a default. */
export type ProbeOptions = Partial<Pick<Probe, "needs" | "fails" | "jobs" | "isOfState" | "bareClosed">>

/** A probe that is a whole module. */
export const moduleProbe =
  (group: ProbeGroup) => (name: string, source: string, options: ProbeOptions = {}): Probe => ({
    group,
    name: `${group}/${name}`,
    source,
    needs: [],
    fails: ["error"],
    jobs: 1,
    isOfState: false,
    bareClosed: null,
    ...options
  })

/** A probe that is a list of functions: it got through if one of them returns a truthy value. */
export const waysProbe = (group: ProbeGroup) => (name: string, ways: string, options: ProbeOptions = {}): Probe =>
  moduleProbe(group)(name, `export const analyze = (bytes, evidence) => any([${ways}], bytes, evidence)`, options)

/**
 * Functions that every attack has: `any`, `wait`, `within`; `proc()`, the process object or what is
 * left of it; and `need`, which gets a built-in module by any way that leads to it, a walk through
 * every reachable object included.
 */
const tools = String.raw`
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const within = (ms, answer) => Promise.race([answer, wait(ms).then(() => { throw new Error("too late") })])
const closed = () => { throw new Error("closed") }
const any = async (ways, bytes, evidence) => {
  for (const way of ways) {
    try {
      const found = way(bytes, evidence)
      if (typeof found?.then === "function" ? await within(1200, found) : found) return "complete"
    } catch {}
  }
  return closed()
}
const deadly = ["binding", "_linkedBinding", "internalBinding", "dlopen", "getBuiltinModule", "kill", "_kill", "reallyExit", "abort",
  "execve", "chdir", "umask", "setuid", "loadEnvFile", "_load", "createRequire", "require", "readFileSync", "writeSync", "readSync",
  "runInThisContext", "spawnSync", "_debugProcess", "setFlagsFromString", "memoryUsage", "_rawDebug", "registerHooks", "mainModule",
  "openStdin", "getActiveResourcesInfo", "_getActiveHandles", "_startProfilerIdleNotifier", "compileFunction", "emitWarning", "nextTick", "_tickCallback"]
const seeds = async () => {
  const list = [globalThis, async () => {}, function* () {}, async function* () {}, [][Symbol.iterator](), new Map().entries(),
    "".matchAll(/a/g), import.meta, new Error("x")]
  const add = async (make) => { try { list.push(await make()) } catch (error) { list.push(error) } }
  await add(() => setTimeout(() => {}, 0))
  await add(() => new Promise((resolve) => setTimeout(function (...args) { list.push(this, args); resolve(0) }, 0)))
  await add(() => new Promise((resolve) => queueMicrotask(function (...args) { list.push(this, args); resolve(0) })))
  await add(() => import("node:fs"))
  await add(() => import.meta.resolve("node:fs"))
  await add(() => crypto.subtle.digest("no such digest", new Uint8Array(1)))
  await add(() => crypto.subtle.generateKey({ name: "AES-GCM", length: 128 }, true, ["encrypt"]))
  await add(() => crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]))
  await add(() => crypto.getRandomValues(1))
  await add(() => new TextDecoder("latin1", { fatal: true }))
  await add(() => new TextDecoder("no such encoding"))
  await add(() => new TextEncoder())
  await add(() => atob("\u{1}"))
  await add(() => btoa("\u{100}"))
  await add(() => null.x)
  await add(() => new Intl.DateTimeFormat())
  await add(() => globalThis.structuredClone(1, {}))
  return list
}
let found
const reach = async () => {
  if (found) return found
  found = new Map()
  const seen = new Set()
  const queue = await seeds()
  const push = (value) => {
    if ((typeof value === "object" && value !== null) || typeof value === "function") {
      if (!seen.has(value)) { seen.add(value); queue.push(value) }
    }
  }
  for (let i = 0; i < queue.length && i < 30000; i++) {
    const holder = queue[i]
    if ((typeof holder !== "object" && typeof holder !== "function") || holder === null) continue
    try { push(Reflect.getPrototypeOf(holder)) } catch {}
    let keys = []
    try { keys = Reflect.ownKeys(holder) } catch {}
    if (keys.length > 5000) keys = keys.slice(0, 50)
    for (const key of keys) {
      try {
        const d = Reflect.getOwnPropertyDescriptor(holder, key)
        push(d.get); push(d.set)
        let value = d.value
        if (d.get) try { value = Reflect.apply(d.get, holder, []) } catch (error) { push(error) }
        push(value)
        if (deadly.includes(key) && typeof value === "function" && !found.has(key)) found.set(key, value.bind(holder))
        if (typeof value === "function" && deadly.includes(value.name) && !found.has(value.name)) found.set(value.name, value.bind(holder))
      } catch {}
    }
  }
  return found
}
const proc = () => {
  const isWhole = (p) => typeof p?.getBuiltinModule === "function" || typeof p?.binding === "function"
  for (const way of [() => globalThis.process, () => globalThis.global.process, () => Function("return process")(),
    () => (() => {}).constructor("return process")(), () => (0, eval)("process"), () => globalThis.self.process]) {
    try { const p = way(); if (isWhole(p)) return p } catch {}
  }
  return globalThis.process
}
const need = async (name, member) => {
  const p = proc()
  const full = "node:" + name
  for (const way of [() => p.getBuiltinModule(full), () => import(full), () => import(name), () => globalThis.require(full),
    () => p.mainModule.require(full), () => p.mainModule.constructor._load(full), () => globalThis.module.constructor._load(full),
    async () => (await reach()).get("getBuiltinModule")(full), async () => (await reach()).get("createRequire")("/x.js")(full),
    async () => (await reach()).get("_load")(full), async () => (await reach()).get("require")(full),
    () => p.binding(name.replace("child_process", "process_wrap")), async () => (await reach()).get("binding")(name)]) {
    try { const m = await way(); if (m && (member === undefined || member in m)) return m } catch {}
  }
  return closed()
}
const emptyWasm = new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0])
const once = (ms, start) => within(ms, new Promise((resolve, reject) => start(resolve, reject)))
`

/** The analyzer's whole source for a run. Pure. */
export const sourceOf = (probe: Probe, facts: ProbeFacts): string =>
  `const W = ${JSON.stringify(facts)}\n${tools}\n${probe.source}\n`
