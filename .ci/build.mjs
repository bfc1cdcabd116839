// Builds dist/ from src/, into a folder that holds nothing older: tsc makes a declaration for each
// module, rolldown the JavaScript, in a few files. What runs inside a hound is plain JavaScript and
// is copied byte for byte. Answers of the command line that never change are asked for once, here.
//
// **Details**
//
// - A module that several entries reach is in one file that all of them import, so that a tag or a
//   brand is never made twice. `chunkOf` says which file has what.
// - A file that is found by its URL (`new URL("./x.mjs", import.meta.url)`) is found from whichever
//   file the code ends in. The program of a thread or a process, such a file too, is built as an
//   entry.
//
// **Gotchas**
//
// - The same tree makes the same bytes wherever it lies: nothing here may read a clock, an absolute
//   path or the order of a folder.
import { execFileSync } from "node:child_process"
import { cpSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, isAbsolute, join, relative } from "node:path"
import { rolldown } from "rolldown"

const root = join(import.meta.dirname, "..")
const src = join(root, "src")
const dist = join(root, "dist")

/** A path below src/ with slashes; that of a file beside src/ begins with `../`. */
const below = (file) => relative(src, file).replaceAll("\\", "/")

/** The entries that package.json names, such as `actor/index`. */
const entries = () => {
  const { bin, exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  return [...Object.values(exports).map((target) => target.default), ...Object.values(bin)]
    .filter((target) => target !== undefined)
    .map((target) => target.replace(/^\.\/dist\/(.*)\.js$/, "$1"))
}

/** Calls `enter` for each node of a syntax tree; below one for which it says false it goes not. */
const walk = (node, enter) => {
  if (Array.isArray(node)) { for (const child of node) walk(child, enter) }
  else if (typeof node?.type === "string" && enter(node) !== false) {
    for (const child of Object.values(node)) if (typeof child === "object") walk(child, enter)
  }
}

const isOwnUrl = (node) => node?.object?.type === "MetaProperty" && node.property.name === "url"

/**
 * The texts of `new URL(text, import.meta.url)` in a module. Throws where it asks for its own place
 * in another way that would not mean the same in another file.
 */
const textsOfUrls = (tree, id) => {
  const found = []
  walk(tree, (node) => {
    const { arguments: given = [], callee } = node
    if (node.type === "NewExpression" && callee.name === "URL" && isOwnUrl(given[1])) {
      found.push(given[0])
      return false
    }
    if (callee?.name === "createRequire" && isOwnUrl(given[0])) return false
    if (callee?.object?.type === "MetaProperty" && callee.property.name === "resolve") return false
    if (node.type === "MetaProperty") throw new Error(`${below(id)} may ask for its place by new URL(…) alone`)
    return true
  })
  return found
}

/** Files that the build makes, of which the sources have none. */
const made = new Set(["edge/cli/answers.json"])

/** Stands in the code for a path below src/ until it is known which file the code ends in. */
const marked = /"beside:(?<path>[^"]*)"/g

const besideModules = {
  name: "beside-modules",
  transform(code, id) {
    if (!code.includes("import.meta")) return null
    let edited = code
    for (const { end, start, type, value } of textsOfUrls(this.parse(code, { lang: "ts" }), id).reverse()) {
      if (type !== "Literal") throw new Error(`${below(id)} has a URL that cannot be known before it runs`)
      const file = join(dirname(id), value)
      if (!existsSync(file) && !made.has(below(file)))
        throw new Error(`${below(id)} asks for ${value}, which is not there`)
      const path = below(file).replace(/\.ts$/, ".js") + (value.endsWith("/") ? "/" : "")
      if (value.endsWith(".ts")) this.emitFile({ type: "chunk", id: file, fileName: path })
      edited = `${edited.slice(0, start)}"beside:${path}"${edited.slice(end)}`
    }
    return { code: edited, map: null }
  },
  renderChunk(code, { fileName }) {
    if (!code.includes("\"beside:")) return null
    const edited = code.replace(marked, (_, path) => {
      const target = relative(dirname(join(src, fileName)), join(src, path)).replaceAll("\\", "/")
      return JSON.stringify(`${target.startsWith(".") ? target : `./${target}`}${path.endsWith("/") ? "/" : ""}`)
    })
    return { code: edited, map: null }
  }
}

/** The modules that an entry loads at once. */
const loadedBy = (entry, moduleInfo) => {
  const found = new Set()
  const load = (id) => {
    if (found.has(id)) return
    found.add(id)
    for (const next of moduleInfo(id)?.importedIds ?? []) load(next)
  }
  load(join(src, `${entry}.ts`))
  return found
}

/**
 * What `tracehound` loads at once is in these files: of what is left by the files before it, each
 * has all that its entries need. So who imports one of those entries alone loads little else, and
 * who imports `tracehound` loads few files. What is loaded on demand has files of its own.
 */
const chunks = [
  ["codecs", ["host/node/CompressionWorker"]],
  ["actor", ["actor/index", "edge/otel/index"]],
  ["domain", ["config/index", "host/port/portable", "intake/signal/index"]],
  ["core", ["index"]]
]

const groups = () => {
  const known = new Map()
  const isLoadedBy = (entry, id, moduleInfo) => {
    if (!known.has(entry)) known.set(entry, loadedBy(entry, moduleInfo))
    return known.get(entry).has(id)
  }
  return chunks.map(([chunk, entries]) => ({
    debugName: chunk,
    name: (id, context) => {
      const isLoaded = (entry) => isLoadedBy(entry, id, (id) => context.getModuleInfo(id))
      return isLoaded("index") && entries.some(isLoaded) ? chunk : null
    }
  }))
}

rmSync(dist, { recursive: true, force: true })
execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit"
})
const bundle = await rolldown({
  cwd: root,
  input: Object.fromEntries(entries().map((entry) => [entry, join(src, `${entry}.ts`)])),
  external: (id) => !id.startsWith(".") && !isAbsolute(id),
  platform: "neutral",
  tsconfig: join(root, "tsconfig.build.json"),
  treeshake: { moduleSideEffects: false },
  plugins: [besideModules]
})
await bundle.write({
  dir: dist,
  format: "esm",
  sourcemap: true,
  chunkFileNames: "chunks/[name].js",
  codeSplitting: { groups: groups() }
})
await bundle.close()
if (existsSync(join(dist, "edge/cli/bin.js"))) {
  const { readyAnswers } = await import("./answers.mjs")
  writeFileSync(join(dist, "edge/cli/answers.json"), JSON.stringify(await readyAnswers()))
}
for (const file of globSync("**/*.mjs", { cwd: src })) cpSync(join(src, file), join(dist, file))
