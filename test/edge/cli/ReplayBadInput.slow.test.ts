/**
 * Recordings that are broken in every way that recordings break. Two cases need a process of their
 * own: one for the size of its heap, one for real pipes.
 */
import { assert, describe, it as every } from "@effect/vitest"
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { inTemporaryDirectory, shell, tracehound } from "../../support/command.ts"
import { sampleOf } from "../../support/tiers.ts"
import { tracehoundHere } from "./inProcess.ts"

const it = sampleOf(every, 3)

const threat = { category: "injection", severity: "high" }
const scent = (id: number, over: object = {}) =>
  JSON.stringify({
    id: String(id),
    source: "192.0.2.1",
    timestamp: 1_760_000_000_000 + id,
    payload: { id },
    threat,
    ...over
  })

const replayOf = (directory: string, content: string | Uint8Array, ...args: Array<string>) => {
  const file = join(directory, "recording")
  writeFileSync(file, content)
  return tracehoundHere(["replay", file, "--json", ...args])
}

/** The bytes in pieces of this size. */
const piecesOf = (whole: Uint8Array, size: number) =>
  Array.from({ length: Math.ceil(whole.length / size) }, (_, i) => whole.subarray(i * size, (i + 1) * size))

/** The numbers of the lines that were reported. */
const reported = (stderr: string) => Array.from(stderr.matchAll(/^line (\d+): /gm), (match) => Number(match[1]))

describe("replay of broken input", () => {
  it("counts and reports each malformed line by its number, and loses nothing around it", () =>
    inTemporaryDirectory(async (directory) => {
      const bad = [
        "this is no JSON",
        "{\"id\":",
        "null",
        "[1,2]",
        scent(3, { id: 7 }),
        scent(3, { source: null }),
        scent(3, { timestamp: "now" }),
        scent(3).replace(/"timestamp":\d+/, "\"timestamp\":NaN"),
        scent(3).replace(/"timestamp":\d+/, "\"timestamp\":1e999"),
        scent(3, { threat: { category: "injection", severity: "fatal" } }),
        scent(3, { threat: { category: "witchcraft", severity: "high" } }),
        scent(3, { threat: "injection" }),
        scent(3, { id: "x".repeat(257) }),
        scent(3, { payloadBase64: "AAAA" }),
        JSON.stringify({ id: "1", source: "s", timestamp: 1 })
      ]
      const lines = bad.flatMap((line, i) => [scent(1000 + i), line])
      const { status, stderr, stdout } = await replayOf(directory, `${lines.join("\n")}\n${scent(1)}\n`)
      const summary = JSON.parse(stdout)
      assert.strictEqual(status, 0)
      assert.strictEqual(summary.lines, bad.length * 2 + 1)
      assert.strictEqual(summary.invalid, bad.length)
      assert.strictEqual(summary.quarantined, bad.length + 1)
      assert.deepStrictEqual(reported(stderr), bad.map((_, i) => i * 2 + 2))
      assert.strictEqual(stderr.trimEnd().split("\n").length, bad.length)
    }))

  it("takes a truncated gzip as far as it goes, and says where it broke", () =>
    inTemporaryDirectory(async (directory) => {
      const whole = gzipSync(Array.from({ length: 5000 }, (_, i) => `${scent(i)}\n`).join(""))
      const { status, stderr, stdout } = await replayOf(directory, whole.subarray(0, whole.length / 2))
      const summary = JSON.parse(stdout)
      assert.deepStrictEqual([status, summary.complete], [1, false])
      assert.isAbove(summary.quarantined + summary.rateLimited, 100)
      assert.strictEqual(summary.invalid, 1)
      assert.strictEqual(summary.lines, summary.quarantined + summary.rateLimited + 1)
      assert.strictEqual(stderr.trimEnd().split("\n").length, 1)
      assert.match(stderr, /line \d+: .*gzip/)
    }))

  it("skips a line of 50 MB without holding it", () =>
    inTemporaryDirectory(async (directory) => {
      const file = join(directory, "recording")
      writeFileSync(file, `${scent(1)}\n`)
      const megabyte = "x".repeat(1_000_000)
      for (let i = 0; i < 50; i++) writeFileSync(file, megabyte, { flag: "a" })
      writeFileSync(file, `\n${scent(2)}\n`, { flag: "a" })
      const { stderr, stdout } = await tracehound(["replay", file, "--json"], {
        nodeFlags: ["--max-old-space-size=64"]
      })
      const summary = JSON.parse(stdout)
      assert.deepStrictEqual([summary.lines, summary.invalid, summary.quarantined], [3, 1, 2])
      assert.deepStrictEqual(reported(stderr), [2])
    }))

  it("holds a payload of invalid UTF-8 as its bytes, and never takes one for another", () =>
    inTemporaryDirectory(async (directory) => {
      const values = [[0x61, 0xff], [0x61, 0xfe], [0xff, 0xc3, 0x28], [0x61, 0xff]].map((bytes) =>
        Buffer.from([0x22, ...bytes, 0x22])
      )
      const line = (value: Buffer) =>
        Buffer.concat([
          Buffer.from("{\"id\":\"1\",\"source\":\"s\",\"timestamp\":1,\"payload\":"),
          value,
          Buffer.from(",\"threat\":{\"category\":\"spam\",\"severity\":\"low\"}}\n")
        ])
      const signatures = join(directory, "signatures")
      const { stdout } = await replayOf(directory, Buffer.concat(values.map(line)), "--signatures", signatures)
      const { ignored, quarantined, raw } = JSON.parse(stdout)
      assert.deepStrictEqual({ ignored, quarantined, raw }, { ignored: 1, quarantined: 3, raw: 4 })
      const { createHash } = await import("node:crypto")
      const statuses = ["quarantined", "quarantined", "quarantined", "ignored"]
      const expected = values.map((value, at) =>
        `${at + 1}\t${statuses[at]}\tspam:${createHash("sha256").update(value).digest("hex")}\n`
      )
      assert.strictEqual(readFileSync(signatures, "utf8"), expected.join(""))
    }))

  it("asks whether the format is right where no line could be used", () =>
    inTemporaryDirectory(async (directory) => {
      const lines = `${scent(1)}\n${scent(2)}\n`
      const { status, stderr, stdout } = await replayOf(directory, lines, "--format", "modsecurity")
      const { complete, invalid } = JSON.parse(stdout)
      assert.deepStrictEqual([status, complete, invalid], [1, false, 2])
      assert.deepStrictEqual(reported(stderr), [1, 2])
      assert.match(stderr.trimEnd().split("\n").at(-1) ?? "", /is --format right\?.*scent, modsecurity$/)
    }))

  it("answers no where the recording ended early, however it ended", () =>
    inTemporaryDirectory(async (directory) => {
      const whole = `${scent(1)}\n${scent(2)}\n`
      const member = gzipSync(whole)
      const damaged = Buffer.from(member)
      damaged.fill(0, member.length - 8, member.length - 4)
      const broken: ReadonlyArray<string | Uint8Array> = [
        whole.slice(0, -9),
        `${whole}{`,
        `${whole}garbage`,
        member.subarray(0, -1),
        damaged,
        Buffer.concat([member, Buffer.from("garbage")]),
        gzipSync(whole.slice(0, -9))
      ]
      for (const content of broken) {
        const { status, stderr, stdout } = await replayOf(directory, content)
        const { complete, invalid } = JSON.parse(stdout)
        assert.deepStrictEqual([status, complete, invalid], [1, false, 1])
        assert.notStrictEqual(stderr, "")
      }
    }))

  it("answers yes where the recording is whole, though a line in it is not", () =>
    inTemporaryDirectory(async (directory) => {
      const whole = `${scent(1)}\n{"id":\n{}\n${scent(2)}`
      for (const content of [whole, `${whole}\n{}`, `${whole}\n \n`, gzipSync(whole), gzipSync(`${whole}\n`)]) {
        const { status, stdout } = await replayOf(directory, content)
        assert.deepStrictEqual([status, JSON.parse(stdout).complete], [0, true])
      }
    }))

  it("says that an empty file has no lines", () =>
    inTemporaryDirectory(async (directory) => {
      for (const content of ["", "\n\n", gzipSync("")]) {
        const { status, stderr, stdout } = await replayOf(directory, content)
        assert.strictEqual(status, 0)
        assert.deepStrictEqual([JSON.parse(stdout).lines, JSON.parse(stdout).complete], [0, true])
        assert.match(stderr, /has no lines/)
      }
    }))

  it("says where ids are random, and gives the same answer everywhere else", () =>
    inTemporaryDirectory(async (directory) => {
      const content = Array.from({ length: 5 }, (_, i) => `${scent(i)}\n`).join("")
      const config = join(directory, "config.json")
      writeFileSync(config, "{\"quarantine\":{\"maxCount\":1}}")
      const answer = async (...args: Array<string>) => {
        const { stdout } = await replayOf(directory, content, "--config", config, ...args)
        const { audit: { head, ...audit }, randomIds, ...counts } = JSON.parse(stdout)
        return { head, randomIds, counts: { ...counts, audit } }
      }
      const [one, two] = [await answer(), await answer()]
      assert.deepStrictEqual(one, two)
      assert.isFalse(one.randomIds)
      const [three, four] = [await answer("--data", directory), await answer("--data", directory)]
      assert.deepStrictEqual([three.randomIds, four.randomIds], [true, true])
      assert.notStrictEqual(three.head, four.head)
      assert.deepStrictEqual([three.counts, four.counts], [one.counts, one.counts])

      writeFileSync(config, JSON.stringify({ audit: { coldStorage: { endpoint: `file:${directory}/own` } } }))
      assert.isTrue((await answer()).randomIds)
      const { stdout } = await tracehoundHere(["replay", join(directory, "recording"), "--data", directory])
      assert.match(stdout, /^audit head +[0-9a-f]{64} \(ids were random\)$/m)
    }))

  it("never writes signatures over a file that it reads, whatever path or link leads there", () =>
    inTemporaryDirectory(async (directory) => {
      const at = (name: string) => join(directory, name)
      const content = gzipSync(`${scent(1)}\n`)
      writeFileSync(at("recording"), content)
      writeFileSync(at("config.json"), "{}")
      symlinkSync("recording", at("symbolic"))
      linkSync(at("recording"), at("hard"))
      symlinkSync(at("config.json"), at("config"))
      mkdirSync(at("sub"))
      const args = ["replay", at("recording"), "--signatures"]
      const env = { TRACEHOUND_CONFIG: at("config.json") }
      const uses: ReadonlyArray<
        readonly [Promise<{ readonly status: number | null; readonly stderr: string }>, RegExp]
      > = [
        [tracehoundHere([...args, at("recording")]), /overwrite the recording: name another file$/m],
        [tracehoundHere([...args, at("sub/../recording")]), /overwrite the recording/],
        [tracehoundHere([...args, at("symbolic")]), /overwrite the recording/],
        [tracehoundHere([...args, at("hard")]), /overwrite the recording/],
        [tracehoundHere(["replay", at("symbolic"), "--signatures", at("hard")]), /overwrite the recording/],
        [tracehoundHere([...args, at("config.json"), "--config", at("config")]), /overwrite the configuration/],
        [tracehoundHere([...args, at("config")], { env }), /overwrite the configuration/]
      ]
      for (const [use, expected] of uses) {
        const { status, stderr } = await use
        assert.strictEqual(status, 2)
        assert.match(stderr, expected)
      }
      assert.deepStrictEqual(readFileSync(at("recording")), content)
      assert.strictEqual(readFileSync(at("config.json"), "utf8"), "{}")
      const { status } = await tracehoundHere([...args, at("signatures"), "--config", at("config")])
      assert.strictEqual(status, 0)
    }))

  it("never writes signatures over the file that standard input comes from", () =>
    inTemporaryDirectory(async (directory) => {
      const recording = join(directory, "recording")
      writeFileSync(recording, `${scent(1)}\n`)
      const { status, stderr } = await shell(`"$@" replay - --signatures ${recording} < ${recording}`)
      assert.strictEqual(status, 2)
      assert.match(stderr, /overwrite standard input/)
      assert.strictEqual(readFileSync(recording, "utf8"), `${scent(1)}\n`)
    }))

  it(
    "reads and writes pipes by name: process substitutions, FIFOs, its own descriptors",
    () =>
      inTemporaryDirectory(async (directory) => {
        const at = (name: string) => join(directory, name)
        const content = Array.from({ length: 2000 }, (_, i) => `${scent(i)}\n`).join("")
        writeFileSync(at("recording"), content)
        const plain = await tracehoundHere(["replay", at("recording"), "--json", "--signatures", at("expected")])
        const expected = readFileSync(at("expected"), "utf8")
        const piped = [
          `"$@" replay <(cat recording) --json`,
          `mkfifo in && { cat recording > in & } && "$@" replay in --json`,
          `cat recording | "$@" replay /dev/stdin --json`,
          `"$@" replay /dev/stdin --json < recording`,
          `"$@" replay /dev/fd/9 --json 9< <(gzip -c recording)`,
          `"$@" replay recording --json --signatures >(cat > out)`,
          `mkfifo tap && { cat tap > out & } && "$@" replay recording --json --signatures tap`
        ]
        for (const script of piped) {
          const { status, stderr, stdout } = await shell(`cd ${directory} && ${script}; code=$?; wait; exit $code`)
          assert.deepStrictEqual({ status, stderr, stdout }, { status: 0, stderr: "", stdout: plain.stdout }, script)
          if (script.includes("signatures")) assert.strictEqual(readFileSync(at("out"), "utf8"), expected, script)
        }
        const own = await tracehound(["replay", "/dev/stdin", "--json", "--signatures", "/dev/stdout"], {
          input: [content]
        })
        assert.strictEqual(own.stdout, expected + plain.stdout)
        const appended = await shell(`cd ${directory} && "$@" replay recording --json --signatures /dev/fd/1 > all`)
        assert.strictEqual(appended.status, 0)
        assert.strictEqual(readFileSync(at("all"), "utf8"), expected + plain.stdout)
      }),
    60_000
  )

  it("says why signatures cannot be written", () =>
    inTemporaryDirectory(async (directory) => {
      const recording = join(directory, "recording")
      writeFileSync(recording, `${scent(1)}\n`)
      const uses: ReadonlyArray<readonly [string, RegExp]> = [
        [directory, /is a directory/],
        [join(directory, "nowhere", "file"), /check that its directory exists/],
        [join(recording, "file"), /check that its directory exists/],
        ["", /check that its directory exists/],
        ["/dev/full", /no space left/]
      ]
      for (const [path, expected] of uses) {
        const { status, stderr, stdout } = await tracehoundHere(["replay", recording, "--signatures", path, "--json"])
        assert.deepStrictEqual([status, stdout], [2, ""])
        assert.match(stderr, expected)
      }
    }))

  it("calls a directory for evidence that cannot be one wrong use", () =>
    inTemporaryDirectory(async (directory) => {
      const recording = join(directory, "recording")
      writeFileSync(recording, `${scent(1)}\n`)
      symlinkSync("nowhere", join(directory, "dangling"))
      const uses: ReadonlyArray<readonly [string, RegExp]> = [
        ["", /--data has no directory/],
        [recording, /cannot be made a directory/],
        [join(recording, "data"), /cannot be made a directory/],
        [join(directory, "dangling", "data"), /cannot be made a directory/],
        [join(directory, "x".repeat(300)), /cannot be made a directory/]
      ]
      for (const [data, expected] of uses) {
        const { status, stderr, stdout } = await tracehoundHere(["replay", recording, "--data", data, "--json"])
        assert.deepStrictEqual([status, stdout], [2, ""])
        assert.match(stderr, expected)
      }
      const { status } = await tracehoundHere(["replay", recording, "--data", join(directory, "a", "b", "c")])
      assert.strictEqual(status, 0)
      assert.strictEqual(statSync(join(directory, "a", "b", "c", "evidence")).mode & 0o777, 0o700)
    }))

  it("RFC S2 says with the answer why evidence was lost", () =>
    inTemporaryDirectory(async (directory) => {
      const data = join(directory, "data")
      const config = join(directory, "config.json")
      const coldStorage = { endpoint: `file:${data}`, retries: 0 }
      writeFileSync(config, JSON.stringify({ quarantine: { maxCount: 1 }, audit: { coldStorage } }))
      // The directory is there when it is opened, and gone when the evidence comes.
      mkdirSync(data)
      const input = (function*() {
        rmSync(data, { recursive: true })
        yield Buffer.from(`${scent(1)}\n${scent(2)}\n${scent(3)}\n`)
      })()
      const { status, stderr, stdout } = await tracehoundHere(["replay", "-", "--json", "--config", config], { input })
      assert.deepStrictEqual([status, JSON.parse(stdout).deadLetters], [1, 2])
      assert.match(stderr, new RegExp(`^evidence was lost, 2 pieces: cold storage file:${data}: [^\n]+\n$`))
    }))

  it("says that the working directory is gone, where it is needed, in one line", () =>
    inTemporaryDirectory(async (directory) => {
      const recording = join(directory, "recording")
      writeFileSync(recording, `${scent(1)}\n`)
      const gone = (args: string) =>
        shell(`mkdir ${directory}/gone && cd ${directory}/gone && rmdir ../gone && "$@" replay ${args} --json`)
      const relative = await gone(`${recording} --data data`)
      assert.deepStrictEqual([relative.status, relative.stdout], [2, ""])
      assert.match(relative.stderr, /^the working directory is gone: [^\n]*\n$/m)
      assert.notInclude(relative.stderr, "    at ")
      assert.strictEqual((await gone(recording)).status, 0)
      assert.strictEqual((await gone(`${recording} --data ${directory}/data`)).status, 0)
      assert.strictEqual((await gone("recording")).status, 2)
    }))

  it("calls a file that does not exist, and a directory, wrong use, in one line", () =>
    inTemporaryDirectory(async (directory) => {
      mkdirSync(join(directory, "logs"))
      for (const [file, expected] of [["nowhere.ndjson", /does not exist/], ["logs", /is a directory/]] as const) {
        const { status, stderr, stdout } = await tracehoundHere(["replay", join(directory, file), "--json"])
        assert.strictEqual(status, 2)
        assert.strictEqual(stdout, "")
        assert.match(stderr, expected)
        assert.strictEqual(stderr.trimEnd().split("\n").length, 1)
      }
    }))

  it("reads a real standard input, and finishes its work when its reader goes away", () =>
    inTemporaryDirectory(async (directory) => {
      const signatures = join(directory, "signatures")
      const input = piecesOf(gzipSync(Array.from({ length: 500 }, (_, i) => `${scent(i)}\n`).join("")), 100)
      const { status, stderr } = await tracehound(["replay", "-", "--signatures", signatures], {
        closeEarly: true,
        input
      })
      assert.strictEqual(status, 0)
      assert.strictEqual(stderr, "standard output was closed early: the rest of the answer was not printed\n")
      assert.strictEqual(readFileSync(signatures, "utf8").split("\n").length, 501)
    }))

  it(
    "goes on with its work where the device behind an output is full, and says so",
    () =>
      inTemporaryDirectory(async (directory) => {
        const file = join(directory, "recording")
        writeFileSync(file, Array.from({ length: 50 }, (_, i) => `${scent(i)}\n`).join("") + "no scent\n".repeat(50))
        const plain = await tracehoundHere(["replay", file, "--json"])
        const signatures = join(directory, "signatures")
        const full = await shell(`"$@" replay ${file} --json --signatures ${signatures} > /dev/full`)
        assert.strictEqual(full.status, 2)
        assert.match(full.stderr, /^standard output takes no more \(ENOSPC\): the answer was not printed whole\n$/m)
        assert.notInclude(full.stderr, " at ")
        assert.strictEqual(readFileSync(signatures, "utf8").split("\n").length, 101)
        const deaf = await shell(`"$@" replay ${file} --json 2> /dev/full`)
        assert.deepStrictEqual([deaf.status, deaf.stdout], [0, plain.stdout])
        assert.strictEqual((await shell(`"$@" replay ${file} > /dev/full 2>&1`)).status, 2)
        for (const command of ["config print", "config check --json", "--help", "--version"])
          assert.strictEqual((await shell(`"$@" ${command} > /dev/full`)).status, 2, command)
      }),
    60_000
  )

  it("reads standard input, plain or gzip, in pieces", async () => {
    const text = Array.from({ length: 50 }, (_, i) => `${scent(i)}\n`).join("")
    for (const whole of [Buffer.from(text), gzipSync(text)]) {
      const { status, stderr, stdout } = await tracehoundHere(["replay", "-", "--json"], { input: piecesOf(whole, 7) })
      assert.deepStrictEqual([status, stderr], [0, ""])
      assert.strictEqual(JSON.parse(stdout).quarantined, 50)
    }
  })

  it("takes raw bytes as payloadBase64", () =>
    inTemporaryDirectory(async (directory) => {
      const line = JSON.stringify({ id: "1", source: "s", timestamp: 1, payloadBase64: "AAEC/w==", threat })
      const signatures = join(directory, "signatures")
      await replayOf(directory, `${line}\n`, "--signatures", signatures)
      const { createHash } = await import("node:crypto")
      const expected = createHash("sha256").update(new Uint8Array([0, 1, 2, 255])).digest("hex")
      assert.strictEqual(readFileSync(signatures, "utf8"), `1\tquarantined\tinjection:${expected}\n`)
    }))

  it("RFC G1 limits on recorded time: a block lasts as long in the recording as it did in the world", () =>
    inTemporaryDirectory(async (directory) => {
      const at = (ms: number) => scent(ms, { timestamp: ms, payload: `p${ms}` })
      const lines = [at(1000), at(1001), at(1002), at(1002 + 299_999), at(1002 + 300_000)]
      const config = join(directory, "config.json")
      writeFileSync(config, "{\"rateLimit\":{\"maxRequests\":2}}")
      const { stdout } = await replayOf(directory, `${lines.join("\n")}\n`, "--config", config)
      const { quarantined, rateLimited } = JSON.parse(stdout)
      assert.deepStrictEqual({ quarantined, rateLimited }, { quarantined: 3, rateLimited: 2 })
    }))

  it("RFC G1 is not hurried by lines out of order: a block lasts as long as the recording says", () =>
    inTemporaryDirectory(async (directory) => {
      const start = 1_760_000_000_000
      const from = (source: string, ms: number, n: number) =>
        scent(n, { source, timestamp: start + ms, payload: `${source} ${ms} ${n}` })
      const lines = [
        ...Array.from({ length: 101 }, (_, n) => from("192.0.2.1", 0, n)),
        ...Array.from({ length: 310 }, (_, n) => [
          from(`192.0.3.${n % 100}`, 1000 + n, n),
          from(`192.0.4.${n % 100}`, n, n)
        ]).flat(),
        from("192.0.2.1", 5000, 0),
        from("192.0.2.1", 365 * 86_400_000, 1),
        from("192.0.2.1", 299_999, 2),
        from("192.0.2.1", 300_000, 3)
      ]
      const signatures = join(directory, "signatures")
      const { stdout } = await replayOf(directory, `${lines.join("\n")}\n`, "--signatures", signatures)
      const statuses = readFileSync(signatures, "utf8").trimEnd().split("\n").map((line) => line.split("\t")[1])
      assert.deepStrictEqual(statuses.slice(-4), ["rate_limited", "rate_limited", "rate_limited", "quarantined"])
      assert.strictEqual(JSON.parse(stdout).skewed, 1)
    }))
})
