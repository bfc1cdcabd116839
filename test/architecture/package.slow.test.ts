/**
 * The package as a stranger gets it: packed from a copy of this tree, installed into an empty
 * project, imported, type-checked and run there. What only works in the repository fails here.
 *
 * **Gotchas**
 *
 * - The tarball's own dependencies come from npm's cache where they can and from the registry where
 *   they must.
 * - The tests share one installed project, as it takes most of the time.
 */
import { afterAll, assert, beforeAll, describe, it as every } from "@effect/vitest"
import { spawnSync, type SpawnSyncReturns } from "node:child_process"
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import type { ReadyAnswers } from "../../src/edge/cli/ReadyAnswers.ts"
import { tracehoundHere } from "../edge/cli/inProcess.ts"
import { installPacked } from "../support/packed.ts"
import { restOf, sampled } from "../support/tiers.ts"
import { type Lock, machineTraces } from "./tree.ts"

const it = sampled(every)
const rest = restOf(every)

interface Published {
  readonly name: string
  readonly version: string
  readonly exports: Readonly<Record<string, unknown>>
  readonly dependencies: Readonly<Record<string, string>>
}

const root = join(import.meta.dirname, "../..")
const full = readFileSync(join(root, "package.json"), "utf8")
const project = mkdtempSync(join(realpathSync(tmpdir()), "tracehound-consumer-"))
const installed = join(project, "node_modules/tracehound")

/**
 * Runs a program in the consumer's project and gives what it printed; throws with all it said when
 * it fails.
 */
const run = (command: string, ...args: ReadonlyArray<string>): string => {
  const ended = spawnSync(command, args, { cwd: project, encoding: "utf8", timeout: 120_000 })
  if (ended.status === 0) return ended.stdout
  throw new Error([command, ...args, "failed:", ended.stdout, ended.stderr].join(" "), { cause: ended.error })
}

const write = (path: string, text: string): void => writeFileSync(join(project, path), text)

const manifest = (): Published => JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as Published

/** What a consumer may import: `tracehound`, `tracehound/signal`, …, as the manifest says. */
const entries = (): ReadonlyArray<string> =>
  Object.keys(manifest().exports)
    .filter((path) => path !== "./package.json")
    .map((path) => `tracehound${path.slice(1)}`)

const files = (): ReadonlyArray<string> =>
  readdirSync(installed, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(installed.length + 1).replaceAll("\\", "/"))

const none: ReadonlyArray<string> = []

/** The parts of a source map that say what the code was made of. */
interface SourceMap {
  readonly sources: ReadonlyArray<string>
  readonly sourcesContent: ReadonlyArray<string>
}

/** What a file of the package imports statically. */
const importedBy = (path: string): ReadonlyArray<string> =>
  [
    ...readFileSync(join(installed, path), "utf8").matchAll(
      /^(?:import|export)\s(?:[^"]*?\sfrom\s)?"(?<name>[^"]+)";$/gm
    )
  ]
    .map((match) => match.groups?.["name"] ?? "")

/** The files of the package that importing one of them loads at once, sorted. */
const loadedAtOnce = (path: string): ReadonlyArray<string> => {
  const found = new Set([path])
  for (const file of found)
    for (const name of importedBy(file)) if (name.startsWith(".")) found.add(join(dirname(file), name))
  return [...found].toSorted()
}

afterAll(() => rmSync(project, { recursive: true, force: true }))

restOf(describe)("the published package", { timeout: 120_000 }, () => {
  beforeAll(() => installPacked(project), 500_000)

  rest("has a manifest without anything of the development tree", () => {
    const source = JSON.parse(full) as Published
    const clean = manifest()
    assert.deepStrictEqual(Object.keys(clean).toSorted(), [
      "author",
      "bin",
      "dependencies",
      "description",
      "engines",
      "exports",
      "files",
      "keywords",
      "license",
      "name",
      "peerDependencies",
      "peerDependenciesMeta",
      "publishConfig",
      "sideEffects",
      "type",
      "version"
    ])
    assert.deepStrictEqual(clean.dependencies, source.dependencies)
    assert.deepStrictEqual(clean.exports, source.exports)
  })

  rest("holds the build, its declarations and documents, and nothing else", () => {
    const odd = files().filter((path) =>
      !/^(?:dist\/[\w/-]+\.(?:js|js\.map|d\.ts|html|css)|dist\/edge\/cli\/answers\.json|dist\/hound\/[\w/-]+\.mjs|docs\/[\w/-]+\.md|contrib\/[\w-]+\.(?:yml|json)|spec\/\w+\.md|spec\/vectors\/\w+\.json|[A-Z]+\.md|LICENSE|package\.json)$/
        .test(path)
    )
    assert.deepStrictEqual(odd, none)
    assert.includeMembers([...files()], [
      "LICENSE",
      "dist/index.js",
      "dist/index.d.ts",
      "dist/edge/cli/bin.js",
      "spec/conformance.md",
      "spec/ledger.md",
      "spec/vectors/audit.json"
    ])
    const undeclared = files()
      .filter((path) => path.endsWith(".js") && !path.startsWith("dist/chunks/"))
      .filter((path) => !existsSync(join(installed, path.replace(/\.js$/, ".d.ts"))))
    assert.deepStrictEqual(undeclared, none)
  })

  rest("has no relative import that leads nowhere, and no word of the machine that built it", () => {
    const findings = files().flatMap((path) => {
      const text = readFileSync(join(installed, path), "utf8")
      const lost = path.endsWith(".js")
        ? [...text.matchAll(/(?:from|import|import\()\s*"(?<target>\.[^"]*)"/g)]
          .map((match) => match.groups?.["target"] ?? "")
          .filter((target) => !existsSync(join(installed, dirname(path), target)))
          .map((target) => `${path}: ${target}`)
        : []
      const unmapped = [...text.matchAll(/\/\/# sourceMappingURL=(?<map>.*)/g)]
        .map((match) => match.groups?.["map"] ?? "")
        .filter((map) => !existsSync(join(installed, dirname(path), map)))
      return [...lost, ...machineTraces(path, text, root), ...unmapped.map((map) => `${path}: ${map}`)]
    })
    assert.deepStrictEqual(findings, none)
  })

  rest("has each module in one file, so that there is one of each tag, with its source in that file's map", () => {
    const maps = files().filter((path) => path.endsWith(".js.map")).map((path) =>
      JSON.parse(readFileSync(join(installed, path), "utf8")) as SourceMap
    )
    const sources = maps.flatMap((map) => map.sources.map((source) => source.replace(/^(?:\.\.\/)+/, "")))
    assert.deepStrictEqual(sources.filter((source, i) => sources.indexOf(source) < i), none)
    assert.includeMembers([...sources], ["src/actor/ActorSystem.ts", "src/config/Settings.ts", "src/edge/cli/main.ts"])
    for (const { sources, sourcesContent } of maps) {
      for (const [i, source] of sources.entries())
        assert.strictEqual(sourcesContent[i], readFileSync(join(root, source.replace(/^(?:\.\.\/)+/, "")), "utf8"))
    }
  })

  rest("loads a few files at once for its main entry, and for each other one what that needs", () => {
    const core = ["actor", "codecs", "core", "domain", "rolldown-runtime"]
    const chunks = (entry: string): ReadonlyArray<string> =>
      loadedAtOnce(`dist/${entry}.js`).filter((path) => path.startsWith("dist/chunks/")).map((path) =>
        path.replace(/^dist\/chunks\/(.*)\.js$/, "$1")
      )
    assert.deepStrictEqual(chunks("index"), core)
    assert.deepStrictEqual(chunks("actor/index"), ["actor"])
    assert.deepStrictEqual(chunks("hound/index"), none)
    assert.deepStrictEqual(chunks("host/port/portable"), ["Ed25519", "PortableCompression", "domain"])
    // The command line itself: what a command needs comes with the command.
    assert.notInclude(chunks("chunks/main"), "core")
    assert.deepStrictEqual(chunks("host/node/CompressionWorker"), ["codecs"])
    assert.deepStrictEqual(chunks("hound/process/ForkServerMain"), ["ForkServerMessages", "LocalSpawner"])
    const foreign = (entry: string, pattern: RegExp): ReadonlyArray<string> =>
      loadedAtOnce(`dist/${entry}.js`).flatMap((path) => importedBy(path).filter((name) => pattern.test(name)))
    // What is needed only where evidence leaves, hounds start, or Effect configures.
    const rare =
      /^(?:node:(?!buffer|crypto|perf_hooks|timers|util|v8)|effect\/(?:Config|FileSystem|Path|Stream)|fflate|@)/
    assert.deepStrictEqual(foreign("index", rare), none)
    const processes = ["host/node/CompressionWorker", "hound/process/ForkServerMain", "edge/cli/bin"]
    for (const entry of processes) assert.deepStrictEqual(foreign(entry, /^(?!\.|node:)/), none)
    for (const entry of ["actor/index", "host/port/portable", "config/index", "hound/index"])
      assert.deepStrictEqual(foreign(entry, /^node:/), none)
  })

  rest("RFC R6 brings no install script and no Node binary into a project", () => {
    const lockfile = readFileSync(join(project, "node_modules/.package-lock.json"), "utf8")
    const { packages } = JSON.parse(lockfile) as { readonly packages: Lock }
    const names = Object.keys(packages)
    assert.includeMembers(names, ["effect", "@effect/platform-node", "fflate"].map((name) => `node_modules/${name}`))
    assert.deepStrictEqual(names.filter((path) => packages[path]?.hasInstallScript === true), none)
    assert.deepStrictEqual(names.filter((path) => /@noble|opentelemetry/.test(path)), none, "optional peers")
    assert.deepStrictEqual(names.filter((path) => /\/node-(?:bin-)?(?:linux|darwin|win)/.test(path)), none)
  })

  rest("says what to install where tracehound/otel is imported without its peers", () => {
    write("otel.js", "await import(\"tracehound/otel\").catch(({ message }) => process.stdout.write(message))")
    assert.strictEqual(
      run(process.execPath, "otel.js"),
      "tracehound/otel needs @opentelemetry/api, which is not installed: npm install @opentelemetry/api@1.9 "
        + "@opentelemetry/api-logs@0.223 @effect/opentelemetry@4.1.0"
    )
  })

  /** As whoever imports `tracehound/portable` or `tracehound/otel` has installed them by name. */
  const installPeers = (): void => {
    for (const peer of ["@noble", "@opentelemetry", "@effect/opentelemetry"]) {
      const path = join(project, "node_modules", peer)
      if (!existsSync(path)) symlinkSync(join(root, "node_modules", peer), path, "junction")
    }
  }

  rest("every export can be imported, where the peers are installed that it names", () => {
    installPeers()
    write(
      "imports.js",
      [
        "const found = {}",
        `for (const name of ${JSON.stringify(entries())}) found[name] = Object.keys(await import(name)).length`,
        "process.stdout.write(JSON.stringify(found))"
      ].join("\n")
    )
    const found = JSON.parse(run(process.execPath, "imports.js")) as Record<string, number>
    assert.deepStrictEqual(Object.keys(found), [...entries()])
    // What an analyzer imports of us are types: it is bundled, and nothing of Tracehound runs in a
    // hound.
    assert.deepStrictEqual(Object.entries(found).filter(([, count]) => count === 0), [["tracehound/hound", 0]])
  })

  rest("every export type-checks in a strict project that checks declarations too", () => {
    installPeers()
    const names = entries()
    write(
      "consumer.ts",
      [
        ...names.map((name, index) => `import * as Entry${index} from "${name}"`),
        `export const entries: ReadonlyArray<object> = [${names.map((_, index) => `Entry${index}`).join(", ")}]`
      ].join("\n")
    )
    write(
      "tsconfig.json",
      JSON.stringify({
        compilerOptions: {
          target: "es2024",
          module: "nodenext",
          types: ["node"],
          strict: true,
          exactOptionalPropertyTypes: true,
          noEmit: true,
          skipLibCheck: false
        },
        files: ["consumer.ts"]
      })
    )
    assert.strictEqual(run(process.execPath, join(root, "node_modules/typescript/bin/tsc"), "--pretty", "false"), "")
  })

  rest("answers what never changes as the command line does, and loads nothing of it", async () => {
    write(
      "alone.js",
      `import { registerHooks } from "node:module"
       registerHooks({ resolve: (name, context, next) => {
         if (!/^(?:\\.|file:|node:)/.test(name)) throw new Error(name + " was loaded")
         return next(name, context)
       } })`
    )
    const bin = join(installed, "dist/edge/cli/bin.js")
    const { plain } = JSON.parse(readFileSync(join(installed, "dist/edge/cli/answers.json"), "utf8")) as ReadyAnswers
    assert.includeMembers(Object.keys(plain), ["", "--version", "--completions\0bash", "config\0check\0-h"])
    assert.strictEqual(
      run(process.execPath, "--import", "./alone.js", bin, "config", "check", "-h"),
      (await tracehoundHere(["config", "check", "-h"])).stdout
    )
    for (const [key, answer] of Object.entries(plain)) {
      const asked = await tracehoundHere(key === "" ? [] : key.split("\0"))
      assert.deepStrictEqual(asked, { status: 0, stdout: answer, stderr: "" })
    }
  })

  rest("its command runs and knows its version", () => {
    assert.strictEqual(run("npx", "--no", "--", "tracehound", "--version").trim(), `tracehound v${manifest().version}`)
  })

  rest("is the same to the byte wherever and whenever it is built", () => {
    const elsewhere = mkdtempSync(join(realpathSync(tmpdir()), "tracehound-again-"))
    for (const path of [".ci", "package.json", "tsconfig.json", "tsconfig.build.json", "src"])
      cpSync(join(root, path), join(elsewhere, path), { recursive: true })
    symlinkSync(join(root, "node_modules"), join(elsewhere, "node_modules"), "junction")
    run(process.execPath, join(elsewhere, ".ci/build.mjs"))
    const built = files().filter((path) => path.startsWith("dist/"))
    assert.strictEqual(
      readdirSync(join(elsewhere, "dist"), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile()).length,
      built.length
    )
    const other = built.filter((path) =>
      !readFileSync(join(installed, path)).equals(readFileSync(join(elsewhere, path)))
    )
    assert.deepStrictEqual(other, none)
    rmSync(elsewhere, { recursive: true, force: true })
  })
})

describe("packing", { timeout: 120_000 }, () => {
  /** One module is enough to pack. */
  const small = `${
    JSON.stringify({ ...JSON.parse(full), exports: { ".": { default: "./dist/index.js" } }, bin: {} }, null, 2)
  }\n`
  const tree = mkdtempSync(join(realpathSync(tmpdir()), "tracehound-tree-"))
  const pack = (command: string): SpawnSyncReturns<string> =>
    spawnSync(process.execPath, [".ci/pack.mjs", command], { cwd: tree, encoding: "utf8" })
  const inTree = (path: string): string => readFileSync(join(tree, path), "utf8")

  beforeAll(() => {
    for (const path of [".ci", "tsconfig.json", "tsconfig.build.json"])
      cpSync(join(root, path), join(tree, path), { recursive: true })
    writeFileSync(join(tree, "package.json"), small)
    symlinkSync(join(root, "node_modules"), join(tree, "node_modules"), "junction")
    mkdirSync(join(tree, "src"))
    writeFileSync(join(tree, "src/index.ts"), "export const answer: number = 42\n")
  })

  afterAll(() => rmSync(tree, { recursive: true, force: true }))

  rest("swaps the manifest, will not swap it twice, and puts it back to the byte", () => {
    assert.strictEqual(pack("before").status, 0)
    assert.notInclude(inTree("package.json"), "devDependencies")
    assert.include(inTree("dist/index.js"), "answer = 42")

    const again = pack("before")
    assert.strictEqual(again.status, 1)
    assert.include(again.stderr, "node .ci/pack.mjs after")
    assert.strictEqual(inTree(".package.json.backup"), small)

    assert.strictEqual(pack("after").status, 0)
    assert.strictEqual(inTree("package.json"), small)
    assert.strictEqual(pack("after").status, 0)
    assert.strictEqual(inTree("package.json"), small)
  })

  rest("leaves the manifest alone when the build fails", () => {
    writeFileSync(join(tree, "src/broken.ts"), "export const answer: number = \"none\"\n")
    assert.notStrictEqual(pack("before").status, 0)
    assert.strictEqual(inTree("package.json"), small)
    assert.isFalse(existsSync(join(tree, ".package.json.backup")))
  })

  rest("fails where a module asks for its own place in a way that another file would answer otherwise", () => {
    rmSync(join(tree, "src/broken.ts"))
    const build = (code: string): string => {
      writeFileSync(join(tree, "src/index.ts"), code)
      return spawnSync(process.execPath, [".ci/build.mjs"], { cwd: tree, encoding: "utf8" }).stderr
    }
    assert.include(build("export const here: string = import.meta.url\n"), "index.ts may ask for its place")
    assert.include(
      build("export const file: URL = new URL(\"./lost.mjs\", import.meta.url)\n"),
      "index.ts asks for ./lost.mjs, which is not there"
    )
  })

  it("will not publish the directory, whose manifest is not the tarball's", () => {
    assert.strictEqual(pack("refuse").status, 1)
    assert.include(full, "\"prepublishOnly\": \"node .ci/pack.mjs refuse\"")
  })
})
