/**
 * The service: three routes, a detector in front of them, and Tracehound behind the detector.
 */
import { Clock, Effect, Layer, Option } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { type InterceptResult, Tracehound } from "tracehound"
import { detect } from "./detector.ts"

/** Larger bodies are refused unread. Tracehound's own default for `maxPayloadSize`. */
export const maxBodyBytes = 1_000_000

const decoder = new TextDecoder()

/**
 * The answer for a result; undefined lets the request pass. An error of Tracehound's own is no
 * reason to block.
 */
const block = (result: InterceptResult): HttpServerResponse.HttpServerResponse | undefined => {
  switch (result.status) {
    case "clean":
    case "error":
      return undefined
    case "rate_limited":
      return HttpServerResponse.text("slow down\n", {
        status: 429,
        headers: { "retry-after": String(Math.ceil(result.retryAfter / 1000)) }
      })
    case "payload_too_large":
      return HttpServerResponse.text("too large\n", { status: 413 })
    // `ignored` means that evidence of this is held already: it is as hostile as the first time.
    case "ignored":
    case "quarantined":
    case "escalated":
      return HttpServerResponse.text(`blocked: ${result.status}\n`, { status: 403 })
  }
}

let requests = 0

/**
 * Runs the detector on the request, and hands both to Tracehound, before the route sees the
 * request.
 */
const guarded = (route: (body: string) => HttpServerResponse.HttpServerResponse) =>
  Effect.gen(function*() {
    const tracehound = yield* Tracehound
    const request = yield* HttpServerRequest.HttpServerRequest
    const body = yield* Effect.option(request.arrayBuffer)
    if (Option.isNone(body)) return HttpServerResponse.text("too large\n", { status: 413 })
    const text = decoder.decode(body.value)
    const target = decodeURIComponentLoosely(request.url)
    const threat = detect(`${target}\n${text}`)
    requests += 1
    const result = yield* tracehound.intercept({
      id: `request-${requests}`,
      source: Option.getOrElse(request.remoteAddress, () => "unknown"),
      timestamp: yield* Clock.currentTimeMillis,
      // The raw bytes where there is a body: they are their own canonical form.
      payload: text === "" ? target : new Uint8Array(body.value),
      ...(threat === undefined ? {} : { threat })
    })
    return block(result) ?? route(text)
  })

const decodeURIComponentLoosely = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll("+", " "))
  } catch {
    return text
  }
}

/** The Watcher's snapshot, and the state of the audit chain. */
const snapshot = Effect.gen(function*() {
  const { sync } = yield* Tracehound
  const audit = { records: sync.auditChain.length, head: sync.auditChain.lastHash, verified: sync.auditChain.verify() }
  return HttpServerResponse.jsonUnsafe({ ...sync.watcher.snapshot(), audit })
})

/** All routes. */
export const routes = Layer.mergeAll(
  HttpRouter.add("GET", "/search", guarded(() => HttpServerResponse.text("no results\n"))),
  HttpRouter.add("POST", "/login", guarded(() => HttpServerResponse.text("welcome\n"))),
  HttpRouter.add(
    "POST",
    "/comments",
    guarded((body) => HttpServerResponse.text(`thank you for ${body.length} characters\n`))
  ),
  HttpRouter.add("GET", "/snapshot", snapshot)
)
