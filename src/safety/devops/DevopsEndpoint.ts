/**
 * Posts alerts to the operators' own tools: one HTTP POST for each alert, as JSON (CONFORMANCE W3).
 *
 * Promises that `deliver` ends, either well or with a `DevopsError`: to its caller a server that
 * never answers, an endless answer and a defect of the HTTP client are all the same. Failures that
 * may pass by themselves (no connection, no answer in time, 429, 5xx) are tried again, with pauses
 * that double. A circuit breaker wraps these tries: a delivery that was given up counts once, and
 * while the circuit is open no request is made. How long it is open is measured in monotonic time.
 *
 * Only the status of an answer is read. Its body is never read, and the request is aborted as soon
 * as the status is there, so that no answer holds a connection. Redirects are not followed: an
 * alert goes to the configured endpoint or nowhere. Messages hold the endpoint's origin, the host's
 * error code for its own network and the server's status; never credentials, path or query, and
 * nothing else that the server sent. The request has no span of its own, since that would hold the
 * URL, and no trace header is sent: the delivery's span is the sink's.
 *
 * Cost: an alert takes at most `(retries + 1) * timeoutMs` and the pauses in between, of at most 30
 * seconds each; a connection for each try, unless the answer had no body.
 *
 * **Gotchas**
 *
 * - An alert may arrive twice: a server may have taken an alert that it did not answer in time.
 * - A refusal (4xx, or a redirect) is an answer: it does not open the circuit, and it closes a
 *   circuit that was being probed.
 * - `Retry-After` is ignored; the breaker spares the server.
 * - The host's own HTTP client must not follow redirects, and must be interruptible: a delivery
 *   waits for a client that cannot be interrupted. A `FetchHttpClient.RequestInit` that the host
 *   provides is not used here.
 * - `options` are not checked again after the configuration. `breaker.failures` below 1 is a defect
 *   when the endpoint is made.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import { type HttpClientError, isHttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { type Alert, PostedAlert } from "../../domain/Alert.ts"
import { withSteadyClock } from "./SteadyClock.ts"
import { type Target, targetOf } from "./Target.ts"

/** An alert was not delivered. The message holds no part of the endpoint but its origin. */
export class DevopsError extends Schema.TaggedError<DevopsError>()("DevopsError", {
  /**
   * `refused`: the server answered and did not take it (4xx, a redirect), or it could not be posted
   * at all. `unavailable`: every try failed. `open`: the circuit is open, and nothing was tried.
   */
  reason: Schema.Literals(["refused", "unavailable", "open"]),
  message: Schema.String
}) {}

/** The settings of one endpoint. */
export interface DevopsOptions {
  /** An http: or https: URL. Credentials in it are sent as Basic authentication. */
  readonly endpoint: string
  /** Time for one try to be answered. */
  readonly timeoutMs: number
  /** Tries after the first. */
  readonly retries: number
  /** The pause before the first repetition; each further one is twice as long, up to 30 seconds. */
  readonly retryDelayMs: number
  /** After `failures` deliveries in a row that were given up, nothing is sent for `resetMs`. */
  readonly breaker: { readonly failures: number; readonly resetMs: number }
}

/** Delivers alerts to the configured endpoint. */
export class DevopsEndpoint extends Context.Service<DevopsEndpoint, {
  /** Posts the alert. Fails, and never dies, where it was not taken. */
  readonly deliver: (alert: Alert) => Effect.Effect<void, DevopsError>
  /** Whether a delivery would fail now without a request. */
  readonly isOpen: Effect.Effect<boolean>
}>()("tracehound/safety/devops/DevopsEndpoint") {}

/** The longest pause between two tries, unless the first one is configured to be longer. */
const longestPauseMs = 30_000

/** The breaker has this one circuit. */
const key = "devops"

interface Setback {
  readonly isTransient: boolean
  readonly what: string
}

const encode = Schema.encodeEffect(Schema.fromJsonString(PostedAlert))

/** An endpoint that lives as long as the scope, with a circuit of its own. */
export const make: (
  options: DevopsOptions
) => Effect.Effect<DevopsEndpoint["Service"], never, HttpClient.HttpClient | Scope.Scope> = Effect.fnUntraced(
  function*(options: DevopsOptions) {
    const client = HttpClient.withScope(yield* HttpClient.HttpClient)
    const breaker = yield* CircuitBreaker.make({
      tripPolicy: CircuitBreaker.consecutive(options.breaker.failures),
      openDuration: Duration.millis(options.breaker.resetMs)
    }).pipe(Effect.provide(CircuitBreaker.layerStoreMemory()))
    const target = targetOf(options.endpoint)
    if (target === undefined) return unusable
    return { deliver: deliverTo(target, client, breaker, options), isOpen: isOpen(breaker) }
  }
)

/** A client whose requests end with their scope. */
type ScopedClient = HttpClient.HttpClient.With<HttpClientError, Scope.Scope>

/** Posts an alert, with its retries inside of the circuit. */
const deliverTo = (
  target: Target,
  client: ScopedClient,
  breaker: CircuitBreaker.CircuitBreaker,
  { retries, retryDelayMs, timeoutMs }: Pick<DevopsOptions, "retries" | "retryDelayMs" | "timeoutMs">
): DevopsEndpoint["Service"]["deliver"] => {
  const failed = (reason: DevopsError["reason"], what: string): DevopsError =>
    new DevopsError({ reason, message: `devops endpoint ${target.name} ${what}` })
  const pauses = pausesFrom(retryDelayMs)
  return Effect.fnUntraced(
    function*(alert: Alert) {
      // Outside of the circuit: an alert that cannot be encoded says nothing about the endpoint.
      const body = yield* Effect.suspend(() => encode({ version: 1, ...alert })).pipe(
        Effect.catchCause(() => Effect.fail(failed("refused", "was given something that is no alert")))
      )
      const tries = Effect.retry(attempt(client, requestTo(target, body), timeoutMs), {
        schedule: pauses,
        times: retries,
        while: ({ isTransient }) => isTransient
      })
      const status = yield* withSteadyClock((unmeasured) => breaker.execute(unmeasured(tries), { key })).pipe(
        Effect.mapError((error) =>
          error instanceof CircuitBreaker.CircuitBreakerError
            ? failed("open", "is not asked for now: its latest deliveries all failed")
            : failed("unavailable", error.what)
        )
      )
      if (!(status >= 200 && status < 300)) return yield* failed("refused", answered(status).what)
    },
    // The remaining defects: an error of the client that throws when it is read.
    Effect.catchDefect(() => Effect.fail(failed("unavailable", "could not be asked: the delivery itself failed")))
  )
}

/** One try: the status of an answer that is final. */
const attempt = (
  client: ScopedClient,
  request: HttpClientRequest.HttpClientRequest,
  timeoutMs: number
): Effect.Effect<number, Setback> =>
  Effect.suspend(() => client.execute(request)).pipe(
    Effect.map((response) => response.status),
    // The scope ends with the status: that aborts the request, and the rest of the answer's body.
    Effect.scoped,
    Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
    // Also defects, and a client that interrupts itself. Interruptions from outside do not get
    // here.
    Effect.catchCause((cause) => Effect.fail(setbackOf(cause))),
    Effect.timeoutOrElse({
      duration: Duration.millis(timeoutMs),
      orElse: () => Effect.fail({ isTransient: true, what: `has not answered within ${timeoutMs} ms` })
    }),
    Effect.filterOrFail((status) => status !== 429 && !(status >= 500), answered)
  )

/** Pauses that double, up to the longest. */
const pausesFrom = (retryDelayMs: number) =>
  Schedule.exponential(Duration.millis(retryDelayMs)).pipe(
    Schedule.modifyDelay(({ duration }) =>
      Effect.succeed(Duration.min(duration, Duration.millis(Math.max(longestPauseMs, retryDelayMs))))
    )
  )

const isOpen = (breaker: CircuitBreaker.CircuitBreaker): Effect.Effect<boolean> =>
  withSteadyClock(() => breaker.state(key)).pipe(
    Effect.map((state) =>
      state._tag === "Open" ? !Duration.isZero(state.retryAfter) : state._tag === "HalfOpen" && state.probing
    ),
    // The store in memory has no errors of its own.
    Effect.orElseSucceed(() => false)
  )

/** The endpoint over the host's HTTP client. */
export const layer = (options: DevopsOptions): Layer.Layer<DevopsEndpoint, never, HttpClient.HttpClient> =>
  Layer.effect(DevopsEndpoint, make(options))

/** The endpoint over the runtime's own `fetch`. */
export const layerFetch = (options: DevopsOptions): Layer.Layer<DevopsEndpoint> =>
  Layer.provide(layer(options), FetchHttpClient.layer)

const unusable: DevopsEndpoint["Service"] = {
  deliver: () =>
    Effect.fail(
      new DevopsError({
        reason: "refused",
        message: "the devops endpoint is not an http: or https: URL: nothing is sent"
      })
    ),
  isOpen: Effect.succeed(false)
}

const requestTo = ({ credentials, url }: Target, body: string): HttpClientRequest.HttpClientRequest => {
  const request = HttpClientRequest.post(url).pipe(HttpClientRequest.bodyText(body, "application/json"))
  return credentials === undefined
    ? request
    : HttpClientRequest.basicAuth(request, credentials.username, credentials.password)
}

const answered = (status: number): Setback => ({
  isTransient: true,
  what: status >= 300 && status < 400
    ? `answered with status ${status}: redirects are not followed`
    : `answered with status ${status}`
})

const setbackOf = (cause: Cause.Cause<unknown>): Setback => {
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  return isHttpClientError(error) && error.reason._tag === "TransportError"
    ? { isTransient: true, what: `could not be reached${codeOf(error.reason.cause)}` }
    : { isTransient: false, what: "could not be asked: the HTTP client failed" }
}

/** The host's code for a failed connection, such as ECONNREFUSED. Other texts may hold the URL. */
const codeOf = (cause: unknown): string => {
  for (let at = cause, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth += 1) {
    const code = "code" in at ? at.code : undefined
    if (typeof code === "string" && /^[A-Z][A-Z0-9_]{2,63}$/.test(code)) return `: ${code}`
  }
  return ""
}
