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

beforeAll(() => installPacked(project), 500_000)

afterAll(() => rmSync(project, { recursive: true, force: true }))

describe("the published package", { timeout: 120_000 }, () => {
  it("has a manifest without anything of the development tree", () => {
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

  it("holds the build, its declarations and documents, and nothing else", () => {
    const odd = files().filter((path) =>
      !/^(?:dist\/[\w/-]+\.(?:js|d\.ts|html|css)|dist\/hound\/[\w/-]+\.mjs|docs\/[\w/-]+\.md|contrib\/[\w-]+\.(?:yml|json)|spec\/\w+\.md|spec\/vectors\/\w+\.json|[A-Z]+\.md|LICENSE|package\.json)$/
        .test(path)
    )
    assert.deepStrictEqual(odd, none)
    assert.includeMembers([...files()], [
      "LICENSE",
      "dist/index.js",
      "dist/index.d.ts",
      "dist/edge/cli/bin.js",
      "spec/conformance.md",
      "spec/audit.md",
      "spec/vectors/audit.json"
    ])
    const undeclared = files()
      .filter((path) => path.endsWith(".js"))
      .filter((path) => !existsSync(join(installed, path.replace(/\.js$/, ".d.ts"))))
    assert.deepStrictEqual(undeclared, none)
  })

  it("has no relative import that leads nowhere, and no word of the machine that built it", () => {
    const findings = files().flatMap((path) => {
      const text = readFileSync(join(installed, path), "utf8")
      const lost = path.endsWith(".js")
        ? [...text.matchAll(/(?:from|import|import\()\s*"(?<target>\.[^"]*)"/g)]
          .map((match) => match.groups?.["target"] ?? "")
          .filter((target) => !existsSync(join(installed, dirname(path), target)))
          .map((target) => `${path}: ${target}`)
        : []
      return [...lost, ...machineTraces(path, text, root), ...text.includes("sourceMappingURL") ? [`${path}: map`] : []]
    })
    assert.deepStrictEqual(findings, none)
  })

  it("RFC R6 brings no install script and no Node binary into a project", () => {
    const lockfile = readFileSync(join(project, "node_modules/.package-lock.json"), "utf8")
    const { packages } = JSON.parse(lockfile) as { readonly packages: Lock }
    const names = Object.keys(packages)
    assert.includeMembers(names, ["effect", "@effect/platform-node", "fflate"].map((name) => `node_modules/${name}`))
    assert.deepStrictEqual(names.filter((path) => packages[path]?.hasInstallScript === true), none)
    assert.deepStrictEqual(names.filter((path) => /@noble|opentelemetry/.test(path)), none, "optional peers")
    assert.deepStrictEqual(names.filter((path) => /\/node-(?:bin-)?(?:linux|darwin|win)/.test(path)), none)
  })

  it("says what to install where tracehound/otel is imported without its peers", () => {
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

  it("every export can be imported, where the peers are installed that it names", () => {
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

  rest("its command runs and knows its version", () => {
    assert.strictEqual(run("npx", "--no", "--", "tracehound", "--version").trim(), `tracehound v${manifest().version}`)
  })
})

describe("packing", { timeout: 120_000 }, () => {
  const tree = mkdtempSync(join(realpathSync(tmpdir()), "tracehound-tree-"))
  const pack = (command: string): SpawnSyncReturns<string> =>
    spawnSync(process.execPath, [".ci/pack.mjs", command], { cwd: tree, encoding: "utf8" })
  const inTree = (path: string): string => readFileSync(join(tree, path), "utf8")

  beforeAll(() => {
    for (const path of [".ci", "package.json", "tsconfig.json", "tsconfig.build.json"])
      cpSync(join(root, path), join(tree, path), { recursive: true })
    symlinkSync(join(root, "node_modules"), join(tree, "node_modules"), "junction")
    mkdirSync(join(tree, "src"))
    writeFileSync(join(tree, "src/index.ts"), "export const answer: number = 42\n")
  })

  afterAll(() => rmSync(tree, { recursive: true, force: true }))

  it("swaps the manifest, will not swap it twice, and puts it back to the byte", () => {
    assert.strictEqual(pack("before").status, 0)
    assert.notInclude(inTree("package.json"), "devDependencies")
    assert.include(inTree("dist/index.js"), "answer = 42")

    const again = pack("before")
    assert.strictEqual(again.status, 1)
    assert.include(again.stderr, "node .ci/pack.mjs after")
    assert.strictEqual(inTree(".package.json.backup"), full)

    assert.strictEqual(pack("after").status, 0)
    assert.strictEqual(inTree("package.json"), full)
    assert.strictEqual(pack("after").status, 0)
    assert.strictEqual(inTree("package.json"), full)
  })

  it("leaves the manifest alone when the build fails", () => {
    writeFileSync(join(tree, "src/broken.ts"), "export const answer: number = \"none\"\n")
    assert.notStrictEqual(pack("before").status, 0)
    assert.strictEqual(inTree("package.json"), full)
    assert.isFalse(existsSync(join(tree, ".package.json.backup")))
  })

  it("will not publish the directory, whose manifest is not the tarball's", () => {
    assert.strictEqual(pack("refuse").status, 1)
    assert.include(full, "\"prepublishOnly\": \"node .ci/pack.mjs refuse\"")
  })
})
