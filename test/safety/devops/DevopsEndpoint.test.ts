import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { createServer, type Socket } from "node:net"
import { DevopsEndpoint, type DevopsOptions, layerFetch } from "../../../src/safety/devops/DevopsEndpoint.ts"
import { alert, options, receiver, status } from "./receivers.ts"

const endpointWith = (changes: Partial<DevopsOptions>) =>
  Effect.map(Layer.build(layerFetch({ ...options, timeoutMs: 10_000, ...changes })), Context.get(DevopsEndpoint))

describe("a devops endpoint over fetch", () => {
  it.live("RFC W3 an alert is one POST of its JSON, with the header that says so", () =>
    Effect.gen(function*() {
      const server = yield* receiver(status(204))
      const endpoint = yield* endpointWith({ endpoint: `${server.origin}/hooks/a%2Fb?key=%20v&key=w#part` })
      const signed = {
        ...alert,
        message: "ümläut \ud83d\udc15",
        signature: `injection:${"ab".repeat(32)}`,
        evidenceId: "req-1\\u{3c}",
        reason: "ColdStorageError",
        code: "ENOSPC",
        frames: ["Object.write (custody/coldstorage/FileEndpoint.ts:12)"],
        trace: { traceId: "ab".repeat(16), spanId: "cd".repeat(8) }
      }
      yield* endpoint.deliver(alert)
      yield* endpoint.deliver(signed)
      assert.deepStrictEqual(
        server.received.map(({ body, method, url }) => ({ body: JSON.parse(body), method, url })),
        [
          { body: { version: 1, ...alert }, method: "POST", url: "/hooks/a%2Fb?key=%20v&key=w" },
          { body: { version: 1, ...signed }, method: "POST", url: "/hooks/a%2Fb?key=%20v&key=w" }
        ]
      )
      for (const { headers } of server.received) {
        assert.strictEqual(headers["content-type"], "application/json")
        assert.isUndefined(headers.authorization)
        assert.isUndefined(headers["traceparent"])
        assert.isUndefined(headers["b3"])
      }
    }).pipe(Effect.withSpan("of the host")))

  it.live("RFC W3 only what the schema knows of an alert is sent, and what does not fit it is not", () =>
    Effect.gen(function*() {
      const server = yield* receiver(status(200))
      const endpoint = yield* endpointWith({ endpoint: server.origin })
      yield* endpoint.deliver(Object.assign({ payload: "<script>" }, alert))
      assert.deepStrictEqual(server.received.map(({ body }) => JSON.parse(body)), [{ version: 1, ...alert }])
      const throwing = Object.defineProperty({ ...alert }, "message", {
        get: () => {
          throw new Error("read")
        },
        enumerable: true
      })
      const strange = [
        { timestamp: Number.NaN },
        { signature: "x" },
        { evidenceId: "<!channel>" },
        { reason: "two words" },
        { frames: ["\n"] },
        { trace: { traceId: "<script>", spanId: "1" } }
      ]
      for (const wrong of [...strange.map((over) => ({ ...alert, ...over })), throwing]) {
        const error = yield* Effect.flip(endpoint.deliver(wrong))
        assert.strictEqual(error.reason, "refused")
      }
      assert.strictEqual(server.received.length, 1)
    }))

  it.live("RFC W3 credentials in the URL become Basic authentication, decoded", () =>
    Effect.gen(function*() {
      const server = yield* receiver(status(200))
      for (const userinfo of ["who:p%40ss%C3%BC", "token", ":secret", "100%:%zz"]) {
        const endpoint = yield* endpointWith({ endpoint: `http://${userinfo}@127.0.0.1:${server.port}/x` })
        yield* endpoint.deliver(alert)
      }
      assert.deepStrictEqual(
        server.received.map(({ headers }) =>
          Buffer.from(headers.authorization?.slice(6) ?? "", "base64").toString("utf8")
        ),
        ["who:p@ssü", "token:", ":secret", "100%:%zz"]
      )
      for (const { headers } of server.received) assert.match(headers.authorization ?? "", /^Basic [\w+/]+=*$/)
    }))

  it.live("RFC W3 500 and 429 are tried again, up to the retries", () =>
    Effect.gen(function*() {
      for (const code of [429, 500, 503, 599]) {
        const server = yield* receiver((response, n) => status(n === 2 ? 200 : code)(response))
        const endpoint = yield* endpointWith({ endpoint: server.origin, retries: 2 })
        yield* endpoint.deliver(alert)
        assert.strictEqual(server.received.length, 3)
        assert.deepStrictEqual(new Set(server.received.map(({ body }) => body)).size, 1)
        const impatient = yield* receiver(status(code))
        const error = yield* Effect.flip(
          (yield* endpointWith({ endpoint: impatient.origin, retries: 1 })).deliver(alert)
        )
        assert.strictEqual(error.reason, "unavailable")
        assert.strictEqual(error.message, `devops endpoint ${impatient.origin} answered with status ${code}`)
        assert.strictEqual(impatient.received.length, 2)
      }
    }))

  it.live("RFC W3 other refusals stand: 404 is not tried again", () =>
    Effect.gen(function*() {
      for (const code of [400, 401, 404, 408, 413, 499]) {
        const server = yield* receiver(status(code))
        const endpoint = yield* endpointWith({ endpoint: server.origin, retries: 3 })
        const error = yield* Effect.flip(endpoint.deliver(alert))
        assert.strictEqual(error.reason, "refused")
        assert.strictEqual(error.message, `devops endpoint ${server.origin} answered with status ${code}`)
        assert.strictEqual(server.received.length, 1)
      }
    }))

  it.live("RFC W3 a redirect is not followed: the alert goes nowhere else", () =>
    Effect.gen(function*() {
      const elsewhere = yield* receiver(status(200))
      for (const code of [301, 302, 303, 307, 308]) {
        const server = yield* receiver((response) => {
          response.writeHead(code, { location: `${elsewhere.origin}/taken` }).end()
        })
        const endpoint = yield* endpointWith({ endpoint: `http://u:p@127.0.0.1:${server.port}`, retries: 3 })
        const error = yield* Effect.flip(endpoint.deliver(alert))
        assert.strictEqual(error.reason, "refused")
        assert.include(error.message, `${code}`)
        assert.notInclude(error.message, "taken")
        assert.strictEqual(server.received.length, 1)
      }
      assert.strictEqual(elsewhere.received.length, 0)
    }))
})

describe("a devops endpoint that misbehaves", () => {
  it.live("RFC W3 a server that accepts and never answers is left, each try by itself, and its connections closed", () =>
    Effect.gen(function*() {
      const server = yield* receiver(() => undefined)
      const endpoint = yield* endpointWith({ endpoint: server.origin, timeoutMs: 100, retries: 2 })
      const error = yield* Effect.flip(endpoint.deliver(alert))
      assert.strictEqual(error.reason, "unavailable")
      assert.include(error.message, "within 100 ms")
      yield* server.closed(3)
      assert.strictEqual(server.received.length, 3)
    }))

  it.live("RFC W3 the bound holds for a caller that cannot be interrupted", () =>
    Effect.gen(function*() {
      const server = yield* receiver(() => undefined)
      const endpoint = yield* endpointWith({ endpoint: server.origin, timeoutMs: 50, retries: 1 })
      const error = yield* Effect.uninterruptible(Effect.flip(endpoint.deliver(alert)))
      assert.strictEqual(error.reason, "unavailable")
      assert.strictEqual(server.received.length, 2)
    }))

  it.live("RFC W3 headers that never end are no answer", () =>
    Effect.gen(function*() {
      const drips: Array<NodeJS.Timeout> = []
      yield* Effect.addFinalizer(() => Effect.sync(() => drips.forEach(clearInterval)))
      const server = yield* receiver((response) => {
        response.socket?.write("HTTP/1.1 200 OK\r\n")
        drips.push(setInterval(() => response.socket?.write("x: y\r\n"), 5))
      })
      const endpoint = yield* endpointWith({ endpoint: server.origin, timeoutMs: 100, retries: 1 })
      assert.strictEqual((yield* Effect.flip(endpoint.deliver(alert))).reason, "unavailable")
      yield* server.closed(2)
    }))

  it.live("RFC W3 a body without end is not read: the status counts, and the connection is closed", () =>
    Effect.gen(function*() {
      const chunk = Buffer.alloc(65_536, "x")
      const server = yield* receiver((response, n) => {
        response.writeHead(n === 0 ? 500 : 200, { "content-type": "text/html" })
        const pour = () => {
          while (!response.destroyed && response.write(chunk));
        }
        response.on("drain", pour)
        pour()
      })
      const endpoint = yield* endpointWith({ endpoint: server.origin, retries: 1 })
      yield* endpoint.deliver(alert)
      yield* server.closed(2)
      assert.strictEqual(server.received.length, 2)
    }))

  it.live("RFC W3 a body that stops halfway holds nothing either", () =>
    Effect.gen(function*() {
      const server = yield* receiver((response) => {
        response.writeHead(200, { "content-length": "100" })
        response.write("half")
      })
      const endpoint = yield* endpointWith({ endpoint: server.origin })
      yield* endpoint.deliver(alert)
      yield* server.closed(1)
      assert.strictEqual(server.received.length, 1)
    }))

  it.live("RFC W3 a connection that closes before the answer, or within its first line, is tried again", () =>
    Effect.gen(function*() {
      const server = yield* receiver((response, n) => {
        if (n === 0) response.socket?.destroy()
        else if (n === 1) response.socket?.end("HTTP/1.1 20")
        else if (n === 2) response.socket?.end("this is not HTTP\r\n\r\n")
        else status(200)(response)
      })
      const endpoint = yield* endpointWith({ endpoint: server.origin, retries: 3 })
      yield* endpoint.deliver(alert)
      assert.strictEqual(server.received.length, 4)
    }))

  it.live("RFC W3 a connection that closes within the body of a good answer has delivered", () =>
    Effect.gen(function*() {
      const server = yield* receiver((response) => {
        response.socket?.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
      })
      const endpoint = yield* endpointWith({ endpoint: server.origin, retries: 3 })
      yield* endpoint.deliver(alert)
      yield* server.closed(1)
      assert.strictEqual(server.received.length, 1)
    }))

  it.live("RFC W3 a refused connection is told with the host's own code, and the origin alone", () =>
    Effect.gen(function*() {
      const port = yield* Effect.scoped(Effect.map(receiver(status(200)), (server) => server.port))
      const endpoint = yield* endpointWith({ endpoint: `http://u:p@127.0.0.1:${port}/path?query`, retries: 1 })
      const error = yield* Effect.flip(endpoint.deliver(alert))
      assert.strictEqual(error.reason, "unavailable")
      assert.strictEqual(error.message, `devops endpoint http://127.0.0.1:${port} could not be reached: ECONNREFUSED`)
    }))

  it.live("RFC W3 TLS that is none is told with its code", () =>
    Effect.gen(function*() {
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        sockets.add(socket)
        socket.on("error", () => undefined).end("no TLS at all")
      })
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => {
          server.listen(0, "127.0.0.1", () => resume(Effect.void))
        }),
        () =>
          Effect.callback<void>((resume) => {
            for (const socket of sockets) socket.destroy()
            server.close(() => resume(Effect.void))
          })
      )
      const address = server.address()
      const port = address !== null && typeof address === "object" ? address.port : 0
      const endpoint = yield* endpointWith({ endpoint: `https://127.0.0.1:${port}/secret`, retries: 1 })
      const error = yield* Effect.flip(endpoint.deliver(alert))
      assert.strictEqual(error.reason, "unavailable")
      assert.match(error.message, new RegExp(`^devops endpoint https://127.0.0.1:${port} could not be reached: \\w+$`))
      assert.strictEqual(sockets.size, 2)
    }))

  it.live("RFC W3 a circuit that opened asks a real server nothing", () =>
    Effect.gen(function*() {
      const server = yield* receiver(status(500))
      const endpoint = yield* endpointWith({
        endpoint: server.origin,
        retries: 1,
        breaker: { failures: 2, resetMs: 3_600_000 }
      })
      const reasons: Array<string> = []
      for (let n = 0; n < 5; n++) reasons.push((yield* Effect.flip(endpoint.deliver(alert))).reason)
      assert.deepStrictEqual(reasons, ["unavailable", "unavailable", "open", "open", "open"])
      assert.strictEqual(server.received.length, 4)
    }))
})
