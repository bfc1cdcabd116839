import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Redacted, Schema } from "effect"
import { TestClock } from "effect/testing"
import { createHmac } from "node:crypto"
import { createServer } from "node:http"
import { createServer as createTlsServer } from "node:https"
import { TracehoundConfig } from "../../../src/config/TracehoundConfig.ts"
import { ColdStorageEndpoint } from "../../../src/custody/coldstorage/Endpoint.ts"
import * as HttpEndpoint from "../../../src/custody/coldstorage/HttpEndpoint.ts"
import { hmacHex } from "../../../src/custody/coldstorage/HttpSignature.ts"
import * as NodeHash from "../../../src/host/node/NodeHash.ts"
import { Hash } from "../../../src/host/port/Hash.ts"
import { noise } from "../../host/port/contract.ts"
import { certificate } from "./certificate.ts"
import { endpointContract } from "./endpointContract.ts"
import { answers, cuts, type Fault, hangs, listening, losesAnswer, receiver } from "./servers.ts"

const key = "k".repeat(31) + "ü"

const endpointAt = (endpoint: string, http: object = { key }) =>
  Effect.gen(function*() {
    const settings = { audit: { coldStorage: { endpoint, http } } }
    const { audit } = yield* Effect.orDie(Schema.decodeUnknownEffect(TracehoundConfig)(settings))
    const config = audit.coldStorage ?? assert.fail("no cold storage")
    const layer = Layer.provide(HttpEndpoint.layerFetch(config), NodeHash.layer)
    // Requests have the time of day, and the receiver has its own.
    return Context.get(yield* TestClock.withLive(Layer.build(layer)), ColdStorageEndpoint)
  })

/** A receiver, and an endpoint that is open. */
const opened = (path = "", http: object = { key }) =>
  Effect.gen(function*() {
    const server = yield* receiver(key)
    const endpoint = yield* endpointAt(`${server.origin}${path}`, http)
    yield* endpoint.open
    return { ...server, endpoint }
  })

for (const method of ["PUT", "POST"]) {
  endpointContract(
    `a server that takes ${method}`,
    Effect.gen(function*() {
      const { stored, origin } = yield* receiver(key)
      const configured = `${origin}/evidence`
      return { configured, endpoint: yield* endpointAt(configured, { method, key }), stored }
    })
  )
}

describe("requests to a server", () => {
  it.effect("RFC C1 name the envelope, its hash and the time, and are signed", () =>
    Effect.gen(function*() {
      const { endpoint, received } = yield* opened("/a/b/")
      yield* endpoint.write("name-1", noise(100))
      const [first] = received
      assert.strictEqual(first?.method, "PUT")
      assert.strictEqual(first?.path, "/a/b/name-1.thev")
      assert.strictEqual(first?.headers["if-none-match"], "*")
      assert.strictEqual(first?.headers["content-type"], "application/octet-stream")
      assert.strictEqual(first?.headers["content-length"], "100")
      const others = Object.keys(first?.headers ?? {}).filter((name) => /trace(parent|state)|b3|cookie/.test(name))
      assert.deepStrictEqual(others, [])
    }))

  it.effect("RFC C1 with POST go to the endpoint's own URL", () =>
    Effect.gen(function*() {
      const { endpoint, received, stored } = yield* opened("/in", { method: "POST", key: Redacted.make(key) })
      yield* endpoint.write("name-1", noise(100))
      assert.deepStrictEqual(received.map(({ method, path }) => `${method} ${path}`), ["POST /in", "POST /in"])
      assert.deepStrictEqual([...(yield* stored).keys()], ["name-1"])
    }))

  it.effect("RFC C1 with another key, or none, are refused by who checks", () =>
    Effect.gen(function*() {
      for (const http of [{}, { key: "x".repeat(32) }]) {
        const { endpoint, stored } = yield* opened("", http)
        const error = yield* Effect.flip(endpoint.write("a", noise(10)))
        assert.deepStrictEqual([error.reason, error.code], ["write", "HTTP_401"])
        assert.strictEqual((yield* stored).size, 0)
      }
    }))

  it.effect("RFC C1 are signed as node:crypto signs, whatever the key's length", () =>
    Effect.gen(function*() {
      const hash = yield* Hash
      for (const length of [1, 63, 64, 65, 1_000]) {
        const [secret, text] = [noise(length), noise(77)]
        assert.strictEqual(hmacHex(hash, secret, text), createHmac("sha256", secret).update(text).digest("hex"))
      }
    }).pipe(Effect.provide(NodeHash.layer)))

  it.effect("RFC C1 are not made for a name that a URL would have to encode", () =>
    Effect.gen(function*() {
      const { endpoint, received } = yield* opened()
      for (const name of ["", ".", "..", "a/b", "a b", "ü", "a?b", "%41", "x".repeat(129), "a\r\nb"])
        assert.strictEqual((yield* Effect.flip(endpoint.write(name, noise(1)))).reason, "write")
      assert.strictEqual(received.length, 0)
    }))
})

describe("a server that fails", () => {
  const failing: ReadonlyArray<readonly [what: string, Fault, reason: string, code: string | undefined]> = [
    ["refuses", answers(403), "write", "HTTP_403"],
    ["breaks", answers(500), "write", "HTTP_500"],
    ["is too busy", answers(503, { "retry-after": "0" }), "write", "HTTP_503"],
    ["has no room", answers(507), "full", "HTTP_507"],
    ["cuts the connection", cuts, "write", "UND_ERR_SOCKET"]
  ]
  it.effect.each(failing)(
    "RFC C1 one that %s is asked once, and its answer is the error",
    ([, fault, reason, code]) =>
      Effect.gen(function*() {
        const { endpoint, faults, origin, received, stored } = yield* opened("/secret")
        faults.push(fault)
        const error = yield* Effect.flip(endpoint.write("a", noise(10)))
        assert.deepStrictEqual([error.reason, error.code], [reason, code])
        assert.include(error.message, `${origin}/secret`)
        assert.strictEqual(received.length, 1)
        assert.strictEqual((yield* stored).size, 0)
        // The next try is the writer's own, and finds all as it should be.
        yield* endpoint.write("a", noise(10))
        assert.strictEqual((yield* stored).size, 1)
      })
  )

  it.effect("RFC C1 a redirect is not followed, wherever it goes", () =>
    Effect.gen(function*() {
      const other = yield* receiver(key)
      const { endpoint, faults, origin, received } = yield* opened()
      for (const status of [301, 302, 303, 307, 308]) {
        for (const location of [`${other.origin}/x`, `${origin}/x`, "/x", "file:///etc/passwd"]) {
          faults.push(answers(status, { location }))
          const error = yield* Effect.flip(endpoint.write("a", noise(10)))
          assert.strictEqual(error.code, `HTTP_${status}`)
          assert.notInclude(error.message, "/x")
        }
      }
      assert.strictEqual(other.received.length, 0)
      assert.strictEqual(received.length, 20)
    }))

  it.effect("RFC C1 an answer without end is not read, and its connection is closed", () =>
    Effect.gen(function*() {
      const { endpoint, faults } = yield* opened()
      const ended = Promise.withResolvers<void>()
      let sent = 0
      faults.push(answers(201), {
        answer: (response) => {
          response.writeHead(412, { etag: `"${"x".repeat(4_000)}"` })
          const more = (): void => {
            if (response.destroyed) return
            sent += 65_536
            if (response.write(Buffer.alloc(65_536))) setImmediate(more)
            else response.once("drain", more)
          }
          response.on("close", ended.resolve)
          more()
        }
      })
      yield* endpoint.write("a", noise(10))
      yield* Effect.promise(() => ended.promise)
      assert.isBelow(sent, 100_000_000)
    }))

  it.effect("RFC C1 one that never answers is let go when the write is given up", () =>
    Effect.gen(function*() {
      const { endpoint, faults } = yield* opened()
      const asked = Promise.withResolvers<void>()
      const closed = Promise.withResolvers<void>()
      faults.push({
        answer: (response) => {
          hangs.answer(response)
          response.on("close", closed.resolve)
          asked.resolve()
        }
      })
      const fiber = yield* Effect.forkChild(endpoint.write("a", noise(10)))
      yield* Effect.promise(() => asked.promise)
      yield* Fiber.interrupt(fiber)
      yield* Effect.promise(() => closed.promise)
    }))

  it.effect("RFC C1 nobody there, no TLS, and a certificate that nobody vouches for are errors with the host's code", () =>
    Effect.gen(function*() {
      const { origin } = yield* receiver(key)
      const tls = yield* listening(createTlsServer(certificate, (_, response) => void response.end()))
      const nobody = yield* Effect.scoped(listening(createServer()))
      const codes: Array<string | undefined> = []
      for (const url of [`http://127.0.0.1:${nobody}`, origin.replace("http:", "https:"), `https://127.0.0.1:${tls}`]) {
        const endpoint = yield* endpointAt(url)
        const error = yield* Effect.flip(endpoint.write("a", noise(10)))
        assert.strictEqual(error.reason, "write")
        assert.include(error.message, `cold storage ${url} could not be reached`)
        codes.push(error.code)
      }
      assert.strictEqual(codes[0], "ECONNREFUSED")
      assert.match(String(codes[1]), /^ERR_SSL_/)
      assert.strictEqual(codes[2], "DEPTH_ZERO_SELF_SIGNED_CERT")
    }))
})

describe("a name that is taken", () => {
  it.effect("RFC C1 is a success where it is ours: the answer of the first try was lost", () =>
    Effect.gen(function*() {
      const { endpoint, faults, stored } = yield* opened()
      faults.push(losesAnswer)
      assert.strictEqual((yield* Effect.flip(endpoint.write("a", noise(10)))).reason, "write")
      assert.isUndefined(yield* endpoint.write("a", noise(10)))
      const error = yield* Effect.flip(endpoint.write("a", noise(11)))
      assert.strictEqual(error.reason, "taken")
      assert.deepStrictEqual(yield* stored, new Map([["a", noise(10)]]))
    }))

  it.effect("RFC C1 is somebody else's where the server does not say what it has", () =>
    Effect.gen(function*() {
      const { endpoint, faults } = yield* opened()
      for (const headers of [{}, { etag: "W/\"x\"" }, { etag: "" }] as ReadonlyArray<Record<string, string>>) {
        faults.push(answers(412, headers))
        assert.strictEqual((yield* Effect.flip(endpoint.write("a", noise(10)))).reason, "taken")
      }
    }))

  it.effect("RFC C1 is tried out at the first write, and a server that overwrites is unconfirmed from then on", () =>
    Effect.gen(function*() {
      const good = yield* opened()
      for (const name of ["a", "b", "c"]) assert.isUndefined(yield* good.endpoint.write(name, noise(10)))
      assert.strictEqual(good.received.length, 4)
      const bad = yield* opened()
      bad.forgetConditions()
      for (const name of ["a", "b", "c"]) assert.strictEqual(yield* bad.endpoint.write(name, noise(10)), "unconfirmed")
      assert.strictEqual(bad.received.length, 4)
    }))

  it.effect("RFC C1 is not known where the trial has no answer: the write has failed, and the next try tells", () =>
    Effect.gen(function*() {
      const { endpoint, faults, received, stored } = yield* opened()
      faults.push({ isLate: true, ...answers(201) }, answers(503))
      assert.strictEqual((yield* Effect.flip(endpoint.write("a", noise(10)))).code, "HTTP_503")
      assert.isUndefined(yield* endpoint.write("a", noise(10)))
      assert.isUndefined(yield* endpoint.write("b", noise(10)))
      assert.strictEqual(received.length, 4)
      assert.strictEqual((yield* stored).size, 2)
    }))

  it.effect("RFC C1 by a write under way is asked three times, and no more", () =>
    Effect.gen(function*() {
      const { endpoint, faults, received } = yield* opened()
      faults.push(answers(409), answers(409))
      assert.isUndefined(yield* endpoint.write("a", noise(10)))
      assert.strictEqual(received.length, 4)
      faults.push(answers(409), answers(409), answers(409))
      assert.strictEqual((yield* Effect.flip(endpoint.write("b", noise(10)))).code, "HTTP_409")
      assert.strictEqual(received.length, 7)
    }))
})
