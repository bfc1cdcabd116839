import { assert, describe, it } from "@effect/vitest"
import {
  essentialFlags,
  type LaunchFacts,
  launchPlan,
  maxEvidence,
  memoryLimits,
  missingFlags
} from "../../../src/hound/sandbox/Command.ts"
import { seccompFilter } from "../../../src/hound/sandbox/Seccomp.ts"

const MiB = 1_048_576

/** Flags that every version knows; a version that knows `--x` knows `--no-x`. */
const always = [
  ...essentialFlags,
  "--addons",
  "--disable-sigusr1",
  "--global-search-paths",
  "--disable-wasm-trap-handler",
  "--experimental-sqlite",
  "--experimental-websocket",
  "--warnings"
]
const known = {
  22: new Set(always),
  24: new Set(always),
  26: new Set([...always, "--experimental-ffi", "--allow-net"])
}

const facts: LaunchFacts = {
  level: "default",
  node: "/opt/node",
  version: "26.10.0",
  knownFlags: known[26],
  platform: "linux",
  entry: "/lib/entry.mjs",
  analyzer: { path: "/srv/analyzer.mjs", sha256: "a".repeat(64) },
  maxPayloadSize: 1_000_000,
  shell: "/bin/sh",
  setpriv: null,
  dropTo: null,
  bubblewrap: null,
  debug: false
}
const bubblewrap = {
  path: "/usr/bin/bwrap",
  architecture: "x64",
  libraries: ["/lib64/ld.so.2", "/lib/libc.so.6"]
} as const

const sealing = "/usr/bin/setpriv"

const script = (args: ReadonlyArray<string>): string => args[1] ?? ""

describe("launchPlan", () => {
  it("RFC H2 where there is setpriv the default hound cannot gain rights: between the limits and node", () => {
    const { args: plain } = launchPlan(facts)
    const { args, file } = launchPlan({ ...facts, setpriv: sealing })
    assert.strictEqual(file, "/bin/sh")
    assert.deepStrictEqual(args, [...plain.slice(0, 2), sealing, "--no-new-privs", ...plain.slice(2)])
    const { args: bare, file: first } = launchPlan({ ...facts, setpriv: sealing, shell: null })
    assert.deepStrictEqual([first, ...bare.slice(0, 2)], [sealing, "--no-new-privs", "/opt/node"])
    const hard = { ...facts, level: "hard", bubblewrap } as const
    assert.deepStrictEqual(launchPlan({ ...hard, setpriv: sealing }), launchPlan(hard))
  })

  it("RFC H2 the default hound: the shell sets limits and becomes node, with every flag", () => {
    assert.deepStrictEqual(launchPlan(facts), {
      file: "/bin/sh",
      args: [
        "-c",
        "ulimit -c 0 && ulimit -f 0 && ulimit -n 64 && ulimit -t 120 && ulimit -d 819200 && exec \"$0\" \"$@\"",
        "/opt/node",
        "--permission",
        "--disallow-code-generation-from-strings",
        "--disable-proto=throw",
        "--frozen-intrinsics",
        "--no-addons",
        "--disable-sigusr1",
        "--no-global-search-paths",
        "--disable-wasm-trap-handler",
        "--no-experimental-ffi",
        "--no-experimental-sqlite",
        "--no-experimental-websocket",
        "--no-warnings",
        "--allow-fs-read=/lib/entry.mjs",
        "--allow-fs-read=/srv/analyzer.mjs",
        "--max-old-space-size=64",
        "--max-semi-space-size=2",
        "--v8-pool-size=1",
        "--single-threaded",
        "--optimize-for-size",
        "--stack-trace-limit=0",
        "--freeze-flags-after-init",
        "/lib/entry.mjs",
        "/srv/analyzer.mjs",
        "a".repeat(64)
      ],
      env: { UV_THREADPOOL_SIZE: "1" },
      cwd: "/",
      feed: null,
      maxRss: 256 * MiB,
      stderrBytes: 0
    })
  })

  it("RFC H2 a version is not given a flag that it does not know", () => {
    for (const [major, isGiven] of [[22, false], [24, false], [26, true]] as const) {
      const { args } = launchPlan({ ...facts, version: `${major}.1.0`, knownFlags: known[major] })
      assert.strictEqual(args.includes("--no-experimental-ffi"), isGiven, String(major))
      assert.include(args, "--no-experimental-sqlite")
      assert.include(args, "--freeze-flags-after-init")
    }
    assert.deepStrictEqual(missingFlags(known[22]), [])
    assert.deepStrictEqual(
      missingFlags(new Set(["--disable-proto"])),
      essentialFlags.filter((flag) => flag !== "--disable-proto")
    )
  })

  it("RFC H2 memory grows with what a version begins with, and with the largest evidence", () => {
    const limits = (version: string, maxPayloadSize: number) => memoryLimits({ version, maxPayloadSize })
    const base = { heap: 64 * MiB, resident: 256 * MiB }
    assert.deepStrictEqual(limits("22.19.0", 16 * MiB), { ...base, data: 288 * MiB })
    assert.deepStrictEqual(limits("24.0.0", 16 * MiB), { ...base, data: 800 * MiB })
    assert.deepStrictEqual(limits("26.10.0", 1), { ...base, data: 800 * MiB })
    assert.deepStrictEqual(limits("26.10.0", 20 * MiB), { heap: 72 * MiB, data: 812 * MiB, resident: 268 * MiB })
    assert.deepStrictEqual(limits("26.10.0", Infinity), limits("26.10.0", maxEvidence))
    const plan = launchPlan({ ...facts, maxPayloadSize: 20 * MiB })
    assert.strictEqual(plan.maxRss, 268 * MiB)
    assert.include(script(plan.args), `ulimit -d ${812 * 1_024}`)
    assert.include(plan.args, "--max-old-space-size=72")
  })

  it("RFC H2 without a shell there are no limits, elsewhere than on Linux none of memory", () => {
    const plan = launchPlan({ ...facts, shell: null })
    assert.strictEqual(plan.file, "/opt/node")
    assert.strictEqual(plan.args[0], "--permission")
    assert.notInclude(script(launchPlan({ ...facts, platform: "darwin" }).args), "ulimit -d")
  })

  it("RFC H2 has the user that it runs as, and the bytes of stderr that are kept", () => {
    const plan = launchPlan({ ...facts, dropTo: { uid: 65_534, gid: 65_534 }, debug: true })
    assert.deepInclude(plan, { uid: 65_534, gid: 65_534 })
    assert.isAbove(plan.stderrBytes, 0)
    assert.strictEqual(plan.args.at(-1), "debug")
    assert.notProperty(launchPlan(facts), "uid")
  })

  it("RFC H2 the hard hound is the same inside bubblewrap, and sees none of the host's paths but node's", () => {
    const { args, feed, file } = launchPlan({ ...facts, level: "hard", bubblewrap })
    assert.strictEqual(file, "/bin/sh")
    assert.deepStrictEqual(feed, seccompFilter("x64"))
    assert.strictEqual(args[2], "/usr/bin/bwrap")
    const end = args.indexOf("--")
    const outside = args.slice(3, end)
    const inside = args.slice(end + 1)
    const bound = outside.flatMap((text, i) => (text === "--ro-bind" ? [[outside[i + 1], outside[i + 2]]] : []))
    assert.deepStrictEqual(bound, [
      ["/opt/node", "/opt/node"],
      ["/lib64/ld.so.2", "/lib64/ld.so.2"],
      ["/lib/libc.so.6", "/lib/libc.so.6"],
      ["/lib/entry.mjs", "/hound/entry.mjs"],
      ["/srv/analyzer.mjs", "/hound/analyzer.mjs"]
    ])
    for (const name of ["user", "ipc", "pid", "net", "uts", "cgroup"]) assert.include(outside, `--unshare-${name}`)
    for (const text of ["--die-with-parent", "--new-session", "--as-pid-1"]) assert.include(outside, text)
    for (const text of ["--proc", "--dev", "--bind", "--tmpfs", "--share-net"]) assert.notInclude(outside, text)
    const pairs = ["--uid 65534", "--gid 65534", "--cap-drop ALL", "--remount-ro /", "--seccomp 4"]
    for (const pair of pairs) assert.include(outside.join(" "), pair)
    const moved = { entry: "/hound/entry.mjs", analyzer: { ...facts.analyzer, path: "/hound/analyzer.mjs" } }
    assert.deepStrictEqual(inside, launchPlan({ ...facts, ...moved }).args.slice(2))
    assert.throws(() => launchPlan({ ...facts, level: "hard" }), "bubblewrap")
  })
})
