/**
 * A host that cannot keep evidence: no Tracehound starts there, whichever way it is made, and the
 * error says what is wrong and what to do.
 *
 * Modules of Node are faulty while a test says so, as they are on another Node than the tests'.
 */
import { afterEach, assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, FileSystem, Layer, Path } from "effect"
import { createTracehound, HostUnfit, type StartError, Tracehound } from "tracehound"
import { layer as portable } from "tracehound/portable"
import { vi } from "vitest"
import { Compression } from "../../src/host/port/Compression.ts"
import { Hash } from "../../src/host/port/Hash.ts"
import { Memory, writeUtf8 } from "../../src/host/port/Memory.ts"
import { Randomness } from "../../src/host/port/Randomness.ts"
import { tracehoundHere } from "../edge/cli/inProcess.ts"

/**
 * What functions of Node do instead, by their names. They are replaced in Node's own modules,
 * before any module has taken them from there.
 */
const faulty = vi.hoisted((): Record<string, (() => unknown) | undefined> => {
  const faults: Record<string, (() => unknown) | undefined> = {}
  const replace = (from: object, name: string): void => {
    const real = Reflect.get(from, name) as (...args: ReadonlyArray<unknown>) => unknown
    Reflect.set(from, name, (...args: ReadonlyArray<unknown>) => (faults[name] ?? real)(...args))
  }
  const crypto = process.getBuiltinModule("node:crypto")
  const zlib = process.getBuiltinModule("node:zlib")
  for (const name of ["hash", "randomFillSync"]) replace(crypto, name)
  for (const name of ["brotliCompressSync", "zstdCompressSync"]) replace(zlib, name)
  process.getBuiltinModule("node:module").syncBuiltinESMExports()
  return faults
})

const mend = (): void => {
  for (const name of Object.keys(faulty)) Reflect.deleteProperty(faulty, name)
}

afterEach(mend)

const scent = {
  id: "1",
  source: "192.0.2.1",
  timestamp: 1,
  payload: "x",
  threat: { category: "spam", severity: "low" }
} as const

const withoutHounds = { hound: { enabled: false } } as const

const refusalOf = (error: unknown): ReadonlyArray<string> => {
  if (!(error instanceof HostUnfit)) return assert.fail(`no HostUnfit: ${String(error)}`)
  assert.include(error.message, "cannot keep evidence")
  assert.include(error.message, "run on Node 22.19 or newer")
  assert.include(error.message, "tracehound doctor")
  for (const { found, port } of error.ports) assert.include(error.message, `${port} ${found}`)
  return error.ports.map(({ port }) => port)
}

const thrownBy = (make: () => unknown): unknown => {
  try {
    make()
    return assert.fail("it was made")
  } catch (error) {
    return error
  }
}

const noHash = (): never => {
  throw new TypeError("buf.latin1Write is not a function")
}

describe("createTracehound", () => {
  it("RFC R5 F5 throws where Node cannot hash, and where it hashes wrongly", () => {
    faulty["hash"] = noHash
    const error = thrownBy(() => createTracehound(withoutHounds))
    assert.deepStrictEqual(refusalOf(error), ["hash"])
    assert.include(String(error), "buf.latin1Write is not a function")
    faulty["hash"] = () => "0".repeat(32)
    assert.deepStrictEqual(refusalOf(thrownBy(() => createTracehound(withoutHounds))), ["hash"])
  })

  it("RFC R5 D9 throws where Node's randomness leaves memory as it was", () => {
    faulty["randomFillSync"] = () => {}
    assert.deepStrictEqual(refusalOf(thrownBy(() => createTracehound())), ["randomness"])
  })

  it("RFC R5 names all that is wrong at once", () => {
    faulty["hash"] = noHash
    faulty["randomFillSync"] = () => {}
    assert.deepStrictEqual(refusalOf(thrownBy(() => createTracehound())), ["hash", "randomness"])
  })

  it("RFC R5 init rejects where a codec is wrong, and can be called again when it is right", async () => {
    faulty["brotliCompressSync"] = () => Buffer.alloc(28)
    faulty["zstdCompressSync"] = () => Buffer.alloc(0)
    await using tracehound = createTracehound(withoutHounds)
    const error = await tracehound.init().then(() => "started", (cause: unknown) => cause)
    assert.deepStrictEqual(refusalOf(error), ["compression zstd", "compression brotli"])
    assert.strictEqual(tracehound.intercept(scent).status, "quarantined", "custody needs no codec")
    mend()
    await tracehound.init()
  })

  it("RFC R4 leaves nothing behind where it throws", () => {
    const before = process.getActiveResourcesInfo().toSorted()
    faulty["hash"] = noHash
    for (let i = 0; i < 3; i++) thrownBy(() => createTracehound())
    assert.deepStrictEqual(process.getActiveResourcesInfo().toSorted(), before)
  })
})

describe("the layers", () => {
  const errorOf = (layer: Layer.Layer<Tracehound, StartError>) =>
    Effect.map(
      Effect.exit(Effect.scoped(Layer.build(layer))),
      (exit) => Exit.isFailure(exit) ? Cause.squash(exit.cause) : "built"
    )

  it.effect("RFC R5 of Node fail to build where Node cannot hash", () =>
    Effect.gen(function*() {
      faulty["hash"] = noHash
      for (
        const layer of [
          Tracehound.layer(withoutHounds),
          Tracehound.layerUnstarted(withoutHounds),
          Tracehound.layerConfig
        ]
      )
        assert.deepStrictEqual(refusalOf(yield* errorOf(layer)), ["hash"])
    }))

  it.effect("RFC R5 on ports of one's own fail to build where one of them is wrong, and build where none is", () => {
    const withPort = <A>(wrong: Layer.Layer<A>) =>
      errorOf(
        Tracehound.layerNoDeps(withoutHounds).pipe(
          Layer.provide(Layer.mergeAll(portable, Path.layer, FileSystem.layerNoop({}), wrong))
        )
      )
    return Effect.gen(function*() {
      assert.strictEqual(yield* withPort(Layer.empty), "built")
      const { codecs, compressSync, compressUnsafe } = yield* Effect.provide(Compression, portable)
      const hash = yield* Effect.provide(Hash, portable)
      const wrong = [
        ["randomness", withPort(Layer.succeed(Randomness, { fill: (target) => void target.fill(4) }))],
        ["hash", withPort(Layer.succeed(Hash, { ...hash, sha256Hex: () => "" }))],
        ["memory", withPort(Layer.succeed(Memory, { equal: () => true, writeUtf8 }))],
        [
          "compression gzip",
          withPort(
            Layer.succeed(Compression, {
              codecs: ["gzip"],
              compressSync,
              compressUnsafe,
              openSync: (_, bytes) => bytes
            })
          )
        ]
      ] as const
      assert.deepStrictEqual(codecs, ["stored", "gzip"])
      for (const [port, error] of wrong) assert.deepStrictEqual(refusalOf(yield* error), [port])
    })
  })
})

describe("the command line", () => {
  it("RFC R5 doctor says what is wrong, and answers no", async () => {
    const env = { TRACEHOUND_HOUND_ENABLED: "false" }
    faulty["hash"] = noHash
    faulty["zstdCompressSync"] = () => Buffer.alloc(0)
    const { status, stdout } = await tracehoundHere(["doctor"], { env })
    assert.strictEqual(status, 1)
    assert.match(stdout, /^wrong {4}host: Tracehound does not start on this Node; 22\.19 or newer should do$/m)
    assert.match(stdout, /^wrong {6}hash fails: buf\.latin1Write is not a function$/m)
    assert.match(stdout, /^wrong {6}compression zstd /m)
    const json = await tracehoundHere(["doctor", "--json"], { env })
    const { healthy, ports } = JSON.parse(json.stdout)
    assert.isFalse(healthy)
    assert.deepStrictEqual(
      ports.filter(({ holds }: { readonly holds: boolean }) => !holds).map(({ port }: { readonly port: string }) =>
        port
      ),
      ["hash", "compression zstd"]
    )
  })

  it("RFC R5 doctor names all that it tried out where all is well", async () => {
    const { stdout } = await tracehoundHere(["doctor"], { env: { TRACEHOUND_HOUND_ENABLED: "false" } })
    assert.match(stdout, /^ok {7}host: hash, randomness, memory, monotonic time, .*brotli, in the background$/m)
  })

  it("RFC R5 a replay on such a host is wrong use, and says why", async () => {
    faulty["hash"] = noHash
    const { status, stderr, stdout } = await tracehoundHere(["replay", "-"], { input: [] })
    assert.strictEqual(status, 2)
    assert.include(stderr, "this host cannot keep evidence (hash fails: buf.latin1Write")
    assert.strictEqual(stdout, "")
  })
})
