/**
 * The packages that `tracehound/otel` works with and Tracehound does not bring: a host that runs an
 * OpenTelemetry SDK has them, in the versions of its SDK.
 *
 * **Details**
 *
 * They are required and not imported, as a static import that leads nowhere ends the program before
 * a line of ours runs. What is missing is said in one sentence instead. `require` takes modules of
 * both kinds, and keeps this entry loadable by `require` itself.
 */
import type * as OtelTracerModule from "@effect/opentelemetry/OtelTracer"
import type * as ApiModule from "@opentelemetry/api"
import type * as LogsApiModule from "@opentelemetry/api-logs"
import { createRequire } from "node:module"

const requirePeer = createRequire(import.meta.url)

/** How whoever lacks a peer installs all of them, in versions that work together. */
const installation = "npm install @opentelemetry/api@1.9 @opentelemetry/api-logs@0.223 @effect/opentelemetry@4.1.0"

/**
 * What a peer exports. `load` is given for tests. Throws an error that says what is missing and
 * what to install; what else goes wrong while a peer loads is thrown as it is.
 */
export const peer = (name: string, load: (name: string) => unknown = requirePeer): unknown => {
  try {
    return load(name)
  } catch (cause) {
    if (!isMissing(cause)) throw cause
    throw new Error(`tracehound/otel needs ${name}, which is not installed: ${installation}`, { cause })
  }
}

const isMissing = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause &&
  (cause.code === "MODULE_NOT_FOUND" || cause.code === "ERR_MODULE_NOT_FOUND")

export const Api = peer("@opentelemetry/api") as typeof ApiModule
export const LogsApi = peer("@opentelemetry/api-logs") as typeof LogsApiModule
export const OtelTracer = peer("@effect/opentelemetry/OtelTracer") as typeof OtelTracerModule
