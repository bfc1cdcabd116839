/**
 * The witnesses outside of a hound while a probe runs (CONFORMANCE H2): files, listeners, and a
 * process that may be harmed. They show what the probe did.
 *
 * Promises that no witness is left when the scope has closed, and that every change is reported as
 * fixed text. The hound's own user may read, write and kill all of them: where nothing happens to
 * them, the sandbox prevented it.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import { createSocket } from "node:dgram"
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs"
import { createServer as createHttpServer } from "node:http"
import { createServer, type Server, type Socket } from "node:net"
import { getPriority } from "node:os"
import { join } from "node:path"
import type { Probe, ProbeFacts } from "./Probe.ts"

export interface Witnesses {
  readonly facts: ProbeFacts
  /** What happened to them; null where nothing did. */
  readonly seen: () => string | null
}

/** The user that hounds run as; null where that is the user who starts them. */
export type HoundUser = { readonly uid: number; readonly gid: number } | null

/** The facts of a probe: its directory, the files of its hound, and the hound's user. */
export interface Scene {
  readonly dir: string
  readonly analyzer: string
  readonly entry: string
  /** A shared library. */
  readonly addon: string
  readonly user: HoundUser
}

const secretText = "this is no business of a hound"

/** A shared library of this very process, for probes that load one; null where there is none. */
export const findLibrary = (): string | null => {
  const { sharedObjects } = process.report.getReport() as { readonly sharedObjects?: ReadonlyArray<string> }
  return sharedObjects?.find((path) => /\/lib(?:m|pthread|dl)[.-].*(?:so|dylib)/.test(path)) ?? null
}

const listening = (
  server: Server,
  where: { readonly port: number; readonly host: string } | { readonly path: string }
) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly port: number; readonly arrived: () => number }>((resume) => {
      let count = 0
      const sockets = new Set<Socket>()
      server.on("connection", (socket: Socket) => {
        count++
        sockets.add(socket)
        socket.on("error", () => undefined)
        socket.on("close", () => sockets.delete(socket))
      })
      server.on("close", () => undefined)
      server.once("error", (cause) => resume(Effect.die(cause)))
      server.listen(where, () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        open.set(server, sockets)
        resume(Effect.succeed({ port, arrived: () => count }))
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        for (const socket of open.get(server) ?? []) socket.destroy()
      })
  )

const open = new WeakMap<Server, ReadonlySet<Socket>>()

const loopback = { port: 0, host: "127.0.0.1" } as const

const datagrams = Effect.acquireRelease(
  Effect.callback<{ readonly port: number; readonly arrived: () => number; readonly close: () => void }>((resume) => {
    let count = 0
    const socket = createSocket("udp4")
    socket.on("message", () => {
      count++
    })
    socket.once("error", (cause) => resume(Effect.die(cause)))
    socket.bind(0, loopback.host, () => {
      resume(Effect.succeed({ port: socket.address().port, arrived: () => count, close: () => void socket.close() }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

const network = Effect.fn(function*(unixPath: string) {
  const tcp = yield* listening(createServer(), loopback)
  const unix = yield* listening(createServer(), { path: unixPath })
  chmodSync(unixPath, 0o777)
  const answering = createHttpServer((_, response) => {
    response.setHeader("content-type", "text/javascript").end("export default 7")
  })
  const http = yield* listening(answering, loopback)
  const udp = yield* datagrams
  return {
    ports: { tcp: tcp.port, http: http.port, udp: udp.port },
    seen: () => {
      const heard = Object.entries({ tcp, unix, http, udp }).filter(([, { arrived }]) => arrived() > 0)
      return heard.length === 0 ? null : `something arrived by ${heard.map(([name]) => name).join(", ")}`
    }
  }
})

const killAndReap = (child: ChildProcess) =>
  Effect.callback<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return resume(Effect.void)
    child.once("exit", () => resume(Effect.void))
    child.kill("SIGKILL")
  })

const aVictim = Effect.fn(function*({ user }: Scene) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn("/bin/sleep", ["600"], { stdio: "ignore", cwd: "/", ...user })
      child.on("error", () => undefined)
      child.unref()
      return child
    }),
    killAndReap
  )
  const pid = child.pid ?? 0
  const before = pid === 0 ? 0 : getPriority(pid)
  return {
    pid,
    seen: () => {
      if (pid === 0) return null
      if (child.exitCode !== null || child.signalCode !== null) return "another process was killed"
      try {
        return getPriority(pid) === before ? null : "another process was reniced"
      } catch {
        return "another process was killed"
      }
    }
  }
})

/**
 * The files of a directory as text, which any change to one of them changes. Without the analyzer,
 * which is written later.
 */
const portrait = ({ analyzer, dir }: Scene): string =>
  readdirSync(dir).filter((name) => join(dir, name) !== analyzer).toSorted().map((name) => {
    const { mode, mtimeMs, size } = statSync(join(dir, name), { throwIfNoEntry: false }) ?? {}
    return [name, mode, mtimeMs, size].join(" ")
  }).join("\n")

/** Makes a directory of the probe's own, with all files in it. */
const prepare = ({ addon, analyzer, dir, entry }: Scene): Omit<ProbeFacts, "tcp" | "udp" | "http" | "victim"> => {
  const at = (name: string): string => join(dir, name)
  const write = (name: string, content: string | Uint8Array): string => {
    writeFileSync(at(name), content)
    chmodSync(at(name), 0o666)
    return at(name)
  }
  mkdirSync(dir)
  const facts = {
    dir,
    secret: write("secret.txt", secretText),
    secretText,
    marker: at("marker"),
    module: write("module.mjs", "export default 7\n"),
    wasm: write("program.wasm", Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0)),
    json: write("values.json", JSON.stringify({ json: secretText })),
    settings: write("settings", `PROBE_SECRET="${secretText}"\n`),
    addon,
    entry,
    analyzer,
    node: process.execPath,
    unix: at("socket")
  }
  chmodSync(dir, 0o777)
  return facts
}

/** Sets up the witnesses that a probe needs. */
export const standBy = Effect.fn("standBy")(
  function*(probe: Probe, scene: Scene): Effect.fn.Return<Witnesses, never, Scope.Scope> {
    const facts = yield* Effect.acquireRelease(
      Effect.sync(() => prepare(scene)),
      ({ dir }) => Effect.sync(() => rmSync(dir, { recursive: true, force: true }))
    )
    const net = probe.needs.includes("net") ? yield* network(facts.unix) : null
    const victim = probe.needs.includes("victim") ? yield* aVictim(scene) : null
    const before = portrait(scene)
    return {
      facts: { ...facts, tcp: 0, http: 0, udp: 0, ...net?.ports, victim: victim?.pid ?? 0 },
      seen: () => net?.seen() ?? victim?.seen() ?? (portrait(scene) === before ? null : "files were written or changed")
    }
  }
)
