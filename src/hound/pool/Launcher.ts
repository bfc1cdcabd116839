/**
 * The launcher of hounds on this machine: how they are started, and the sandbox that keeps them in
 * (CONFORMANCE H1, H2).
 *
 * Loaded when the first hound is wanted: a Tracehound without hounds pays nothing for it.
 */
import * as Effect from "effect/Effect"
import type { Socket } from "node:net"
import { Settings } from "../../config/Settings.ts"
import { ForkServer } from "../process/ForkServer.ts"
import { HoundConnection } from "../process/HoundConnection.ts"
import { LocalSpawner } from "../process/LocalSpawner.ts"
import type { Spawner } from "../process/Spawner.ts"
import { detectSandbox } from "../sandbox/Detect.ts"
import type { SandboxReport, SandboxRequest } from "../sandbox/Sandbox.ts"
import { notInTime, tryOut } from "../sandbox/Trial.ts"
import { HoundBootError } from "./HoundPool.ts"

/** Starts hounds, or says why this machine has none. */
export interface Launcher {
  readonly report: SandboxReport
  /** Null where this machine has no hounds. */
  readonly openSpawner: (() => Spawner) | null
  readonly openConnection: (pipe: Socket) => HoundConnection
  /**
   * Why a hound does not become ready, found by the launch of one that may say so; empty where that
   * is not found.
   */
  readonly diagnose: Effect.Effect<string>
}

/** The launcher as configured under `hound`. */
export const open: Effect.Effect<Launcher, HoundBootError, Settings> = Effect.gen(function*() {
  const { hound, maxPayloadSize } = yield* Settings
  const { analyzer, debug, forkServer, sandbox: level } = hound
  const request: SandboxRequest = { level, analyzer, maxPayloadSize, debug }
  const detected = (request: SandboxRequest) =>
    Effect.mapError(detectSandbox(request), ({ message }) => new HoundBootError({ reason: message }))
  const { plan, report } = yield* detected(request)
  return {
    report,
    openSpawner: plan === null ? null : () => forkServer ? new ForkServer(plan) : new LocalSpawner(plan),
    openConnection: (pipe) => new HoundConnection(pipe),
    diagnose: detected({ ...request, debug: true }).pipe(
      Effect.flatMap(({ plan }) => plan === null ? Effect.succeed(null) : tryOut(plan, hound.readyTimeout)),
      Effect.map((found) => found === null || found === notInTime ? "" : found),
      Effect.catch(({ reason }) => Effect.succeed(reason))
    )
  }
})
