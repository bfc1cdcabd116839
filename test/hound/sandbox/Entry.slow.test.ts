import { assert, describe, it as every } from "@effect/vitest"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { threatCategories } from "../../../src/domain/Scent.ts"
import { severities } from "../../../src/domain/Severity.ts"
import { frameBytes, frameMagic, frameVersion, jobHeaderBytes, jobMagic } from "../../../src/hound/channel/Frames.ts"
import { maxEvidence } from "../../../src/hound/sandbox/Command.ts"
import { exitCodes } from "../../../src/hound/sandbox/Sandbox.ts"
import { sampleOf } from "../../support/tiers.ts"
import { type Booted, withHound } from "./boots.ts"

const it = sampleOf(every, 3)

/** An analyzer that does what the evidence is the name of. */
const analyzer = (body: string, prelude = ""): string =>
  `${prelude}
  const acts = { ${body} }
  export const analyze = (bytes, evidence) => acts[new TextDecoder().decode(bytes)](bytes, evidence)`

const tell = "const tell = (text) => { throw new Error(text) };"

/** The lines of the debug mode, after the analyzer was asked to do these. */
const answers = async (hound: Booted, names: ReadonlyArray<string>): Promise<string> => {
  for (const name of names) await hound.ask({ text: name })
  return hound.end()
}

const hostile = `
  const spin = () => { for (;;); }
  const traps = {}
  for (const trap of Reflect.ownKeys(Reflect)) if (typeof trap === "string") traps[trap] = spin
  const evil = new Proxy({}, traps)
`

describe("a hound's boot", () => {
  it("RFC H2 is ready, answers a job after the other, and ends with its pipe", () =>
    withHound("export const analyze = () => {}", {}, async (hound) => {
      assert.deepStrictEqual(await hound.ready(), [{ kind: "ready", sequence: 0, job: 0 }])
      assert.strictEqual(await hound.ask({ text: "one" }), "complete")
      assert.strictEqual(await hound.ask({ bytes: new Uint8Array(0) }), "complete")
      assert.strictEqual(await hound.ask({ bytes: new Uint8Array(1_048_576) }), "complete")
      assert.deepStrictEqual(
        hound.frames.slice(1).map(({ job, kind, sequence }) => [kind, sequence, job]),
        [1, 2, 3].flatMap((job) => [
          ["processing", 3 * job - 2, job],
          ["metrics", 3 * job - 1, job],
          ["complete", 3 * job, job]
        ])
      )
      assert.strictEqual(await hound.end(), "")
      assert.strictEqual(await hound.ended, 0)
    }))

  it("RFC H2 nothing of an analyzer runs whose SHA-256 is not the pinned one", () =>
    withHound("throw new Error('ran')", {
      change: (plan) => ({
        ...plan,
        args: plan.args.map((text) => (/^[0-9a-f]{64}$/.test(text) ? "0".repeat(64) : text))
      })
    }, async (hound) => {
      assert.strictEqual(await hound.ended, exitCodes.notPinned)
      assert.include(hound.said, "SHA-256")
      assert.notInclude(hound.said, "ran")
    }))

  it("RFC H2 an analyzer that is gone is not pinned", () =>
    withHound("export const analyze = () => {}", {
      change: (plan) => ({ ...plan, args: plan.args.map((text) => text.replace("analyzer.mjs", "gone.mjs")) })
    }, async (hound) => {
      assert.strictEqual(await hound.ended, exitCodes.notPinned)
    }))

  const unloadable: ReadonlyArray<readonly [string, string, string]> = [
    [
      "a static import",
      "import fs from 'node:fs'; export const analyze = () => fs",
      "the analyzer imports \"node:fs\""
    ],
    ["a dynamic import", "await import('node:' + 'net')", "the analyzer imports \"node:net\""],
    ["an import of data", "import 'data:text/javascript,0'", "the analyzer imports \"data:text/javascript,0\""],
    ["a syntax error", "export const analyze = (", "the analyzer could not be loaded: \"Unexpected"],
    ["a throw", "throw new Error('it\\u001b[2J broke')", "the analyzer could not be loaded: \"it\\u001b[2J broke\""],
    ["a throw of what nobody can read", "throw { get message() { throw 1 } }", "an error that cannot be read"],
    ["code from text", "new Function('return 1')", "the analyzer could not be loaded: \"Code generation"],
    ["a rejection that nobody sees", "Promise.reject(new Error('loose')); await new Promise(() => {})", "\"loose\""],
    ["a wait without end", "await new Promise(() => {})", "nothing can settle"]
  ]
  for (const [what, source, line] of unloadable) {
    it(`RFC H2 ${what} at the top level is ${exitCodes.unloadable}, and no frame`, () =>
      withHound(source, {}, async (hound) => {
        assert.strictEqual(await hound.ended, exitCodes.unloadable, hound.said)
        assert.include(hound.said, line)
        assert.isBelow(hound.said.length, 600)
        assert.deepStrictEqual(hound.frames, [])
      }))
  }

  it("RFC H2 without `analyze` it says so", () =>
    withHound("export default () => {}", {}, async (hound) => {
      assert.strictEqual(await hound.ended, exitCodes.noAnalyze)
      assert.include(hound.said, "`analyze`")
    }))

  const without: ReadonlyArray<readonly [flag: string, line: string, more?: string]> = [
    ["--permission", "permission model", "--allow-fs-read"],
    ["--disallow-code-generation-from-strings", "text becomes code"],
    ["--disable-proto=throw", "__proto__"],
    ["--stack-trace-limit=0", "errors have stacks"]
  ]
  for (const [flag, line, more = flag] of without) {
    it(`RFC H2 without ${flag} it fails closed`, () =>
      withHound("export const analyze = () => {}", {
        change: (plan) => ({
          ...plan,
          args: plan.args.filter((text) => !text.startsWith(flag) && !text.startsWith(more))
        })
      }, async (hound) => {
        assert.strictEqual(await hound.ended, exitCodes.unlocked, hound.said)
        assert.include(hound.said, line)
        assert.deepStrictEqual(hound.frames, [])
      }))
  }

  const header = (change: (view: DataView) => void): Uint8Array => {
    const bytes = new Uint8Array(jobHeaderBytes)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, jobMagic, true)
    view.setUint32(4, 1, true)
    change(view)
    return bytes
  }
  const badJobs: ReadonlyArray<readonly [string, (view: DataView) => void]> = [
    ["another magic number", (view) => view.setUint32(0, 1, true)],
    ["no number", (view) => view.setUint32(4, 0, true)],
    ["too long", (view) => view.setUint32(8, maxEvidence + 1, true)],
    ["no category", (view) => view.setUint8(12, threatCategories.length)],
    ["no severity", (view) => view.setUint8(13, severities.length)],
    ["neither a digest nor none", (view) => view.setUint8(14, 2)],
    ["what must be zero is not", (view) => view.setUint8(15, 1)]
  ]
  it("RFC H3 bytes that are no job end the hound", async () => {
    for (const [what, change] of badJobs) {
      await withHound("export const analyze = () => {}", { debug: false }, async (hound) => {
        await hound.ready()
        hound.pipe.write(header(change))
        assert.strictEqual(await hound.ended, exitCodes.badJob, what)
        assert.strictEqual(hound.frames.length, 1)
      })
    }
  })
})

describe("a hound's job", () => {
  it("RFC H1 the analyzer gets the facts of its evidence, fresh and frozen for each job", () => {
    const source = `
      let last
      export const analyze = (bytes, evidence) => {
        const { category, severity, size, sha256 } = evidence
        const isFresh = evidence !== last && Object.isFrozen(evidence) && size === bytes.byteLength
        last = evidence
        throw new Error([isFresh, bytes instanceof ArrayBuffer, category, severity, size, sha256].join())
      }`
    const digest = createHash("sha256").update("a").digest()
    return withHound(source, {}, async (hound) => {
      const expected: Array<string> = []
      for (const [category, name] of threatCategories.entries()) {
        const severity = category % severities.length
        const bytes = new Uint8Array(category)
        assert.strictEqual(
          await hound.ask({ bytes, category, severity, digest: category === 0 ? digest : null }),
          "error"
        )
        const hex = category === 0 ? digest.toString("hex") : ""
        expected.push(`the analyzer failed: "true,true,${name},${severities[severity]},${category},${hex}"`)
      }
      assert.deepStrictEqual((await hound.end()).trim().split("\n"), expected)
    })
  })

  it("RFC H3 a value that an analyzer returns or throws becomes one of two verdicts, and is not looked at", () => {
    const acts = `
      error: () => "error", laterError: async () => "error", throwing: () => { throw evil }, rejecting: async () => { throw evil },
      nothing: () => {}, complete: () => "complete", object: () => ({ toString: spin, valueOf: spin }), list: () => [evil],
      thenTwice: () => ({ then(resolve) { resolve("complete"); resolve("error"); throw evil } }),
      thenThrows: () => ({ get then() { throw evil } }),
      constructorThrows: () => Object.defineProperty(Promise.resolve(), "constructor", { get() { throw evil } }),
      thenIsOwn: () => Object.assign(Promise.resolve("error"), { then: spin }),
      later: () => new Promise((resolve) => setTimeout(resolve, 1))`
    const failing = ["error", "laterError", "throwing", "rejecting", "thenThrows", "constructorThrows", "thenIsOwn"]
    const fine = ["nothing", "complete", "object", "list", "thenTwice", "later"]
    return withHound(analyzer(acts, hostile), { debug: false }, async (hound) => {
      for (const text of failing) assert.strictEqual(await hound.ask({ text }), "error", text)
      for (const text of fine) assert.strictEqual(await hound.ask({ text }), "complete", text)
      assert.strictEqual(await hound.end(), "")
    })
  })

  it("RFC H3 an error that nothing catches ends the hound before it answers, without a word", async () => {
    const acts = `
      rejection: () => { Promise.reject(evil) },
      microtask: () => queueMicrotask(() => { throw evil }),
      timer: () => new Promise(() => setTimeout(() => { throw evil }, 0)),
      never: () => new Promise(() => {})`
    for (const text of ["rejection", "microtask", "timer", "never"]) {
      await withHound(
        analyzer(acts, hostile),
        { debug: false, change: (plan) => ({ ...plan, stderrBytes: 1 }) },
        async (hound) => {
          assert.strictEqual(await hound.ask({ text }), 1, text)
          assert.strictEqual(hound.said, "")
          assert.deepStrictEqual(hound.frames.map(({ kind }) => kind), ["ready", "processing"])
        }
      )
    }
  })

  it("RFC H3 an error that nothing catches is written in the debug mode", () => {
    const source = "export const analyze = () => new Promise(() => setTimeout(() => { throw new Error('late') }, 0))"
    return withHound(source, {}, async (hound) => {
      assert.strictEqual(await hound.ask({}), 1)
      assert.include(hound.said, "the analyzer threw, and nothing caught it: \"late\"")
    })
  })

  it("RFC H2 evidence is gone after its job, and timers with it", () => {
    const acts = `
      keep: (bytes) => { kept = bytes; view = new Uint8Array(bytes) },
      look: () => tell([kept.byteLength, view.length, kept.detached].join()),
      take: (bytes) => { kept = bytes.transfer() },
      mine: () => tell([kept.byteLength].join()),
      sow: () => { setTimeout(() => { reaped = true }, 0) },
      reap: () => new Promise((resolve) => setTimeout(resolve, 20)).then(() => tell(String(reaped)))`
    return withHound(analyzer(acts, `let kept, view, reaped = false; ${tell}`), {}, async (hound) => {
      const said = await answers(hound, ["keep", "look", "take", "mine", "sow", "reap"])
      assert.deepStrictEqual(said.match(/"[^"]*"/g), ["\"0,0,true\"", "\"4\"", "\"false\""])
    })
  })

  it("RFC H3 debug lines are bounded", () => {
    const source = "export const analyze = () => { throw new Error('x'.repeat(1e6)) }"
    return withHound(source, {}, async (hound) => {
      for (let i = 0; i < 60; i++) assert.strictEqual(await hound.ask({}), "error")
      const said = await hound.end()
      assert.isBelow(said.length, 8_192)
      assert.isAbove(said.length, 4_096)
    })
  })
})

describe("the entry", () => {
  const text = readFileSync(new URL("../../../src/hound/sandbox/entry.mjs", import.meta.url), "utf8")

  it("RFC H3 has the numbers and the names of the rest", () => {
    const list = (names: ReadonlyArray<string>) => `[${names.map((name) => `"${name}"`).join(", ")}]`
    assert.include(text, `const categories = ${list(threatCategories)}`)
    assert.include(text, `const severities = ${list(severities)}`)
    for (const [name, code] of Object.entries(exitCodes)) assert.include(text, `const ${name} = ${code}\n`)
    assert.include(text, `const frameBytes = ${frameBytes}\n`)
    assert.include(text, `const header = new Uint8Array(${jobHeaderBytes})`)
    assert.include(text, `0x${frameMagic.toString(16)}, true`)
    assert.include(text, `0x${jobMagic.toString(16)} &&`)
    assert.include(text, `frameView.setUint8(at + 2, ${frameVersion})`)
    assert.include(text, `const maxLength = ${maxEvidence / 1_048_576} * 1_048_576`)
  })

  it("RFC H2 imports nothing but Node's own", () => {
    const imports = [...text.matchAll(/^import .* from "([^"]+)"$/gm)].map(([, name]) => name)
    assert.deepStrictEqual(imports, ["node:crypto", "node:fs", "node:module"])
  })
})
