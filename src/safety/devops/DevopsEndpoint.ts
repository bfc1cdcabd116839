/**
 * Where alerts are sent to people's own tools: one HTTP POST for each, as JSON (CONFORMANCE W3).
 *
 * Promises that `deliver` ends, and ends well or with a `DevopsError`: a server that never answers,
 * an answer without end, a defect of the HTTP client are all the same to whoever calls. What may go
 * by itself (no connection, no answer in time, 429, 5xx) is tried again, with pauses that double.
 * Outside of that stands a circuit breaker: a delivery that was given up counts once, and while the
 * circuit is open the endpoint is asked nothing. How long it is open is measured in monotonic time.
 *
 * Of the answer only the status is looked at. Its body is never read, and the request is aborted as
 * soon as the status is there, so that no answer holds a connection. Redirects are not followed: an
 * alert goes where it was configured to go, or nowhere. Messages hold the endpoint's origin and
 * what the host says about its own network, never credentials, path or query, and nothing that the
 * server sent but its status. There is no span of the request itself, since that would hold the
 * URL, and no trace header leaves.
 *
 * Cost: an alert takes at most `(retries + 1) * timeoutMs` and the pauses in between, of at most 30
 * seconds each; a connection for each try, unless the answer had no body.
 *
 * **Gotchas**
 *
 * - An alert may arrive twice: a server may have taken what it did not answer in time.
 * - A refusal (4xx, or a redirect) is an answer: it does not open the circuit, and it closes one
 *   that was being probed.
 * - `Retry-After` is not looked at; the breaker is what spares a server.
 * - A client of the host's own has to leave redirects alone, and to be interruptible: one that
 *   cannot be interrupted is waited for. Whatever `FetchHttpClient.RequestInit` the host provides
 *   is not used here.
 * - `options` are taken as configuration has checked them. `breaker.failures` below 1 is a defect
 *   when the endpoint is made.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import { isHttpClientError } from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as CircuitBreaker from "effect/persistence/CircuitBreaker"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { Alert } from "../../domain/Alert.ts"
import { withSteadyClock } from "./SteadyClock.ts"
import { type Target, targetOf } from "./Target.ts"

/** An alert was not delivered; the message names the endpoint's origin and nothing else of it. */
export class DevopsError extends Schema.TaggedError<DevopsError>()("DevopsError", {
  /**
   * `refused`: it was answered, and not taken (4xx, a redirect), or it could not be posted at all.
   * `unavailable`: no try of it was answered well. `open`: the circuit is open, it was not tried.
   */
  reason: Schema.Literals(["refused", "unavailable", "open"]),
  message: Schema.String
}) {}

/** How alerts are delivered. */
export interface DevopsOptions {
  /** An http: or https: URL. Credentials in it are sent as Basic authentication. */
  readonly endpoint: string
  /** How long one try may go without an answer. */
  readonly timeoutMs: number
  /** How often a failed try is repeated. */
  readonly retries: number
  /** The pause before the first repetition; each further one is twice as long, up to 30 seconds. */
  readonly retryDelayMs: number
  /** After `failures` deliveries in a row that were given up, nothing is sent for `resetMs`. */
  readonly breaker: { readonly failures: number; readonly resetMs: number }
}

/** Delivers alerts to the endpoint that was configured. */
export class DevopsEndpoint extends Context.Service<DevopsEndpoint, {
  /** Posts the alert. Fails, and never dies, where it was not taken. */
  readonly deliver: (alert: Alert) => Effect.Effect<void, DevopsError>
  /** Whether a delivery would be refused now without asking the endpoint. */
  readonly isOpen: Effect.Effect<boolean>
}>()("tracehound/safety/devops/DevopsEndpoint") {}

/** The longest pause between two tries, unless more was configured for the first. */
const longestPauseMs = 30_000

/** The breaker belongs to one endpoint and knows one circuit. */
const key = "devops"

/** A try that has no answer which stands. */
interface Setback {
  readonly isTransient: boolean
  readonly what: string
}

const encode = Schema.encodeEffect(Schema.fromJsonString(Alert))

/** An endpoint that lives as long as the scope, with a circuit of its own. */
export const make: (
  options: DevopsOptions
) => Effect.Effect<DevopsEndpoint["Service"], never, HttpClient.HttpClient | Scope.Scope> = Effect.fnUntraced(
  function*({ breaker: limits, endpoint, retries, retryDelayMs, timeoutMs }: DevopsOptions) {
    const client = HttpClient.withScope(yield* HttpClient.HttpClient)
    const breaker = yield* CircuitBreaker.make({
      tripPolicy: CircuitBreaker.consecutive(limits.failures),
      openDuration: Duration.millis(limits.resetMs)
    }).pipe(Effect.provide(CircuitBreaker.layerStoreMemory()))
    const target = targetOf(endpoint)
    if (target === undefined) return unusable

    const failed = (reason: DevopsError["reason"], what: string): DevopsError =>
      new DevopsError({ reason, message: `devops endpoint ${target.name} ${what}` })

    /** One try: the status that it was answered with, where that stands. */
    const attempt = (request: HttpClientRequest.HttpClientRequest): Effect.Effect<number, Setback> =>
      Effect.suspend(() => client.execute(request)).pipe(
        Effect.map((response) => response.status),
        // The scope ends with the status: that aborts the request, and whatever body is still
        // coming.
        Effect.scoped,
        Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
        Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
        // Defects too, and a client that interrupts itself. An interruption from outside does not
        // come by here.
        Effect.catchCause((cause) => Effect.fail(setbackOf(cause))),
        Effect.timeoutOrElse({
          duration: Duration.millis(timeoutMs),
          orElse: () => Effect.fail({ isTransient: true, what: `has not answered within ${timeoutMs} ms` })
        }),
        Effect.filterOrFail((status) => status !== 429 && !(status >= 500), answered)
      )

    const pauses = Schedule.exponential(Duration.millis(retryDelayMs)).pipe(
      Schedule.modifyDelay(({ duration }) =>
        Effect.succeed(Duration.min(duration, Duration.millis(Math.max(longestPauseMs, retryDelayMs))))
      )
    )

    const deliver = Effect.fn("DevopsEndpoint.deliver")(
      function*(alert: Alert) {
        // Outside of the circuit: an alert that cannot be written says nothing about the endpoint.
        const body = yield* Effect.suspend(() => encode(alert)).pipe(
          Effect.catchCause(() => Effect.fail(failed("refused", "was given something that is no alert")))
        )
        const tries = Effect.retry(attempt(requestTo(target, body)), {
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
      // What is left: an error of the client that throws when it is looked at.
      Effect.catchDefect(() => Effect.fail(failed("unavailable", "could not be asked: the delivery itself failed")))
    )

    const isOpen = withSteadyClock(() => breaker.state(key)).pipe(
      Effect.map((state) =>
        state._tag === "Open" ? !Duration.isZero(state.retryAfter) : state._tag === "HalfOpen" && state.probing
      ),
      // The store in memory has no errors of its own.
      Effect.orElseSucceed(() => false)
    )

    return { deliver, isOpen }
  }
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

/** The host's code for a failed connection, as ECONNREFUSED. Texts beside it may hold the URL. */
const codeOf = (cause: unknown): string => {
  for (let at = cause, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth += 1) {
    const code = "code" in at ? at.code : undefined
    if (typeof code === "string" && /^[A-Z][A-Z0-9_]{2,63}$/.test(code)) return `: ${code}`
  }
  return ""
}
