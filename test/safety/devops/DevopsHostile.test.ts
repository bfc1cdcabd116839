import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Schema } from "effect"
import { HttpClient, HttpClientError, type HttpClientRequest, type HttpClientResponse } from "effect/http"
import { TestClock } from "effect/testing"
import { inspect } from "node:util"
import { DevopsError, make } from "../../../src/safety/devops/DevopsEndpoint.ts"
import { targetOf } from "../../../src/safety/devops/Target.ts"
import { random, Seed } from "../../support/random.ts"
import { alert, answerOf, client, options } from "./receivers.ts"

type Answer = Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>

const transport = (request: HttpClientRequest.HttpClientRequest, cause: unknown): HttpClientError.HttpClientError =>
  new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) })

/** Everything a client may do wrong, with texts that must not leave. */
const faults: ReadonlyArray<(request: HttpClientRequest.HttpClientRequest) => Answer> = [
  () => Effect.die(new Error("s3cret")),
  () => Effect.die("s3cret"),
  () => Effect.interrupt,
  () => Effect.never,
  () => {
    throw new Error("s3cret")
  },
  (request) => Effect.fail(transport(request, new TypeError("s3cret", { cause: { code: "s3cret" } }))),
  (request) => Effect.fail(transport(request, Object.assign(new Error("s3cret"), { code: "s3cret in a code" }))),
  (request) =>
    Effect.fail(transport(
      request,
      Object.defineProperty(new Error("s3cret"), "code", {
        get: () => {
          throw new Error("s3cret")
        }
      })
    )),
  (request) =>
    Effect.fail(
      new HttpClientError.HttpClientError({
        reason: new HttpClientError.EncodeError({ request, description: "s3cret" })
      })
    ),
  (request) => Effect.fail(null as unknown as HttpClientError.HttpClientError).pipe(Effect.annotateLogs({ request })),
  () => Effect.succeed(undefined as unknown as HttpClientResponse.HttpClientResponse),
  (request) => Effect.sync(() => answerOf(request, 99)),
  (request) =>
    Effect.succeed(Object.defineProperty(answerOf(request, 200), "status", {
      get: () => {
        throw new Error("s3cret")
      }
    })),
  () => Effect.andThen(Effect.addFinalizer(() => Effect.die("s3cret")), Effect.die("s3cret")).pipe(Effect.scoped)
]

/** One delivery through `answer`, with all the time that it needs. */
const delivery = (endpoint: string, answer: (request: HttpClientRequest.HttpClientRequest) => Answer, retries = 0) =>
  Effect.gen(function*() {
    const recorded = client(({ request }) => answer(request))
    const { deliver } = yield* make({ ...options, endpoint, retries }).pipe(
      Effect.provideService(HttpClient.HttpClient, recorded.client)
    )
    const fiber = yield* Effect.forkChild(deliver(alert), { startImmediately: true })
    yield* TestClock.adjust("1 day")
    return { exit: yield* Fiber.await(fiber), calls: recorded.calls }
  })

/** The one error of an exit; anything else fails the test. */
const errorOf = (exit: Exit.Exit<void, DevopsError>): DevopsError => {
  assert.isTrue(Exit.isFailure(exit), "not an error")
  const reasons = Exit.isFailure(exit) ? exit.cause.reasons : []
  assert.strictEqual(reasons.length, 1)
  const [reason] = reasons
  if (reason === undefined || !Cause.isFailReason(reason)) assert.fail("a defect or an interruption")
  assert.instanceOf(reason.error, DevopsError)
  return reason.error
}

const textOf = (error: DevopsError): string =>
  [String(error), inspect(error, { depth: 9 }), JSON.stringify(error)].join(" ")

describe("a hostile client or endpoint", () => {
  for (const [n, fault] of faults.entries()) {
    it.effect(`RFC W3 a fault of the client is an error and nothing of it is told: ${n}`, () =>
      Effect.gen(function*() {
        const { calls, exit } = yield* delivery("https://user:s3cret@devops.example/s3cret?s3cret#s3cret", fault, 2)
        const error = errorOf(exit)
        assert.strictEqual(error.reason, "unavailable")
        assert.match(error.message, /^devops endpoint https:\/\/devops\.example (could not be|has not)/)
        assert.notInclude(textOf(error), "s3cret")
        assert.isAtLeast(calls.length, 1)
      }))
  }

  it.effect("RFC W3 a defect of the client is not tried again, a failed connection is", () =>
    Effect.gen(function*() {
      const died = yield* delivery(options.endpoint, () => Effect.die("bug"), 2)
      assert.strictEqual(died.calls.length, 1)
      const failed = yield* delivery(options.endpoint, (request) => Effect.fail(transport(request, undefined)), 2)
      assert.strictEqual(failed.calls.length, 3)
    }))

  it.effect.prop(
    "RFC W3 every status has its one meaning",
    { code: Schema.Int.check(Schema.isBetween({ minimum: 200, maximum: 599 })) },
    ({ code }) =>
      Effect.gen(function*() {
        const { calls, exit } = yield* delivery(options.endpoint, (request) =>
          Effect.sync(() => answerOf(request, code)), 1)
        if (code < 300)
          assert.deepStrictEqual(exit, Exit.void)
        else {
          const isTransient = code === 429 || code >= 500
          const error = errorOf(exit)
          assert.strictEqual(error.reason, isTransient ? "unavailable" : "refused", `${code}`)
          assert.include(error.message, `${code}`)
          assert.strictEqual(calls.length, isTransient ? 2 : 1)
        }
      }),
    { arbitrary: { runs: 200, size: 600 } }
  )

  // A marker stands in every place where an endpoint may keep a secret, so a test can search for
  // it.
  const schemes = [
    "http://",
    "https://",
    "HTTP://",
    "http:",
    "https:\\\\",
    "ftp://",
    "data:,",
    "blob:http://",
    "//",
    ""
  ] as const
  const hosts = [
    "devops.example",
    "[::1]",
    "127.1",
    "xn--bcher-kva.example",
    "bücher.example",
    "[bad",
    "",
    "a b",
    "%zz"
  ] as const
  const ports = ["", ":0", ":80", ":65535", ":65536", ":x"] as const
  const noise = [
    "",
    "%",
    "%00",
    "@",
    ":",
    "\\",
    "\n",
    "\0",
    "\ud800",
    "../../",
    "<script>",
    "?",
    "#",
    "\u{1f415}"
  ] as const

  it.effect.prop(
    "RFC W3 no endpoint, however it is written, makes a delivery die or tells its secrets",
    { seed: Seed, code: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999 })) },
    ({ code, seed }) =>
      Effect.gen(function*() {
        const { chance, pick } = random(seed)
        const secret = () => `${pick(noise)}s3cret${pick(noise)}`
        const userinfo = chance(0.5) ? `${secret()}:${secret()}@` : ""
        const path = chance(0.7) ? `/${secret()}` : ""
        const query = chance(0.5) ? `?${secret()}=${secret()}` : ""
        const hash = chance(0.3) ? `#${secret()}` : ""
        const endpoint = `${pick(schemes)}${userinfo}${pick(hosts)}${pick(ports)}${path}${query}${hash}`
        const fault = chance(0.3) ? pick([faults[0], ...faults]) : undefined
        const { calls, exit } = yield* delivery(
          endpoint,
          (request) => fault === undefined ? Effect.sync(() => answerOf(request, code)) : fault(request),
          1
        )
        for (const { request, url } of calls) {
          assert.include(["http:", "https:"], url.protocol)
          assert.strictEqual(`${url.username}${url.password}${url.hash}`, "")
          assert.strictEqual(request.url, url.href)
          assert.strictEqual(
            Object.hasOwn(request.headers, "authorization"),
            targetOf(endpoint)?.credentials !== undefined
          )
        }
        if (Exit.isSuccess(exit)) {
          assert.isTrue(code >= 200 && code < 300)
          assert.isAtLeast(calls.length, 1)
        } else {
          const error = errorOf(exit)
          // Where a slash, a question mark or a hash sign makes the marker the host, it is no
          // secret.
          if (!(targetOf(endpoint)?.name.includes("s3cret") ?? false))
            assert.notInclude(textOf(error), "s3cret", endpoint)
          if (targetOf(endpoint) === undefined) assert.strictEqual(error.reason, "refused")
        }
        assert.strictEqual(calls.length === 0, targetOf(endpoint) === undefined)
      }),
    { arbitrary: { runs: 1_000 } }
  )

  it.effect.prop(
    "RFC W3 no text at all as an endpoint makes a delivery die or tells its secrets",
    { endpoint: Schema.String },
    ({ endpoint }) =>
      Effect.gen(function*() {
        const { calls, exit } = yield* delivery(endpoint, (request) => Effect.sync(() => answerOf(request, 200)))
        if (targetOf(endpoint) === undefined) {
          assert.strictEqual(errorOf(exit).reason, "refused")
          assert.strictEqual(calls.length, 0)
        } else assert.deepStrictEqual(exit, Exit.void)
      })
  )
})
