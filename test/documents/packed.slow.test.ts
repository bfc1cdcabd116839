/**
 * Every program that a reader may copy, with the package as a stranger gets it: the blocks of
 * README.md and docs/, and the examples. They type-check against its declarations as strictly as
 * the sources do, and run on the Node of the tests.
 *
 * **Gotchas**
 *
 * - A block ends by itself, with status 0 and nothing on stderr. What one prints, needs or serves
 *   is said in `known`.
 * - An example that `test/examples/walks.ts` does not walk ends by itself, and prints something.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import {
  cpSync,
  existsSync,
  globSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { walked, walkExample } from "../examples/walks.ts"
import { installPacked, runAsStranger, strangersEnvironment } from "../support/packed.ts"
import { programsOf, root } from "../support/programs.ts"
import { restOf, sampled } from "../support/tiers.ts"
import { documentAt, documents } from "./documents.ts"

interface Block {
  readonly document: string
  /** `docs-actors-2.ts`, the second of that document. */
  readonly file: string
  readonly code: string
  readonly isTest: boolean
}

const blocks: ReadonlyArray<Block> = documents
  .filter(({ path }) => path === "README.md" || path.startsWith("docs/"))
  .flatMap(({ path, text }) =>
    programsOf(text).map((code, i) => {
      const isTest = code.includes("from \"@effect/vitest\"")
      const file = `${path.replace(/\.md$/, "").replaceAll("/", "-")}-${i + 1}${isTest ? ".test" : ""}.ts`
      return { document: path, file, code, isTest }
    })
  )

/** What a block is about, where it does more than end well. */
interface Known {
  readonly document: string
  /** A text that is in this block of the document and in no other. */
  readonly has: string
  /** What it prints. */
  readonly prints?: RegExp
  /** The block with what stands in it for the reader's own replaced. */
  readonly edit?: (code: string, project: string) => string
  /** Asks a server, once it answers at this address. */
  readonly ask?: (address: string) => Promise<void>
}

/** The only file in a directory. */
const onlyIn = (directory: string): string => {
  const [name, ...others] = readdirSync(directory)
  assert.lengthOf(others, 0)
  return name ?? ""
}

const digest = "[0-9a-f]{64}"

const withAnalyzer = (code: string, project: string): string => {
  const path = join(project, "analyzer.mjs")
  const sha256 = createHash("sha256").update(readFileSync(path)).digest("hex")
  return code.replace("/srv/app/analyzer.mjs", path).replace(new RegExp(`"${digest}"`), `"${sha256}"`)
}

const known: ReadonlyArray<Known> = [
  {
    document: "README.md",
    has: "Effect.runPromise(program.pipe(",
    prints: new RegExp(`^escalated injection:${digest}\n$`)
  },
  {
    document: "README.md",
    has: "createServer(",
    ask: async (address) => {
      assert.strictEqual(await fetch(`${address}/?q=shoes`).then((response) => response.text()), "hello\n")
      for (let i = 0; i < 2; i++) assert.strictEqual((await fetch(`${address}/?q=1+union+select+2`)).status, 403)
    }
  },
  { document: "docs/actors.md", has: "class Deposit", prints: /^12 \{[^]*name: 'root'[^]*\} \{[^]*\}\n$/ },
  { document: "docs/alerts-and-fail-safe.md", has: "onPurge:", prints: /name: 'onPurge'/ },
  { document: "docs/analyzers.md", has: "path: \"/srv/app/analyzer.mjs\",", edit: withAnalyzer, prints: /^$/ },
  { document: "docs/analyzers.md", has: "sample.bin", prints: /^complete\n$/ },
  {
    document: "docs/analyzers.md",
    has: "debug: true",
    edit: (code, project) => `${withAnalyzer(code, project)}\nawait Effect.runPromise(program)\n`
  },
  {
    document: "docs/embedding.md",
    has: "watcher.snapshot()",
    prints: /^0 0 0\n0 \w+ 0 [^{]*\{\n {2}kind: 'supervisor'/
  },
  {
    document: "docs/evidence-and-audit.md",
    has: "openEnvelope(",
    edit: (code, project) => code.replace("….thev", onlyIn(join(project, "data/evidence"))),
    prints: new RegExp(`^injection:${digest} evicted\n$`)
  },
  { document: "docs/ledger.md", has: "layerMemory(", prints: /^0 true alice 7\n$/ },
  { document: "docs/ledger.md", has: "inclusionProof(", prints: /^example\.com\/ledger\+[0-9a-f]{8}\+\S+\ntrue\n$/ },
  { document: "docs/ledger.md", has: "verifyLedger(", prints: /^null 0 0\n$/ },
  {
    document: "docs/metrics.md",
    has: "PrometheusMetrics.format",
    prints: /^tracehound_intercepts_total\{[^}]*status="clean"[^}]*\} 1$/m
  },
  { document: "docs/hounds.md", has: "maxProcessingTime", prints: /^\{[^]*level: '\w+'[^]*\n\{[^]*complete: 0/ }
]

const fits = (block: Block) => ({ document, has }: Known): boolean =>
  document === block.document && block.code.includes(has)

/** The packages that programs import, and those that this package asks a host for. */
const packagesOf = (programs: ReadonlyArray<string>): ReadonlyArray<string> => {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<
    "dependencies" | "devDependencies" | "peerDependencies",
    Readonly<Record<string, string>>
  >
  const versions: Readonly<Record<string, string>> = {
    ...manifest.peerDependencies,
    ...manifest.dependencies,
    ...manifest.devDependencies
  }
  const imported = programs
    .flatMap((code) => Array.from(code.matchAll(/(?:from|import) "([^".][^"]*)"/g), ([, name = ""]) => name))
    .map((name) => name.split("/").slice(0, name.startsWith("@") ? 2 : 1).join("/"))
    .filter((name) => name !== "tracehound" && !name.startsWith("node:"))
  return [...new Set([...imported, ...Object.keys(manifest.peerDependencies), "@types/node", "vitest"])]
    .map((name) => `${name}@${versions[name]}`)
}

const found = (pattern: string): ReadonlyArray<string> =>
  globSync(pattern, { cwd: root }).map((path) => path.replaceAll("\\", "/")).toSorted()

const examples = found("examples/**/*.{ts,mjs}")

/** The programs of the examples: of a folder its `main.ts`, or each file where it has none. */
const examplePrograms = found("examples/**/*.ts").filter((path) => {
  const main = path.replace(/[^/]+$/, "main.ts")
  return path === main || !examples.includes(main)
})

/** A port that is free, as far as anybody can know. */
const freePort = async (): Promise<string> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  return typeof address === "object" && address !== null ? String(address.port) : ""
}

describe("the blocks", () => {
  sampled(it)("that are known are there, each once", () => {
    assert.isAtLeast(blocks.length, 15)
    assert.deepStrictEqual(known.filter((one) => blocks.filter((block) => fits(block)(one)).length !== 1), [])
  })
})

restOf(describe)("the package that is installed", { timeout: 120_000 }, () => {
  const project = mkdtempSync(join(realpathSync(tmpdir()), "tracehound-reader-"))

  beforeAll(async () => {
    const programs = [
      ...blocks.map(({ code }) => code),
      ...examples.map((path) => readFileSync(join(root, path), "utf8"))
    ]
    await installPacked(project, packagesOf(programs))
    cpSync(join(root, "examples"), join(project, "examples"), { recursive: true })
    for (const { code, file } of blocks) writeFileSync(join(project, file), code)
  }, 500_000)

  afterAll(() => rmSync(project, { recursive: true, force: true }))

  it("type-checks what a reader copies", async () => {
    const { compilerOptions } = JSON.parse(readFileSync(join(root, "tsconfig.json"), "utf8")) as {
      readonly compilerOptions: object
    }
    const own = { ...compilerOptions, paths: {}, plugins: [], rewriteRelativeImportExtensions: false }
    writeFileSync(
      join(project, "tsconfig.json"),
      JSON.stringify({ compilerOptions: own, include: ["*.ts", "examples"] })
    )
    const tsc = join(root, "node_modules/typescript/bin/tsc")
    const { stdout } = await runAsStranger(project, process.execPath, [tsc, "--pretty", "false"])
    assert.strictEqual(stdout, "")
  })

  it("has the command, which keeps the evidence that another block opens", async () => {
    const line = (payload: string) =>
      `${
        JSON.stringify({
          id: "1",
          source: "192.0.2.1",
          timestamp: 1_760_000_000_000,
          payload,
          threat: { category: "injection", severity: "high" }
        })
      }\n`
    writeFileSync(join(project, "scents.ndjson"), line("evicted") + line("held"))
    const { stdout } = await runAsStranger(
      project,
      "npx",
      ["--no", "--", "tracehound", "replay", "scents.ndjson", "--data", "./data"],
      { TRACEHOUND_QUARANTINE_MAX_COUNT: "1" }
    )
    assert.match(stdout, /quarantined +2\n/)
    assert.match(onlyIn(join(project, "data/evidence")), /\.thev$/)
  })

  it("bundles the analyzer of docs/analyzers.md by the command that stands there", async () => {
    const { text } = documentAt("docs/analyzers.md")
    const [, command = ""] = /^npx (esbuild .*)$/m.exec(text) ?? []
    const [esbuild = "", ...args] = command.split(" ")
    writeFileSync(join(project, "sample.bin"), "00ff")
    writeFileSync(
      join(project, args[0] ?? ""),
      blocks.find(({ document }) => document === "docs/analyzers.md")?.code ?? ""
    )
    await runAsStranger(project, "npx", ["--no", "--", esbuild, ...args])
    assert.isTrue(existsSync(join(project, "analyzer.mjs")))
  })

  for (const block of blocks.filter(({ isTest }) => !isTest)) {
    const { ask, edit, prints } = known.find(fits(block)) ?? {}
    const first = block.code.split("\n").find((line) => /^(?:export )?(?:const|class|createS)/.test(line)) ?? ""
    it(`runs ${block.file}: ${first}`, async () => {
      const code = edit?.(block.code, project) ?? block.code
      if (ask !== undefined) return assertServes(code, block.file, ask)
      writeFileSync(join(project, block.file), code)
      const { stderr, stdout } = await runAsStranger(project, process.execPath, [block.file])
      assert.strictEqual(stderr, "")
      if (prints !== undefined) assert.match(stdout, prints)
    })
  }

  /** Runs a server at another port than the reader's, and asks it. */
  const assertServes = async (code: string, file: string, ask: (address: string) => Promise<void>): Promise<void> => {
    const port = await freePort()
    assert.match(code, /\.listen\(\d+, "127\.0\.0\.1"\)/)
    writeFileSync(join(project, file), code.replace(/\.listen\(\d+/, `.listen(${port}`))
    const child = spawn(process.execPath, [file], { cwd: project, env: strangersEnvironment, stdio: "inherit" })
    try {
      const address = `http://127.0.0.1:${port}`
      const isUp = async (): Promise<boolean> => fetch(address).then(() => true, () => false)
      while (child.exitCode === null && !(await isUp())) await setTimeout(50)
      await ask(address)
    } finally {
      child.kill("SIGKILL")
    }
  }

  it("runs the tests that docs/testing.md shows", async () => {
    const tests = blocks.filter(({ isTest }) => isTest).map(({ file }) => file)
    const report = join(project, "report.json")
    const vitest = join(project, "node_modules/vitest/vitest.mjs")
    // A machine that is busy with other tests is slower than a reader's.
    const flags = ["--testTimeout=60000", "--reporter=json", `--outputFile=${report}`]
    await runAsStranger(project, process.execPath, [vitest, "run", ...flags, ...tests])
    const { numPassedTests, numTotalTests } = JSON.parse(readFileSync(report, "utf8")) as Record<string, number>
    assert.strictEqual(numPassedTests, numTotalTests)
    assert.isAtLeast(numPassedTests ?? 0, tests.length)
  })

  for (const program of examplePrograms) {
    it(`runs ${program}`, async () => {
      const [, name = ""] = program.split("/")
      if (walked.includes(name)) return walkExample({ directory: project, flags: [], env: strangersEnvironment }, name)
      const { stderr, stdout } = await runAsStranger(project, process.execPath, [program])
      assert.strictEqual(stderr, "")
      assert.notStrictEqual(stdout, "")
    })
  }
})
