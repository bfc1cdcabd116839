/**
 * Tracehounds with hounds that are processes, and an analyzer that does what its evidence says.
 */
import { Effect, Layer, type Scope } from "effect"
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TracehoundConfigInput } from "../../../src/config/TracehoundConfig.ts"
import type { Alert } from "../../../src/domain/Alert.ts"
import type { FailSafeCallbacks } from "../../../src/domain/FailSafe.ts"
import type { InterceptResult } from "../../../src/domain/InterceptResult.ts"
import type { StartError } from "../../../src/runtime/StartErrors.ts"
import { Tracehound } from "../../../src/runtime/Tracehound.ts"
import type { TracehoundSync } from "../../../src/runtime/TracehoundSync.ts"
import { AlertSinks } from "../../../src/safety/alert/AlertSink.ts"

/** The source of an analyzer that does what the first word of its evidence says. */
export const obedient = `
export const analyze = async (bytes) => {
  const [word, what] = new TextDecoder().decode(bytes).split(" ")
  if (word === "loop") for (;;);
  if (word === "error") return "error"
  if (word === "throw") throw new Error("this evidence is not to my taste")
  if (word === "wait") await new Promise((resolve) => setTimeout(resolve, Number(what)))
  if (word === "memory") { const held = []; for (;;) held.push(new Uint8Array(4 << 20).fill(1)) }
  if (word === "heap") { const held = []; for (;;) held.push({ held: [held] }) }
}
`

/** A file that everybody may read, gone with the scope. */
export const analyzerFile = (source: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const directory = mkdtempSync(join(tmpdir(), "tracehound-analyzer-"))
        chmodSync(directory, 0o755)
        return directory
      }),
      (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
    ),
    (directory) => {
      const path = join(directory, "analyzer.mjs")
      writeFileSync(path, source, { mode: 0o644 })
      return path
    }
  )

/** A started Tracehound and its recorders. */
export interface Kit {
  readonly sync: TracehoundSync
  readonly tracehound: Tracehound["Service"]
  readonly alerts: ReadonlyArray<Alert>
  /** Intercepts a threat with this text as its evidence; critical by default. */
  readonly threat: (text: string, severity?: "low" | "high" | "critical") => InterceptResult
}

/** Bounds with which a machine that is busy with other tests gives the same answers. */
const patient = { readyTimeout: 20_000, replenishDelay: 10, maxProcessingTime: 20_000 }

/** A started Tracehound with the obedient analyzer, where the configuration names no other. */
export const withHounds = (
  config: TracehoundConfigInput["hound"] = {},
  more: TracehoundConfigInput = {},
  callbacks: FailSafeCallbacks = {}
): Effect.Effect<Kit, StartError, Scope.Scope> =>
  Effect.gen(function*() {
    const analyzer = config.analyzer ?? { path: yield* analyzerFile(obedient) }
    const alerts: Array<Alert> = []
    const sink = Layer.succeed(AlertSinks, [{
      sendUnsafe: (alert: Alert) => {
        alerts.push(alert)
      },
      onFailure: () => undefined
    }])
    const context = yield* Layer.build(
      Tracehound.layer(
        {
          alerts: { maxAlertsPerWindow: 1_000_000 },
          rateLimit: { maxRequests: 1_000_000_000 },
          ...more,
          hound: { ...patient, ...config, analyzer }
        },
        callbacks
      ).pipe(Layer.provide(sink))
    )
    const tracehound = yield* Effect.provideContext(Tracehound, context)
    const { sync } = tracehound
    let id = 0
    return {
      tracehound,
      sync,
      alerts,
      threat: (text, severity = "critical") =>
        sync.intercept({
          id: `${++id}`,
          source: "192.0.2.7",
          timestamp: 1_700_000_000_000,
          payload: text,
          threat: { category: "malware", severity }
        })
    }
  })

/** Waits until the condition holds; a test's own deadline ends one that never does. */
export const until = (holds: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => holds() ? Effect.void : Effect.andThen(Effect.sleep("5 millis"), until(holds)))

/**
 * All processes that descend from this one, itself not among them: pid, state and command line.
 * Linux only.
 */
export const descendants = (
  of = process.pid
): ReadonlyArray<{ readonly pid: number; readonly state: string; readonly command: string }> => {
  const parents = new Map<number, { readonly parent: number; readonly state: string; readonly command: string }>()
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8")
      const [state = "", parent = ""] = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ")
      parents.set(Number(name), { parent: Number(parent), state, command })
    } catch {
      // It has ended meanwhile.
    }
  }
  const isMine = (pid: number): boolean => {
    const parent = parents.get(pid)?.parent
    return parent !== undefined && parent > 1 && (parent === of || isMine(parent))
  }
  return [...parents].filter(([pid]) => isMine(pid)).map(([pid, { command, state }]) => ({ pid, state, command }))
}

/** The processes of hounds with this analyzer, the shells that become them not among them. */
export const houndsOf = (analyzer: string) =>
  descendants().filter(({ command, state }) =>
    state !== "Z" && command.includes(analyzer) && !command.startsWith("/bin/sh")
  )
