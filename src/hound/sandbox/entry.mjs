/**
 * The program of a hound: it locks itself down, loads the analyzer, and then answers jobs until its
 * pipe ends (CONFORMANCE H2, H3).
 *
 *     node FLAGS entry.mjs ANALYZER SHA256HEX [debug]
 *
 * Descriptor 3 is a socket, jobs in and frames out (Frames.ts).
 *
 * The author of the analyzer counts as an enemy, and so does evidence that has taken it over.
 * Promises
 *
 * - that nothing of the analyzer runs before its SHA-256 was compared, and before everything below
 *   is shut;
 * - that an analyzer can reach ECMAScript's own objects and the few functions that are written
 *   here, all of them frozen, and nothing else: no object of Node's, no native handle, no module,
 *   no way from text to code;
 * - that it fails closed: where a self-test fails, the process ends (`exitCodes.unlocked`), and no
 *   frame was sent;
 * - that values which an analyzer throws, returns or leaves behind are never looked at, outside of
 *   the debug mode.
 *
 * **Gotchas**
 *
 * - This is no boundary against an exploit of V8: the level `hard` is. Nor do its promises hold
 *   without the flags of Command.ts, which the self-test asks for.
 * - Plain JavaScript without dependencies: it runs as it is, in the sources and in the package. Its
 *   numbers are those of Frames.ts, Sandbox.ts, Scent.ts and Severity.ts; a test holds them
 *   together.
 * - When an analyzer's top level throws, Node itself reads the name of what was thrown, in the
 *   analyzer's time.
 * - Two prototypes are not frozen, which only an Intl.Segmenter leads to: to get hold of them costs
 *   1.5 MiB, and only the analyzer ever has them.
 * - An analyzer's own state survives from job to job. A hound of one job (`maxJobs: 1`) knows no
 *   earlier evidence.
 */
import { hash, randomFillSync, randomUUID } from "node:crypto"
import { readFileSync, readSync, writeSync } from "node:fs"
import { registerHooks } from "node:module"

// -------------------------------------------------------------------------------------------------
// 1. Functions that are needed later are held here, since the lockdown takes their names away.

const host = process
const [, , analyzerPath, pinnedHash, mode] = host.argv
const isDebug = mode === "debug"
const exit = host.reallyExit.bind(host)
const resourceUsage = host.resourceUsage.bind(host)
const now = host.hrtime.bigint
const permission = host.permission
const nodeSetTimeout = setTimeout
const nodeClearTimeout = clearTimeout
const nodeSetImmediate = setImmediate
const NodeTextDecoder = TextDecoder
const NodeTextEncoder = TextEncoder
const nodeAtob = atob
const nodeBtoa = btoa
const { apply, defineProperty, deleteProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect
const { create, freeze, isFrozen } = Object
const { fill } = Uint8Array.prototype
const { transfer } = ArrayBuffer.prototype
const { then } = Promise.prototype
const { isView } = ArrayBuffer
const { stringify } = JSON
const { max, min } = Math

/** The reader of an accessor: a property of the object itself cannot fake what it reads. */
const readerOf = (prototype, name) => {
  const { get } = getOwnPropertyDescriptor(prototype, name)
  return (object) => apply(get, object, [])
}
const typedArray = getPrototypeOf(Uint8Array.prototype)
const readTag = readerOf(typedArray, Symbol.toStringTag)
const viewReaders = (prototype) => [
  readerOf(prototype, "buffer"),
  readerOf(prototype, "byteOffset"),
  readerOf(prototype, "byteLength")
]
const ofTypedArray = viewReaders(typedArray)
const ofDataView = viewReaders(DataView.prototype)
const readByteLength = readerOf(ArrayBuffer.prototype, "byteLength")

// `exitCodes` of Sandbox.ts; `crashed` is Node's own.
const crashed = 1
const unlocked = 64
const notPinned = 65
const unloadable = 66
const noAnalyze = 67
const badJob = 68

/**
 * Characters of the analyzer's own text that go into a line, and bytes that are left for all lines:
 * the hound does not wait for a reader.
 */
const maxQuote = 200
let debugBytes = 8_192

/** Writes a line for the author of the analyzer. Only in the debug mode does anybody read it. */
const say = (line) => {
  if (!isDebug || line.length + 1 > debugBytes) return
  debugBytes -= line.length + 1
  try {
    writeSync(2, `${line}\n`)
  } catch {
    // Nobody reads it.
  }
}

/** Text on one line, of bounded length, and all of it printable. */
const quoted = (text) => stringify(text.length > maxQuote ? `${text.slice(0, maxQuote)}…` : text)

/**
 * The message of an error. The error is the analyzer's, and reading it may run the analyzer's code:
 * only in the debug mode.
 */
const messageOf = (thrown) => {
  try {
    const message = typeof thrown === "object" && thrown !== null ? thrown.message : thrown
    return typeof message === "string" ? quoted(message) : "nothing that is a text"
  } catch {
    return "an error that cannot be read"
  }
}

const end = (code, line) => {
  say(line)
  exit(code)
}

// -------------------------------------------------------------------------------------------------
// 2. The analyzer is read. Nothing of it runs unless it is the one that was pinned.

let source = ""
try {
  const bytes = readFileSync(analyzerPath)
  if (hash("sha256", bytes, "hex") !== pinnedHash)
    end(notPinned, "the analyzer's SHA-256 is not the one that was pinned: has its file been changed?")
  source = bytes.toString("utf8")
} catch {
  end(notPinned, "the analyzer's file could not be read")
}

// -------------------------------------------------------------------------------------------------
// 3. An error that nothing catches ends the hound. Node would print it, and printing runs the
//    analyzer's getters with Node's functions as arguments; these listeners look at nothing.

/** What the analyzer is doing: this decides the exit code. */
let stage = "loading"

const leave = (line) => end(stage === "loading" ? unloadable : crashed, line)
host.setUncaughtExceptionCaptureCallback((thrown) => {
  if (isDebug) say(`the analyzer threw, and nothing caught it: ${messageOf(thrown)}`)
  leave("the hound ends")
})
host.on("unhandledRejection", (reason) => {
  if (isDebug) say(`a promise of the analyzer was rejected, and nothing caught it: ${messageOf(reason)}`)
  leave("the hound ends")
})
// The event loop has nothing left to wait for, and the analyzer still waits.
host.on("exit", () => leave("the analyzer waits for a promise that nothing can settle"))

// -------------------------------------------------------------------------------------------------
// 4. From here on only the analyzer is loaded, once, from memory. Its address does not tell its
//    path.

const analyzerUrl = "hound:analyzer"
/** `shut`, `open` for the analyzer alone, or `served`: it is being linked and run. */
let gate = "shut"
/** The first module that the analyzer wanted to import, for the debug mode. */
let refused = null

const refuse = (specifier) => {
  if (gate === "served" && typeof specifier === "string") refused ??= specifier
  throw new TypeError("a hound loads no modules")
}
registerHooks({
  resolve: (specifier) =>
    gate === "open" && specifier === analyzerUrl
      ? { url: analyzerUrl, format: "module", shortCircuit: true }
      : refuse(specifier),
  load: (url) => {
    if (gate !== "open" || url !== analyzerUrl) return refuse(url)
    gate = "served"
    return { format: "module", source, shortCircuit: true }
  }
})

// -------------------------------------------------------------------------------------------------
// 5. The few functions of the web that an analyzer has. They are written here, around Node's, so
//    that the analyzer reaches no object of Node's, and Node is given none of the analyzer's, whose
//    getters and traps it would run.

/** A fresh view of the analyzer's bytes. Reads no property that the analyzer may have defined. */
const bytesOf = (data) => {
  if (!isView(data)) return new Uint8Array(data, 0, readByteLength(data))
  const [buffer, byteOffset, byteLength] = readTag(data) === undefined ? ofDataView : ofTypedArray
  return new Uint8Array(buffer(data), byteOffset(data), byteLength(data))
}

class HoundTextDecoder {
  #decoder

  constructor(label, options) {
    const name = label === undefined ? "utf-8" : String(label)
    const fatal = Boolean(options?.fatal)
    const ignoreBOM = Boolean(options?.ignoreBOM)
    try {
      this.#decoder = new NodeTextDecoder(name, { fatal, ignoreBOM })
    } catch {
      throw new RangeError("the encoding is not known")
    }
  }

  get encoding() {
    return this.#decoder.encoding
  }

  get fatal() {
    return this.#decoder.fatal
  }

  get ignoreBOM() {
    return this.#decoder.ignoreBOM
  }

  decode(input, options) {
    const decoder = this.#decoder
    const stream = Boolean(options?.stream)
    const bytes = input === undefined ? new Uint8Array(0) : bytesOf(input)
    try {
      return decoder.decode(bytes, { stream })
    } catch {
      throw new TypeError("the bytes are not valid in this encoding")
    }
  }
}

const encoder = new NodeTextEncoder()

class HoundTextEncoder {
  get encoding() {
    return "utf-8"
  }

  encode(text) {
    return encoder.encode(text === undefined ? "" : String(text))
  }

  encodeInto(text, target) {
    if (readTag(target) !== "Uint8Array") throw new TypeError("the target must be a Uint8Array")
    const { read, written } = encoder.encodeInto(String(text), bytesOf(target))
    return { read, written }
  }
}

const withPlainError = (convert) => (text) => {
  const plain = String(text)
  try {
    return convert(plain)
  } catch {
    throw new RangeError("the text has a character that does not belong there")
  }
}

/** Timers that have not ended, by the number that the analyzer has of them. */
const timers = new Map()
let lastTimer = 0

const houndSetTimeout = (callback, delay, ...args) => {
  if (typeof callback !== "function") throw new TypeError("the callback must be a function")
  // Node would warn of other values.
  const milliseconds = min(max(Number(delay) || 0, 0), 0x7fffffff)
  const id = ++lastTimer
  // A plain call: `this` would be Node's timer.
  timers.set(
    id,
    nodeSetTimeout(() => {
      timers.delete(id)
      apply(callback, undefined, args)
    }, milliseconds)
  )
  return id
}

const houndClearTimeout = (id) => {
  const timer = timers.get(id)
  if (timer === undefined) return
  timers.delete(id)
  nodeClearTimeout(timer)
}

const settled = Promise.resolve()

const houndQueueMicrotask = (callback) => {
  if (typeof callback !== "function") throw new TypeError("the callback must be a function")
  void apply(then, settled, [() => void callback()])
}

const digests = freeze({
  __proto__: null,
  "SHA-1": "sha1",
  "SHA-256": "sha256",
  "SHA-384": "sha384",
  "SHA-512": "sha512"
})

const houndCrypto = {
  getRandomValues: (array) => {
    const bytes = bytesOf(array)
    const tag = readTag(array)
    if (tag === undefined || tag.startsWith("Float")) throw new TypeError("the array must be one of whole numbers")
    if (bytes.length > 65_536) throw new RangeError("not more than 65536 bytes at once")
    randomFillSync(bytes)
    return array
  },
  randomUUID: () => randomUUID(),
  subtle: {
    digest: async (algorithm, data) => {
      const name = digests[String(typeof algorithm === "object" ? algorithm?.name : algorithm).toUpperCase()]
      if (name === undefined) throw new TypeError("the algorithm must be SHA-1, SHA-256, SHA-384 or SHA-512")
      // A copy, as Node's bytes may be part of a larger buffer.
      const digest = hash(name, bytesOf(data), "buffer")
      const copy = new Uint8Array(digest.length)
      copy.set(digest)
      return copy.buffer
    }
  }
}

const replacements = {
  __proto__: null,
  TextDecoder: HoundTextDecoder,
  TextEncoder: HoundTextEncoder,
  atob: withPlainError(nodeAtob),
  btoa: withPlainError(nodeBtoa),
  clearTimeout: houndClearTimeout,
  crypto: houndCrypto,
  queueMicrotask: houndQueueMicrotask,
  setTimeout: houndSetTimeout
}

// -------------------------------------------------------------------------------------------------
// 6. The globals are cut down to a list. `process` is not on it, and keeps no more than what Node
//    itself calls: an analyzer that finds a way to it finds little.

const keptOfProcess = new Set([
  "_events",
  "_eventsCount",
  "_exiting",
  "_fatalException",
  "_maxListeners",
  "_tickCallback",
  "arch",
  "domain",
  "emit",
  "emitWarning",
  "execArgv",
  "exitCode",
  "nextTick",
  "platform",
  "release",
  "version",
  "versions"
])

// Without Temporal: its clock has nanoseconds, with which attacks on caches measure. Date has
// milliseconds.
const keptOfEcmaScript = new Set([
  ..."globalThis undefined NaN Infinity Object Function Array Number Boolean String Symbol BigInt Date RegExp Math JSON"
    .split(" "),
  ..."Promise Proxy Reflect Map Set WeakMap WeakSet WeakRef FinalizationRegistry Iterator AsyncIterator".split(" "),
  ..."Error AggregateError EvalError RangeError ReferenceError SuppressedError SyntaxError TypeError URIError".split(
    " "
  ),
  ..."ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array".split(
    " "
  ),
  ..."BigInt64Array BigUint64Array Float16Array Float32Array Float64Array".split(" "),
  ..."DisposableStack AsyncDisposableStack Intl".split(" "),
  ..."parseFloat parseInt isFinite isNaN escape unescape".split(" "),
  ..."decodeURI decodeURIComponent encodeURI encodeURIComponent".split(" ")
])

/** Deletes a property, or makes it undefined for good where it cannot be deleted. */
const remove = (object, key) => {
  if (deleteProperty(object, key)) return
  defineProperty(object, key, { value: undefined, writable: false })
}

for (const key of ownKeys(host)) if (!keptOfProcess.has(key)) remove(host, key)
defineProperty(host, "env", { value: freeze(create(null)), writable: false, configurable: false })

for (const key of ownKeys(globalThis)) if (!keptOfEcmaScript.has(key)) remove(globalThis, key)
for (const key of ownKeys(replacements))
  defineProperty(globalThis, key, { value: replacements[key], writable: true, enumerable: false, configurable: true })

// -------------------------------------------------------------------------------------------------
// 7. The objects that are left are frozen, and all that they lead to: `--frozen-intrinsics` freezes
//    most intrinsics, and not the functions that are written here. Properties may be added to
//    globalThis itself, as libraries do (Effect keeps its running fiber there); that gives an
//    analyzer nothing that a variable of its own would not. None of its properties can be changed.

const visited = new WeakSet()

/**
 * Freezes an object and all that can be reached from it by properties and prototypes. Without
 * recursion: chains are long.
 */
const freezeAll = (roots) => {
  const open = [...roots]
  while (open.length > 0) {
    const object = open.pop()
    if (object === null || (typeof object !== "object" && typeof object !== "function")) continue
    if (visited.has(object)) continue
    visited.add(object)
    if (object !== globalThis) freeze(object)
    open.push(getPrototypeOf(object))
    for (const key of ownKeys(object)) {
      const { get, set, value } = getOwnPropertyDescriptor(object, key)
      open.push(value, get, set)
    }
  }
}

freezeAll([
  globalThis,
  // Objects to which no property of globalThis leads, but syntax or a call does. An error has the
  // accessor of its stack.
  new Error(""),
  async () => {},
  (function*() {})(),
  (async function*() {})(),
  [].values(),
  "".matchAll(/a/g),
  ""[Symbol.iterator](),
  new Map().entries(),
  new Set().values(),
  ...(typeof Iterator === "function" ? [Iterator.from({ next: () => ({}) }), [].values().map((x) => x)] : [])
])
for (const key of ownKeys(globalThis)) {
  const { value } = getOwnPropertyDescriptor(globalThis, key)
  defineProperty(globalThis, key, { value, writable: false, configurable: false })
}

// -------------------------------------------------------------------------------------------------
// 8. All of that is tried out: a flag that Node has dropped, or a version that does things in
//    another way, must not pass unnoticed.

const throws = (attempt) => {
  try {
    attempt()
    return false
  } catch {
    return true
  }
}
const rejects = (specifier) => import(specifier).then(() => false, () => true)
const scopes = ["fs.write", "child", "worker", "addon", "wasi", "inspector", "net", "ffi"]

const selfTest = async () => {
  for (const maker of [() => {}, async () => {}, function*() {}, async function*() {}]) {
    const { constructor } = getPrototypeOf(maker)
    if (!throws(() => constructor("return 1"))) return "text becomes code"
    if (!isFrozen(constructor) || !isFrozen(getPrototypeOf(maker))) return "functions are not frozen"
  }
  for (
    const name of ["process", "eval", "Buffer", "WebAssembly", "SharedArrayBuffer", "fetch", "require", "ShadowRealm"]
  ) {
    if (globalThis[name] !== undefined) return `${name} is still there`
  }
  // Frames of a stack lead to functions and name paths.
  if (Error.stackTraceLimit !== 0 || !isFrozen(Error) || new Error("").stack !== "Error") return "errors have stacks"
  if (!throws(() => ({}).__proto__)) return "__proto__ is still there"
  for (const value of [Object, Array, Promise, Uint8Array, TextDecoder, crypto, crypto.subtle, setTimeout])
    if (!isFrozen(value) || (value.prototype && !isFrozen(value.prototype))) return "what is shared is not frozen"
  for (const name of ["binding", "dlopen", "getBuiltinModule", "_linkedBinding", "kill", "mainModule"])
    if (host[name] !== undefined) return `process.${name} is still there`
  for (const specifier of ["node:fs", "node:module", "data:text/javascript,0"])
    if (!(await rejects(specifier))) return `${specifier} can be imported`
  if (typeof permission?.has !== "function") return "there is no permission model"
  for (const scope of scopes) if (permission.has(scope)) return `the permission model allows ${scope}`
  if (permission.has("fs.read", "/etc/passwd")) return "the permission model allows files"
  return null
}

const failing = await selfTest()
if (failing !== null) end(unlocked, `the lockdown does not hold: ${failing}`)

// -------------------------------------------------------------------------------------------------
// 9. The analyzer is loaded: its top level runs locked down already. Then the gate is shut for
//    good, and the right to read the two files is given up, where Node knows how to.

/**
 * Why the analyzer could not be loaded. Node's message about a syntax error begins with its place.
 */
const loadingFailure = (thrown) =>
  refused === null
    ? `the analyzer could not be loaded: ${messageOf(thrown)}`
    : `the analyzer imports ${quoted(refused)}: a hound's analyzer is one bundled module without imports`

// `RegExp.input` and its like hold the last text that was matched, even one of Node's: now they
// hold none.
void /(?:)/.exec("")
gate = "open"
let analyze
try {
  const analyzer = await import(analyzerUrl)
  analyze = analyzer.analyze
} catch (thrown) {
  end(unloadable, isDebug ? loadingFailure(thrown) : "")
}
gate = "shut"
if (typeof analyze !== "function") end(noAnalyze, "the analyzer exports no function `analyze`")
permission.drop?.("fs.read")

// -------------------------------------------------------------------------------------------------
// 10. Jobs, one after the other. Reading and writing block, as a hound has nothing else to do; so
//     nothing of the analyzer's runs between two jobs.

const categories = ["injection", "ddos", "flood", "spam", "malware", "unknown"]
const severities = ["low", "medium", "high", "critical"]
const [ready, processing, complete, failed, metrics] = [0, 1, 2, 3, 4]
const maxLength = 512 * 1_048_576

// The last two frames of a job leave together: each would wake the host.
const frameBytes = 24
const frames = new Uint8Array(2 * frameBytes)
const frameView = new DataView(frames.buffer)
const header = new Uint8Array(48)
const headerView = new DataView(header.buffer)
let sequence = 0

const put = (at, kind, job, microseconds, kibibytes) => {
  frameView.setUint16(at, 0x5448, true)
  frameView.setUint8(at + 2, 1)
  frameView.setUint8(at + 3, kind)
  frameView.setUint32(at + 4, sequence++, true)
  frameView.setUint32(at + 8, job, true)
  frameView.setUint32(at + 12, microseconds, true)
  frameView.setUint32(at + 16, kibibytes, true)
}

const send = (length) => {
  let written = 0
  try {
    while (written < length) written += writeSync(3, frames, written, length - written)
  } catch {
    exit(0)
  }
}

/** Fills the view. The hound ends with its pipe: the host is gone, or wants it no more. */
const readInto = (view) => {
  let got = 0
  try {
    while (got < view.length) {
      const count = readSync(3, view, got, view.length - got, null)
      if (count === 0) exit(0)
      got += count
    }
  } catch {
    exit(0)
  }
}

const hexOf = (bytes) => {
  let text = ""
  for (const byte of bytes) text += (byte < 16 ? "0" : "") + byte.toString(16)
  return text
}

const readJob = () => {
  readInto(header)
  const job = headerView.getUint32(4, true)
  const length = headerView.getUint32(8, true)
  const category = categories[header[12]]
  const severity = severities[header[13]]
  const isWellFormed = headerView.getUint32(0, true) === 0x31444e48 && job !== 0 && length <= maxLength &&
    category !== undefined && severity !== undefined && header[14] <= 1 && header[15] === 0
  if (!isWellFormed) end(badJob, "what came through the pipe is no job")
  let view
  try {
    view = new Uint8Array(length)
  } catch {
    end(badJob, `there is no memory for ${length} bytes of evidence`)
  }
  readInto(view)
  const sha256 = header[14] === 1 ? hexOf(header.subarray(16)) : null
  return { job, view, facts: freeze({ category, severity, size: length, sha256 }) }
}

/**
 * Overwrites the evidence, unless the analyzer has transferred it, and detaches it: a reference
 * that the analyzer kept leads to nothing.
 */
const destroy = (view, buffer) => {
  if (view.length === 0) return
  apply(fill, view, [0])
  apply(transfer, buffer, [0])
}

const memoryKiB = () => resourceUsage().maxRSS

/**
 * One turn of the event loop: an error of the job that nothing caught ends the hound here, before
 * it has answered that all went well.
 */
const turn = () =>
  new Promise((resolve) => {
    nodeSetImmediate(resolve)
  })

stage = "idle"
put(0, ready, 0, 0, memoryKiB())
send(frameBytes)
for (;;) {
  const { facts, job, view } = readJob()
  const { buffer } = view
  let kind = complete
  stage = "analyzing"
  put(0, processing, job, 0, 0)
  send(frameBytes)
  const before = now()
  try {
    // Whatever it returns, awaiting settles once; its getters and its `then` run inside of this
    // `try`, or in the analyzer's own time.
    if (await analyze(buffer, facts) === "error") kind = failed
  } catch (thrown) {
    kind = failed
    if (isDebug) say(`the analyzer failed: ${messageOf(thrown)}`)
  }
  const microseconds = Number((now() - before) / 1_000n)
  for (const id of timers.keys()) houndClearTimeout(id)
  destroy(view, buffer)
  await turn()
  put(0, metrics, job, min(microseconds, 0xffffffff), memoryKiB())
  put(frameBytes, kind, job, 0, 0)
  stage = "idle"
  send(2 * frameBytes)
}
