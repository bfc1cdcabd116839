/**
 * The commands beside `replay`, and the ways to use the command line wrongly. Two cases need a
 * process of their own: one for its flags, one for a real environment and exit status.
 */
import { assert, describe, it as every } from "@effect/vitest"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { inTemporaryDirectory, tracehound } from "../../support/command.ts"
import { sampleOf } from "../../support/tiers.ts"
import { tracehoundHere } from "./inProcess.ts"

const it = sampleOf(every, 3)

const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"))

describe("config", () => {
  it("RFC R2 reports every mistake of file and environment at once, and answers no", () =>
    inTemporaryDirectory(async (directory) => {
      const file = join(directory, "tracehound.json")
      writeFileSync(file, "{\"maxPayloadSize\":\"big\",\"quarantine\":{\"maxCount\":0,\"bogus\":1}}")
      const env = { TRACEHOUND_RATE_LIMIT_WINDOW_MS: "soon" }
      const text = await tracehoundHere(["config", "check", file], { env })
      assert.strictEqual(text.status, 1)
      assert.strictEqual(text.stdout, "")
      for (
        const expected of [
          "maxPayloadSize",
          "quarantine.maxCount",
          "quarantine.bogus",
          "TRACEHOUND_RATE_LIMIT_WINDOW_MS"
        ]
      ) {
        assert.include(text.stderr, expected)
      }
      assert.notInclude(text.stderr, "soon")
      const json = await tracehoundHere(["config", "check", "--config", file, "--json"], { env })
      assert.strictEqual(json.status, 1)
      assert.strictEqual(JSON.parse(json.stdout).valid, false)
      assert.strictEqual(JSON.parse(json.stdout).mistakes.length, 4)
    }))

  it("says that a good one is valid", async () => {
    const { status, stdout } = await tracehoundHere(["config", "check", "--json"])
    assert.strictEqual(status, 0)
    assert.deepStrictEqual(JSON.parse(stdout), { valid: true, mistakes: [], notes: [] })
  })

  it("RFC R2 notes choices that switch Tracehound off, and answers yes all the same", async () => {
    const env = { TRACEHOUND_FAIL_SAFE_ON_TIMEOUT: "panic", TRACEHOUND_QUARANTINE_MAX_BYTES: "10" }
    const text = await tracehoundHere(["config", "check"], { env })
    assert.strictEqual(text.status, 0)
    assert.match(
      text.stdout,
      /^the configuration is valid\nnote {5}quarantine\.maxBytes is less .*\nnote {5}failSafe\.onTimeout /
    )
    const json = await tracehoundHere(["config", "check", "--json"], { env })
    const paths = (JSON.parse(json.stdout) as { readonly notes: ReadonlyArray<{ readonly path: string }> }).notes
    assert.deepStrictEqual(paths.map(({ path }) => path), ["quarantine.maxBytes", "failSafe.onTimeout"])
  })

  it("prints of an endpoint only where it is: its user, password, path and query are secrets", () =>
    inTemporaryDirectory(async (directory) => {
      const printed: ReadonlyArray<readonly [string, string]> = [
        ["http://user:s3cret@127.0.0.1:9/hook/tok3n?key=s3cret", "http://127.0.0.1:9/<redacted>"],
        ["https://hooks.example.com/services/s3cret/tok3n", "https://hooks.example.com/<redacted>"],
        ["https://s3cret@[::1]:8443", "https://[::1]:8443/<redacted>"],
        ["https://example.com?tok3n", "https://example.com/<redacted>"],
        ["https://example.com#tok3n", "https://example.com/<redacted>"],
        ["https://user:s3cret@tok3n@example.com/", "https://example.com/<redacted>"],
        ["https://example.com\\tok3n", "https://example.com/<redacted>"],
        ["HTTPS://example.com/\ntok3n", "HTTPS://example.com/<redacted>"],
        ["https://example.com:8443", "https://example.com:8443"]
      ]
      for (const [endpoint, expected] of printed) {
        const file = join(directory, "tracehound.json")
        const coldStorage = { endpoint: "file:./evidence/of?us" }
        writeFileSync(file, JSON.stringify({ alerts: { devopsEndpoint: endpoint }, audit: { coldStorage } }))
        const text = await tracehoundHere(["config", "print", file])
        const json = await tracehoundHere(["config", "print", file, "--json"])
        if (text.status !== 0) {
          // An endpoint that is refused is not repeated either.
          for (const { stderr, stdout } of [text, json]) assert.notMatch(stderr + stdout, /s3cret|tok3n/)
          continue
        }
        assert.notMatch(text.stdout + json.stdout, /s3cret|tok3n/)
        assert.include(text.stdout, JSON.stringify(expected))
        assert.strictEqual(JSON.parse(json.stdout).alerts.devopsEndpoint, expected)
        assert.strictEqual(JSON.parse(json.stdout).audit.coldStorage.endpoint, coldStorage.endpoint)
      }
    }))

  it("prints every setting with its value and where it comes from", () =>
    inTemporaryDirectory(async (directory) => {
      const file = join(directory, "tracehound.json")
      writeFileSync(file, "{\"quarantine\":{\"maxCount\":7}}")
      const env = { TRACEHOUND_MAX_PAYLOAD_SIZE: "5" }
      const { stdout } = await tracehoundHere(["config", "print", file], { env })
      assert.match(stdout, /^quarantine\.maxCount\s+7\s+.*tracehound\.json$/m)
      assert.match(stdout, /^maxPayloadSize\s+5\s+environment$/m)
      assert.match(stdout, /^quarantine\.maxBytes\s+100000000\s+default$/m)
      const json = await tracehoundHere(["config", "print", file, "--json"], { env })
      assert.strictEqual(JSON.parse(json.stdout).quarantine.maxCount, 7)
    }))
})

describe("doctor", () => {
  it("RFC R1 answers no where a required flag is missing, and says which", async () => {
    const env = { TRACEHOUND_RUNTIME_MAX_OLD_SPACE_SIZE: "16", TRACEHOUND_HOUND_ENABLED: "false" }
    const { status, stdout } = await tracehoundHere(["doctor"], { env })
    assert.strictEqual(status, 1)
    assert.match(stdout, new RegExp(`tracehound\\s+${version.replaceAll(".", "\\.")}`))
    assert.match(
      stdout,
      Object.isFrozen(Array.prototype) ? /ok {7}--frozen-intrinsics/ : /missing {2}--frozen-intrinsics/
    )
    assert.match(stdout, /missing {2}--max-old-space-size=16/)
    assert.match(stdout, /start node with: .*--max-old-space-size=16/)
  })

  it("RFC R1 says at which level hounds would run, and attacks nothing unless it is told to", async () => {
    const { stdout } = await tracehoundHere(["doctor", "--json"])
    const { sandbox } = JSON.parse(stdout)
    assert.deepStrictEqual([sandbox.enabled, sandbox.refused, sandbox.probes], [true, null, null])
    assert.strictEqual(sandbox.report.level, "default")
  })

  it(
    "RFC R1 RFC H2 is content under the flags that the RFC requires, and no attack on the sandbox gets through",
    async () => {
      const { status, stdout } = await tracehound(
        ["doctor", "--json", "--sandbox", "--only", "^(allow/|net/(tcp|udp|connect))"],
        { nodeFlags: ["--disable-proto=throw", "--frozen-intrinsics", "--max-old-space-size=512"] }
      )
      const { flags: reports, healthy, sandbox, versions } = JSON.parse(stdout)
      assert.isTrue(healthy)
      assert.strictEqual(sandbox.report.level, "default")
      assert.isTrue(reports.every((report: { readonly holds: boolean }) => report.holds))
      assert.strictEqual(versions.effect, "4.1.0")
      assert.strictEqual(versions.node, process.versions.node)
      assert.deepStrictEqual(
        sandbox.probes.probes.filter(({ outcome }: { readonly outcome: string }) =>
          outcome === "open" || outcome === "failed"
        ),
        []
      )
      assert.isAtLeast(sandbox.probes.probes.length, 7)
      assert.strictEqual(status, 0)
    },
    120_000
  )
})

describe("wrong use", () => {
  const cases: ReadonlyArray<readonly [ReadonlyArray<string>, RegExp]> = [
    [["bogus"], /bogus/],
    [["replay"], /file/],
    [["replay", "x", "--format", "syslog"], /syslog|format/],
    [["replay", "x", "--bogus"], /bogus/],
    [["config", "bogus"], /bogus/]
  ]
  for (const [args, expected] of cases) {
    it(`answers 2 and says what is wrong: ${args.join(" ")}`, async () => {
      const { status, stderr } = await tracehoundHere(args)
      assert.strictEqual(status, 2)
      assert.match(stderr, expected)
    })
  }

  it("calls a configuration that cannot be used by a replay wrong use", () =>
    inTemporaryDirectory(async (directory) => {
      const recording = join(directory, "recording")
      writeFileSync(recording, "")
      const { status, stderr, stdout } = await tracehound(["replay", recording], { env: { TRACEHOUND_BOGUS: "1" } })
      assert.strictEqual(status, 2)
      assert.strictEqual(stdout, "")
      assert.include(stderr, "TRACEHOUND_BOGUS")
    }))

  it("RFC R3 says why it cannot begin, whatever the reason", () =>
    inTemporaryDirectory(async (directory) => {
      const recording = join(directory, "recording")
      writeFileSync(recording, "")
      const reasons: ReadonlyArray<readonly [Readonly<Record<string, string>>, RegExp]> = [
        [{ TRACEHOUND_TRUST_BOUNDARY_CLUSTER_SHARED_STATE: "redis" }, /sharedState is redis/],
        [{ TRACEHOUND_RUNTIME_STRICT: "true", TRACEHOUND_RUNTIME_MAX_OLD_SPACE_SIZE: "16" }, /runtime\.strict is set/],
        [{ TRACEHOUND_AUDIT_COLD_STORAGE_ENDPOINT: `file:${recording}/x` }, /cannot be opened/],
        [{ TRACEHOUND_MAX_PAYLOAD_SIZE: "0" }, /maxPayloadSize|MAX_PAYLOAD_SIZE/]
      ]
      for (const [env, expected] of reasons) {
        const { status, stderr, stdout } = await tracehoundHere(["replay", recording, "--json"], { env })
        assert.deepStrictEqual([status, stdout], [2, ""])
        assert.match(stderr, expected)
        assert.strictEqual(stderr.match(expected)?.length, 1)
      }
    }))

  it("gives help and the version when it is asked to", async () => {
    const help = await tracehoundHere(["--help"])
    assert.strictEqual(help.status, 0)
    assert.include(help.stdout, "replay")
    const asked = await tracehoundHere(["--version"])
    assert.strictEqual(asked.status, 0)
    assert.include(asked.stdout, version)
    const bare = await tracehoundHere([])
    assert.strictEqual(bare.status, 0)
  })
})
