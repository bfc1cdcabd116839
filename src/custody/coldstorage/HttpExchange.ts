/**
 * One HTTP request and the head of its answer, for the endpoints that are servers (CONFORMANCE C1).
 *
 * Only the status and the header fields of an answer are read, and the request is aborted as soon
 * as they are there: an answer without end costs nothing. Redirects are not followed: an envelope
 * goes to the configured endpoint or nowhere. Nothing is tried twice. The request has no span, and
 * no trace header is sent: the write's own span is around it. Messages hold the configured
 * endpoint, the host's error code and the status; nothing else that a server sent.
 *
 * **Gotchas**
 *
 * - It bounds no time: whoever writes does that (`actor/Deadline.ts`). An interruption aborts the
 *   request.
 * - A client of the host's own must not follow redirects.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import { isHttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import { ColdStorageError } from "./Endpoint.ts"

/** A request as it leaves. */
export interface Outgoing {
  readonly method: "HEAD" | "POST" | "PUT"
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** None for a HEAD. */
  readonly body?: Uint8Array
}

/** What is read of an answer. The names of header fields are in small letters. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** Sends a request, and waits for the head of its answer. */
export type Exchange = (request: Outgoing) => Effect.Effect<Answer, ColdStorageError>

/** The exchange of one endpoint, by which messages call it. */
export const makeExchange = (destination: string): Effect.Effect<Exchange, never, HttpClient.HttpClient> =>
  Effect.map(HttpClient.HttpClient, (around) => {
    const client = HttpClient.withScope(around)
    return (outgoing) =>
      Effect.suspend(() => client.execute(requestOf(outgoing))).pipe(
        Effect.map(({ headers, status }): Answer => ({ headers, status })),
        // The scope ends with the head of the answer: that aborts the rest of it.
        Effect.scoped,
        Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
        Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
        // Defects too, and a client that interrupts itself; our own interruption passes by.
        Effect.catchCause((cause) => Effect.fail(failureOf(destination, cause)))
      )
  })

const requestOf = ({ body, headers, method, url }: Outgoing): HttpClientRequest.HttpClientRequest => {
  const request = HttpClientRequest.setHeaders(HttpClientRequest.make(method)(url), headers)
  return body === undefined ? request : HttpClientRequest.bodyUint8Array(request, body, "application/octet-stream")
}

const failureOf = (destination: string, cause: Cause.Cause<unknown>): ColdStorageError => {
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  if (!isHttpClientError(error) || error.reason._tag !== "TransportError") {
    const message = `cold storage ${destination} could not be asked: the HTTP client failed`
    return new ColdStorageError({ reason: "write", message })
  }
  const code = codeOf(error.reason.cause)
  const message = `cold storage ${destination} could not be reached`
  return code === undefined
    ? new ColdStorageError({ reason: "write", message })
    : new ColdStorageError({ reason: "write", message: `${message}: ${code}`, code })
}

/** How deep causes are looked at: a client wraps the host's error a few times. */
const maxCauses = 4

/** The host's code for a failed connection, such as ECONNREFUSED. Other texts may hold the URL. */
const codeOf = (cause: unknown): string | undefined => {
  for (let at = cause, depth = 0; at instanceof Error && depth < maxCauses; at = at.cause, depth += 1) {
    const code = "code" in at ? at.code : undefined
    if (typeof code === "string" && /^[A-Z][A-Z0-9_]{1,31}$/.test(code)) return code
  }
  return undefined
}

/** The failure that a status stands for, where it is no success. */
export const refusal = (destination: string, { status }: Pick<Answer, "status">): ColdStorageError => {
  const what = status >= 300 && status < 400 ? `${status}: redirects are not followed` : String(status)
  return new ColdStorageError({
    // 507 is WebDAV's word for a full disk.
    reason: status === 507 ? "full" : "write",
    message: `cold storage ${destination} answered with status ${what}`,
    code: `HTTP_${status}`
  })
}
