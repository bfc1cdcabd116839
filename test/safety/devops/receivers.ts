/**
 * Receivers of alerts: real servers on a port of their own, and an HTTP client in memory whose
 * answers the test decides.
 *
 * A server's `closed` counts the answers that ended, well or not, each by its connection. A test
 * waits for that count instead of time.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import type * as Scope from "effect/Scope"
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import type { Alert } from "../../../src/domain/Alert.ts"
import type { DevopsOptions } from "../../../src/safety/devops/DevopsEndpoint.ts"

export const alert: Alert = {
  severity: "critical",
  type: "alert.flood",
  message: "more alerts than this window allows: the rest of it is silent",
  timestamp: 1_760_000_000_000,
  alertCount: 11
}

/** Short of everything, so that a test says only what it is about. */
export const options: DevopsOptions = {
  endpoint: "https://devops.example/hook",
  timeoutMs: 1_000,
  retries: 0,
  retryDelayMs: 1,
  breaker: { failures: 1_000, resetMs: 60_000 }
}

/** One request as the server had it. */
export interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Receiver {
  readonly origin: string
  readonly port: number
  readonly received: ReadonlyArray<Received>
  /** Ends when so many of the server's connections have closed. */
  readonly closed: (connections: number) => Effect.Effect<void>
}

/**
 * A server on 127.0.0.1 that answers its n-th request, from 0, with `answer`; gone with the scope.
 */
export const receiver = (
  answer: (response: ServerResponse, n: number, request: IncomingMessage) => void
): Effect.Effect<Receiver, never, Scope.Scope> =>
  Effect.gen(function*() {
    const received: Array<Received> = []
    let closed = 0
    const waiting: Array<{ readonly connections: number; readonly deferred: Deferred.Deferred<void> }> = []
    const settle = () => {
      for (const { connections, deferred } of waiting)
        if (closed >= connections) Deferred.doneUnsafe(deferred, Effect.void)
    }
    const server = createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        const { headers, method, url } = request
        received.push({ method, url, headers, body: Buffer.concat(chunks).toString("utf8") })
        answer(response, received.length - 1, request)
      })
      // A client that aborts is what some of these tests are about.
      request.on("error", () => undefined)
      response.on("error", () => undefined)
    })
    server.on("connection", (socket: Socket) => {
      socket.on("error", () => undefined)
      socket.on("close", () => {
        closed += 1
        settle()
      })
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const { port } = server.address() as AddressInfo
    return {
      origin: `http://127.0.0.1:${port}`,
      port,
      received,
      closed: (connections) =>
        Effect.suspend(() => {
          const deferred = Deferred.makeUnsafe<void>()
          waiting.push({ connections, deferred })
          settle()
          return Deferred.await(deferred)
        })
    }
  })

/** An answer with this status and nothing else. */
export const status = (code: number) => (response: ServerResponse): void => {
  response.writeHead(code).end()
}

/** One request as the client in memory had it. */
export interface Call {
  readonly request: HttpClientRequest
  readonly url: URL
  readonly signal: AbortSignal
  /** By the test's clock. */
  readonly at: number
}

/** A client whose n-th request, from 0, is answered by `answer`. */
export const client = (
  answer: (call: Call, n: number) => Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError>
): { readonly calls: ReadonlyArray<Call>; readonly client: HttpClient.HttpClient } => {
  const calls: Array<Call> = []
  return {
    calls,
    client: HttpClient.make((request, url, signal) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) => {
        const call = { request, url, signal, at }
        calls.push(call)
        return answer(call, calls.length - 1)
      })
    )
  }
}

/** What a client in memory answers with. */
export const answerOf = (request: HttpClientRequest, code: number): HttpClientResponse.HttpClientResponse =>
  HttpClientResponse.fromWeb(request, new Response(null, { status: code }))
