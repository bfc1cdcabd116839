/**
 * `http:` and `https:` endpoints: cold storage behind a server of one's own (CONFORMANCE C1).
 *
 * With PUT each envelope has a URL, the endpoint's with `/NAME.thev` behind it; with POST all go to
 * the endpoint's URL, and the header field `tracehound-name` tells them apart. Every request has
 * `If-None-Match: *`: the receiver takes a name once, and answers 412 to a name that it has
 * (`AppendOnly.ts`). Where that answer's ETag is the SHA-256 of what it has, a retry after a lost
 * answer is a success. docs/cold-storage.md has a receiver.
 *
 * **Gotchas**
 *
 * - Opening asks nothing of the server: the first write does.
 * - Without a key nothing tells the receiver who sent an envelope. With `http:` everybody on the
 *   way can read it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { ColdStorageConfig } from "../../config/TracehoundConfig.ts"
import { Hash } from "../../host/port/Hash.ts"
import { AppendOnly, objectName } from "./AppendOnly.ts"
import { ColdStorageEndpoint } from "./Endpoint.ts"
import { makeExchange } from "./HttpExchange.ts"
import { headersOf } from "./HttpSignature.ts"

/** The endpoint over the host's HTTP client. */
export const layer = (
  { endpoint, http: { key, method } }: Pick<ColdStorageConfig, "endpoint" | "http">
): Layer.Layer<ColdStorageEndpoint, never, Hash | HttpClient.HttpClient> =>
  Layer.effect(
    ColdStorageEndpoint,
    Effect.gen(function*() {
      const hash = yield* Hash
      const clock = yield* Clock.Clock
      const exchange = yield* makeExchange(endpoint)
      const server = new AppendOnly(endpoint)
      const base = new URL(endpoint)
      return {
        destination: endpoint,
        open: Effect.void,
        write: (name, bytes) =>
          Effect.flatMap(objectName(endpoint, name), (object) => {
            const url = new URL(base)
            if (method === "PUT") url.pathname = `${base.pathname.replace(/\/$/, "")}/${object}`
            const sha256 = hash.sha256Hex(bytes)
            const put = Effect.suspend(() => {
              const time = clock.currentTimeMillisUnsafe()
              const signed = { method, path: url.pathname, time, name, sha256 }
              const headers = headersOf(hash, signed, key === undefined ? undefined : Redacted.value(key))
              return exchange({ method, url: url.href, headers, body: bytes })
            })
            const isOurs = (headers: Readonly<Record<string, string | undefined>>): boolean =>
              headers["etag"] === `"${sha256}"`
            return server.write({ name, put, isOurs: ({ headers }) => Effect.succeed(isOurs(headers)) })
          })
      }
    })
  )

/** The endpoint over the runtime's own `fetch`. */
export const layerFetch = (config: Pick<ColdStorageConfig, "endpoint" | "http">) =>
  Layer.provide(layer(config), FetchHttpClient.layer)
