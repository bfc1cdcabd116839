import { NodeFileSystem, NodePath } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, FileSystem, Layer, Path, PlatformError, type Scope } from "effect"
import * as fs from "node:fs"
import { join, relative } from "node:path"
import { pathToFileURL } from "node:url"
import { ColdStorageEndpoint, type ColdStorageError } from "../../../src/custody/coldstorage/Endpoint.ts"
import * as FileEndpoint from "../../../src/custody/coldstorage/FileEndpoint.ts"
import { open, seal } from "../../../src/custody/evidence/Envelope.ts"
import { evidence, secureId } from "../../domain/samples.ts"
import { noise } from "../../host/port/contract.ts"
import { fitted, gzip, hash, hosts } from "../evidence/envelopes.ts"
import { endpointContract } from "./endpointContract.ts"

const host = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer)

/** A directory for one test, gone afterwards. */
const temporary = Effect.acquireRelease(
  Effect.sync(() => fs.realpathSync(fs.mkdtempSync(join(process.env["TMPDIR"] ?? "/tmp", "tracehound-test-")))),
  (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true, force: true }))
)

const endpointAt = (endpoint: string): Effect.Effect<ColdStorageEndpoint["Service"], ColdStorageError, Scope.Scope> =>
  Effect.map(Layer.build(FileEndpoint.layer(endpoint).pipe(Layer.provide(host))), Context.get(ColdStorageEndpoint))

const modeOf = (path: string): string => (fs.statSync(path).mode & 0o777).toString(8)

/** Everything in the directory, by the name it was written under. */
const readAll = (directory: string): Map<string, Uint8Array> =>
  new Map(
    fs.readdirSync(directory).toSorted().map((name) => {
      assert.match(name, /^[^.]+\.thev$/)
      return [name.slice(0, -".thev".length), new Uint8Array(fs.readFileSync(join(directory, name)))]
    })
  )

endpointContract(
  "a directory",
  Effect.gen(function*() {
    const directory = join(yield* temporary, "evidence")
    const configured = `file:${directory}`
    return { endpoint: yield* endpointAt(configured), configured, stored: Effect.sync(() => readAll(directory)) }
  })
)

describe("the file endpoint", () => {
  it.effect("RFC C1 takes file:///, file:/ and relative forms for the same directory", () =>
    Effect.gen(function*() {
      const directory = join(yield* temporary, "a", "über weit")
      const forms = [
        pathToFileURL(directory).href,
        `file:${directory}`,
        `file:${relative(process.cwd(), directory)}`,
        `file:./${relative(process.cwd(), directory)}/.`
      ]
      assert.isTrue(forms[0]?.startsWith("file:///"))
      for (const [i, form] of forms.entries()) {
        const endpoint = yield* endpointAt(form)
        assert.strictEqual(endpoint.destination, form)
        yield* endpoint.open
        yield* endpoint.write(`name-${i}`, noise(i))
      }
      assert.deepStrictEqual(fs.readdirSync(directory).toSorted(), forms.map((_, i) => `name-${i}.thev`))
    }))

  it.effect("RFC C1 a URL that is no path of this machine is refused with the reason, before anything is opened", () =>
    Effect.gen(function*() {
      for (const form of ["file://other.host/x", "file:///a%2Fb", "file://[bad"]) {
        const error = yield* Effect.flip(endpointAt(form))
        assert.strictEqual(error.reason, "open")
        assert.include(error.message, form)
      }
    }))

  it.effect("RFC C1 makes directories with mode 0700 and files with 0600, whatever the umask lets through", () =>
    Effect.gen(function*() {
      const outer = join(yield* temporary, "outer")
      const before = process.umask(0)
      yield* Effect.addFinalizer(() => Effect.sync(() => process.umask(before)))
      const endpoint = yield* endpointAt(`file:${outer}/inner`)
      yield* endpoint.open
      yield* endpoint.write("a", noise(10))
      assert.strictEqual(modeOf(outer), "700")
      assert.strictEqual(modeOf(join(outer, "inner")), "700")
      assert.strictEqual(modeOf(join(outer, "inner", "a.thev")), "600")
    }))

  it.effect("RFC C1 a directory that is there keeps its mode", () =>
    Effect.gen(function*() {
      const directory = join(yield* temporary, "there")
      fs.mkdirSync(directory)
      fs.chmodSync(directory, 0o755)
      yield* (yield* endpointAt(`file:${directory}`)).open
      assert.strictEqual(modeOf(directory), "755")
    }))

  it.effect("RFC C1 a directory that nothing can make, though what is above it is there, is an error of opening", () =>
    Effect.gen(function*() {
      if (!fs.existsSync("/proc/self")) return
      for (const path of ["/proc/x", "/proc/x/y/z", "/proc/self/x"]) {
        const error = yield* Effect.flip((yield* endpointAt(`file:${path}`)).open)
        assert.strictEqual(error.reason, "open")
        assert.match(error.message, /\(\/proc\/.*\): E[A-Z]+; check that it names a directory/)
      }
    }))

  it.effect("RFC C1 links are followed to a directory, and a dangling one is an error of opening", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      fs.mkdirSync(join(directory, "there"))
      fs.symlinkSync("there", join(directory, "link"))
      fs.symlinkSync("nowhere", join(directory, "dangling"))
      for (const path of ["link", "link/a/b", "there/../link"]) {
        yield* (yield* endpointAt(`file:${directory}/${path}`)).open
        yield* (yield* endpointAt(`file:${directory}/${path}`)).open
      }
      assert.isTrue(fs.statSync(join(directory, "there", "a", "b")).isDirectory())
      for (const path of ["dangling", "dangling/a"]) {
        const error = yield* Effect.flip((yield* endpointAt(`file:${directory}/${path}`)).open)
        assert.include(error.message, "EEXIST")
      }
      assert.isFalse(fs.existsSync(join(directory, "nowhere")))
    }))

  it.effect("RFC C1 a file in the way, of the directory or of one above it, is an error of opening", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      fs.writeFileSync(join(directory, "file"), "x")
      for (const path of ["file", "file/evidence"]) {
        const error = yield* Effect.flip((yield* endpointAt(`file:${directory}/${path}`)).open)
        assert.strictEqual(error.reason, "open")
        assert.include(error.message, `${directory}/${path}`)
        assert.include(error.message, "check that it names a directory")
      }
      assert.strictEqual(fs.readFileSync(join(directory, "file"), "utf8"), "x")
    }))

  it.effect("RFC C1 a directory that went away is an error of each write", () =>
    Effect.gen(function*() {
      const directory = join(yield* temporary, "evidence")
      const endpoint = yield* endpointAt(`file:${directory}`)
      yield* endpoint.open
      fs.rmSync(directory, { recursive: true })
      const error = yield* Effect.flip(endpoint.write("a", noise(10)))
      assert.strictEqual(error.reason, "write")
      assert.include(error.message, `file:${directory}`)
    }))

  it.effect("RFC C1 leaves no .partial file behind, neither after a write nor after a refusal", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      const endpoint = yield* endpointAt(`file:${directory}`)
      yield* endpoint.write("a", noise(10))
      assert.strictEqual((yield* Effect.flip(endpoint.write("a", noise(20)))).reason, "taken")
      assert.deepStrictEqual(fs.readdirSync(directory), ["a.thev"])
    }))

  it.effect("RFC C1 follows no link that somebody laid in its way", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      fs.writeFileSync(join(directory, "victim"), "x")
      fs.symlinkSync("victim", join(directory, "a.thev.partial"))
      fs.symlinkSync("victim", join(directory, "b.thev"))
      const endpoint = yield* endpointAt(`file:${directory}`)
      yield* Effect.flip(endpoint.write("a", noise(10)))
      yield* Effect.flip(endpoint.write("b", noise(10)))
      assert.strictEqual(fs.readFileSync(join(directory, "victim"), "utf8"), "x")
    }))

  it.effect("RFC E4 what lies on the disk is an envelope under the record's id, and opens to the evidence", () =>
    Effect.gen(function*() {
      const directory = yield* temporary
      const content = noise(5_000)
      const record = fitted(evidence, content)
      yield* (yield* endpointAt(`file:${directory}`)).write(secureId, seal(record, "gzip", gzip(content), hash))
      const [, ports] = hosts[0] ?? assert.fail("no host")
      const opened = open(fs.readFileSync(join(directory, `${secureId}.thev`)), 5_000, ports)
      assert.deepStrictEqual(opened.record, record)
      assert.deepStrictEqual(new Uint8Array(opened.content), content)
    }))
})

describe("the file endpoint on a disk that fails", () => {
  const denied = (method: string) =>
    PlatformError.systemError({ _tag: "PermissionDenied", module: "FileSystem", method, description: "not yours" })

  /** An endpoint on a file system of the given operations. */
  const endpointOn = (given: Partial<FileSystem.FileSystem>) =>
    Effect.map(
      Layer.build(
        FileEndpoint.layer("file:/evidence").pipe(
          Layer.provide(Layer.mergeAll(FileSystem.layerNoop(given), Path.layer))
        )
      ),
      Context.get(ColdStorageEndpoint)
    )

  it.effect("RFC C1 a parent that may not be written to is an error of opening that says what to do", () =>
    Effect.gen(function*() {
      const { open } = yield* endpointOn({ makeDirectory: () => Effect.fail(denied("makeDirectory")) })
      const error = yield* Effect.flip(open)
      assert.strictEqual(error.reason, "open")
      assert.include(error.message, "not yours")
      assert.include(error.message, "this process may write to")
    }))

  it.effect("RFC C1 a file system on which no name is there and none can be made is asked once for each step", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      const missing = (method: string) => PlatformError.systemError({ _tag: "NotFound", module: "FileSystem", method })
      const { open } = yield* endpointOn({
        makeDirectory: (path) => {
          asked.push(path)
          return Effect.fail(missing("makeDirectory"))
        },
        stat: () => Effect.fail(missing("stat"))
      })
      assert.strictEqual((yield* Effect.flip(open)).reason, "open")
      assert.deepStrictEqual(asked, ["/evidence", "/"])
    }))

  it.effect("RFC C1 a failure has the host's own code, in its words and for programs", () =>
    Effect.gen(function*() {
      for (const code of ["ENOSPC", "EROFS", "EDQUOT", "EIO"]) {
        const cause = Object.assign(new Error(`${code}: no`), { code })
        const full = PlatformError.systemError({ _tag: "Unknown", module: "FileSystem", method: "writeFile", cause })
        const { write } = yield* endpointOn({ writeFile: () => Effect.fail(full), remove: () => Effect.void })
        const error = yield* Effect.flip(write("a", noise(3)))
        assert.strictEqual(error.code, code)
        assert.strictEqual(error.reason, code === "ENOSPC" || code === "EDQUOT" ? "full" : "write")
        assert.isTrue(error.message.endsWith(`: ${code}`), error.message)
      }
      for (const code of ["", "x y", 7, "E".repeat(40)]) {
        const cause = Object.assign(new Error("no"), { code })
        const odd = PlatformError.systemError({ _tag: "Unknown", module: "FileSystem", method: "writeFile", cause })
        const { write } = yield* endpointOn({ writeFile: () => Effect.fail(odd), remove: () => Effect.void })
        assert.isUndefined((yield* Effect.flip(write("a", noise(3)))).code)
      }
    }))

  it.effect("RFC C1 a write that fails half way leaves nothing, and is not linked to its name", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      const { write } = yield* endpointOn({
        writeFile: (path, _bytes, options) => {
          asked.push(`write ${path} ${options?.flag} ${options?.mode?.toString(8)}`)
          return Effect.fail(denied("writeFile"))
        },
        link: () => Effect.sync(() => asked.push("link")),
        remove: (path) => Effect.sync(() => asked.push(`remove ${path}`))
      })
      const error = yield* Effect.flip(write("a", noise(3)))
      assert.strictEqual(error.reason, "write")
      assert.deepStrictEqual(asked, ["write /evidence/a.thev.partial wx 600", "remove /evidence/a.thev.partial"])
    }))

  it.effect("RFC C1 the .partial file of another writer of the same name is left alone", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      const taken = PlatformError.systemError({ _tag: "AlreadyExists", module: "FileSystem", method: "writeFile" })
      const { write } = yield* endpointOn({
        writeFile: () => Effect.fail(taken),
        remove: () => Effect.sync(() => asked.push("remove"))
      })
      yield* Effect.flip(write("a", noise(3)))
      assert.deepStrictEqual(asked, [])
    }))

  it.effect("RFC C1 writes the whole file, links it, removes the rest; a rest that cannot be removed is no failure", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      const { write } = yield* endpointOn({
        writeFile: () => Effect.sync(() => asked.push("write")),
        link: (from, to) => Effect.sync(() => asked.push(`link ${from} ${to}`)),
        remove: () => Effect.fail(denied("remove"))
      })
      yield* write("a", noise(3))
      assert.deepStrictEqual(asked, ["write", "link /evidence/a.thev.partial /evidence/a.thev"])
    }))
})
