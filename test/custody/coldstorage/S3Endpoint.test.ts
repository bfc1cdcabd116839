import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted, Schema } from "effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { TestClock } from "effect/testing"
import { request } from "node:http"
import { TracehoundConfig } from "../../../src/config/TracehoundConfig.ts"
import { ColdStorageEndpoint } from "../../../src/custody/coldstorage/Endpoint.ts"
import * as S3Endpoint from "../../../src/custody/coldstorage/S3Endpoint.ts"
import * as NodeHash from "../../../src/host/node/NodeHash.ts"
import { noise } from "../../host/port/contract.ts"
import { endpointContract } from "./endpointContract.ts"
import { answers, bucket, credentials, cuts, losesAnswer, objectStore, region } from "./servers.ts"

const configOf = (endpoint: string, s3: object) =>
  Effect.map(
    Effect.orDie(Schema.decodeUnknownEffect(TracehoundConfig)({ audit: { coldStorage: { endpoint, s3 } } })),
    ({ audit }) => audit.coldStorage ?? assert.fail("no cold storage")
  )

const endpointAt = (endpoint: string, s3: object) =>
  Effect.gen(function*() {
    const layer = S3Endpoint.layerFetch(yield* configOf(endpoint, s3))
    // Requests have the time of day, and the judge has its own.
    return Context.get(
      yield* TestClock.withLive(Layer.build(Layer.provide(layer, NodeHash.layer))),
      ColdStorageEndpoint
    )
  })

/** A store, and an endpoint in it that is open. */
const opened = (prefix = "", over: object = {}) =>
  Effect.gen(function*() {
    const store = yield* objectStore
    const s3 = { endpoint: store.origin, region, pathStyle: true, ...credentials, ...over }
    const endpoint = yield* endpointAt(`s3://${bucket}${prefix}`, s3)
    yield* endpoint.open
    return { ...store, endpoint }
  })

endpointContract(
  "a bucket",
  Effect.gen(function*() {
    const { endpoint, stored } = yield* opened("/some/prefix")
    return { configured: `s3://${bucket}/some/prefix`, endpoint, stored }
  })
)

/** The status that the store answers such a request with. */
const ask = (origin: string, method: string, headers: Record<string, string>, body?: Uint8Array) =>
  Effect.promise(() =>
    new Promise<number>((resolve, reject) => {
      const sent = request(`${origin}/${bucket}/x.thev`, { method, headers, agent: false }, (answer) => {
        answer.resume()
        resolve(answer.statusCode ?? 0)
      })
      sent.on("error", reject)
      sent.end(body)
    })
  )

describe("the judge of these tests", () => {
  it.effect("refuses what is unsigned, what was signed for another body, and what overwrites", () =>
    Effect.gen(function*() {
      const { endpoint, origin, received } = yield* opened()
      assert.strictEqual(yield* ask(origin, "PUT", {}, noise(10)), 403)
      yield* endpoint.write("x", noise(10))
      const headers = Object.entries(received[1]?.headers ?? {}).filter(([name]) => !/^(connection|host)$/.test(name))
      const sent = Object.fromEntries(headers.map(([name, value]) => [name, String(value)]))
      const { host = "" } = received[1]?.headers ?? {}
      assert.strictEqual(yield* ask(origin, "PUT", { ...sent, host }, noise(10)), 412)
      assert.strictEqual(yield* ask(origin, "PUT", { ...sent, host }, noise(10).reverse()), 400)
      assert.strictEqual(yield* ask(origin, "PUT", { ...sent, host, "if-none-match": "x" }, noise(10)), 403)
    }))
})

describe("requests to a store", () => {
  it.effect("RFC C1 are signed over the envelope's own hash and the condition, and name it in the metadata", () =>
    Effect.gen(function*() {
      const { endpoint, received } = yield* opened("/a/b")
      yield* endpoint.write("name-1", noise(100))
      const [first, second] = received
      assert.strictEqual(first?.path, `/${bucket}/a/b/name-1.thev`)
      assert.strictEqual(first?.headers["x-amz-content-sha256"], first?.headers["x-amz-meta-tracehound-sha256"])
      assert.match(String(first?.headers["x-amz-content-sha256"]), /^[0-9a-f]{64}$/)
      const signed = /SignedHeaders=([^,]+)/.exec(String(first?.headers.authorization))?.[1]?.split(";")
      assert.includeMembers(signed ?? [], ["if-none-match", "x-amz-content-sha256", "x-amz-meta-tracehound-sha256"])
      assert.deepStrictEqual([second?.method, received.length], ["PUT", 2])
    }))

  it.effect("RFC C1 with a wrong secret, an unknown key or another region are refused, once each", () =>
    Effect.gen(function*() {
      for (const wrong of [{ secretAccessKey: "S3RVEr" }, { accessKeyId: "S3RVEr" }, { region: "eu-test-2" }]) {
        const { endpoint, received, stored } = yield* opened("", wrong)
        const error = yield* Effect.flip(endpoint.write("a", noise(10)))
        assert.deepStrictEqual([error.reason, error.code], ["write", "HTTP_403"])
        assert.notInclude(error.message, "S3RV")
        assert.strictEqual(received.length, 1)
        assert.strictEqual((yield* stored).size, 0)
      }
    }))

  it.effect("RFC C1 send a session token where there is one, and take a Redacted", () =>
    Effect.gen(function*() {
      const { endpoint, received } = yield* opened("", {
        secretAccessKey: Redacted.make("S3RVER"),
        sessionToken: Redacted.make("token")
      })
      yield* endpoint.write("a", noise(10))
      assert.strictEqual(received[0]?.headers["x-amz-security-token"], "token")
    }))

  it.effect("RFC C1 go to the bucket's own host, unless the bucket is to be in the path", () =>
    Effect.gen(function*() {
      const urls: Array<string> = []
      const layerOf = (s3: object) =>
        Effect.map(configOf("s3://my.bucket/a/", { ...credentials, ...s3 }), (config) =>
          S3Endpoint.layer(config).pipe(
            Layer.provide(FetchHttpClient.layer),
            Layer.provide(Layer.succeed(FetchHttpClient.Fetch, (input) => {
              urls.push(input instanceof Request ? input.url : String(input))
              return Promise.resolve(new Response(null, { status: 500 }))
            })),
            Layer.provide(NodeHash.layer)
          ))
      for (
        const s3 of [{}, { region: "eu-central-1", pathStyle: true }, { endpoint: "http://store:9000/" }]
      ) {
        const endpoint = Context.get(yield* Layer.build(yield* layerOf(s3)), ColdStorageEndpoint)
        yield* Effect.flip(endpoint.write("x", noise(1)))
      }
      assert.deepStrictEqual(urls, [
        "https://my.bucket.s3.us-east-1.amazonaws.com/a/x.thev",
        "https://s3.eu-central-1.amazonaws.com/my.bucket/a/x.thev",
        "http://my.bucket.store:9000/a/x.thev"
      ])
    }))
})

describe("a store that cannot be opened", () => {
  it.effect("RFC C1 says that the credentials are missing, or the package that signs", () =>
    Effect.gen(function*() {
      const none = yield* endpointAt("s3://bucket", { accessKeyId: "x" })
      const error = yield* Effect.flip(none.open)
      assert.strictEqual(error.reason, "open")
      assert.include(error.message, "audit.coldStorage.s3.secretAccessKey")
      const config = yield* configOf("s3://bucket", credentials)
      const layer = S3Endpoint.layer(config, () => Promise.reject(new Error("no such package"))).pipe(
        Layer.provide(FetchHttpClient.layer),
        Layer.provide(NodeHash.layer)
      )
      const unsigned = Context.get(yield* Layer.build(layer), ColdStorageEndpoint)
      assert.include((yield* Effect.flip(unsigned.open)).message, "npm install aws4fetch")
    }))
})

describe("a store that fails", () => {
  it.effect("RFC C1 is asked once for each try, whatever it answers", () =>
    Effect.gen(function*() {
      const { endpoint, faults, received, stored } = yield* opened()
      faults.push(answers(500), answers(503), cuts, answers(307, { location: "http://127.0.0.1:1/" }))
      const codes: Array<string | undefined> = []
      for (let n = 0; n < 4; n++) codes.push((yield* Effect.flip(endpoint.write("a", noise(10)))).code)
      assert.deepStrictEqual(codes, ["HTTP_500", "HTTP_503", "UND_ERR_SOCKET", "HTTP_307"])
      assert.strictEqual(received.length, 4)
      assert.strictEqual((yield* stored).size, 0)
    }))

  it.effect("RFC C1 whose answer is lost has the envelope: the next try compares by HEAD, and is a success", () =>
    Effect.gen(function*() {
      const { endpoint, faults, received, stored } = yield* opened()
      faults.push(losesAnswer)
      assert.strictEqual((yield* Effect.flip(endpoint.write("a", noise(10)))).reason, "write")
      assert.isUndefined(yield* endpoint.write("a", noise(10)))
      assert.deepStrictEqual(received.map(({ method }) => method), ["PUT", "PUT", "HEAD"])
      assert.strictEqual((yield* Effect.flip(endpoint.write("a", noise(11)))).reason, "taken")
      assert.deepStrictEqual(yield* stored, new Map([["a", noise(10)]]))
    }))

  it.effect("RFC C1 cannot compare: the try has failed, and not as taken", () =>
    Effect.gen(function*() {
      const { endpoint, faults } = yield* opened()
      for (const status of [403, 404, 503]) {
        faults.push(answers(412), answers(status))
        const error = yield* Effect.flip(endpoint.write("a", noise(10)))
        assert.deepStrictEqual([error.reason, error.code], ["write", `HTTP_${status}`])
      }
    }))

  it.effect("RFC C1 and that does not know the condition is unconfirmed", () =>
    Effect.gen(function*() {
      const { endpoint, forgetConditions, received } = yield* opened()
      forgetConditions()
      for (const name of ["a", "b"]) assert.strictEqual(yield* endpoint.write(name, noise(10)), "unconfirmed")
      assert.strictEqual(received.length, 3)
    }))
})
