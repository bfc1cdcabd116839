/**
 * `s3:` endpoints: cold storage in a bucket (CONFORMANCE C1). `s3://BUCKET/PREFIX` names it,
 * `audit.coldStorage.s3` where it is and who asks.
 *
 * An envelope is `PREFIX/NAME.thev`, with its SHA-256 as the object's metadata. It is written under
 * `If-None-Match: *` (`AppendOnly.ts`); where the name is taken, a HEAD compares that hash, which
 * reads no evidence. Requests are signed by SigV4 over the envelope's own hash.
 *
 * Signing is `aws4fetch`'s, a peer dependency that is imported when the endpoint is opened. Its
 * signer alone is used: its client would try ten times by itself.
 *
 * **Gotchas**
 *
 * - Opening asks nothing of the store: rights to write need no right to list. The first write
 *   tells.
 * - A bucket's own rules say how long objects stay (Object Lock), not Tracehound.
 * - While a request is signed the credentials are plain text in the heap.
 */
import type { AwsV4Signer } from "aws4fetch"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { ColdStorageConfig } from "../../config/TracehoundConfig.ts"
import { Hash } from "../../host/port/Hash.ts"
import { AppendOnly, objectName } from "./AppendOnly.ts"
import { ColdStorageEndpoint, ColdStorageError } from "./Endpoint.ts"
import { type Exchange, makeExchange, type Outgoing, refusal } from "./HttpExchange.ts"

type S3Config = Pick<ColdStorageConfig, "endpoint" | "s3">

const unopenable = (endpoint: string, why: string): ColdStorageError =>
  new ColdStorageError({ reason: "open", message: `cold storage ${endpoint} cannot be opened: ${why}` })

/** The URL of an object without its last part. The bucket and the prefix need no encoding. */
const baseOf = ({ endpoint, s3 }: S3Config): string => {
  const [, bucket = "", prefix = ""] = /^s3:\/\/([^/]+)\/?(.*?)\/?$/.exec(endpoint) ?? []
  const url = new URL(s3.endpoint ?? `https://s3.${s3.region}.amazonaws.com`)
  if (!s3.pathStyle) url.host = `${bucket}.${url.host}`
  const folders = [...(s3.pathStyle ? [bucket] : []), ...(prefix === "" ? [] : [prefix])]
  return [url.origin, ...folders].join("/")
}

/** Signs requests; the credentials leave their wrappers for the time of one signature. */
const signerOf = (
  { s3: { accessKeyId, region, secretAccessKey, sessionToken }, ...config }: S3Config,
  Signer: typeof AwsV4Signer,
  clock: Clock.Clock
): Effect.Effect<(request: Outgoing) => Effect.Effect<Outgoing, ColdStorageError>, ColdStorageError> => {
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const why = "set audit.coldStorage.s3.accessKeyId and audit.coldStorage.s3.secretAccessKey"
    return Effect.fail(unopenable(config.endpoint, why))
  }
  return Effect.succeed((request) =>
    Effect.tryPromise({
      try: async () => {
        const { headers } = await new Signer({
          method: request.method,
          url: request.url,
          headers: { ...request.headers },
          accessKeyId: Redacted.value(accessKeyId),
          secretAccessKey: Redacted.value(secretAccessKey),
          ...(sessionToken === undefined ? {} : { sessionToken: Redacted.value(sessionToken) }),
          service: "s3",
          region,
          datetime: amzDate(clock.currentTimeMillisUnsafe())
        }).sign()
        return { ...request, headers: Object.fromEntries(headers) }
      },
      catch: () =>
        new ColdStorageError({
          reason: "write",
          message: `cold storage ${config.endpoint}: the request could not be signed`
        })
    })
  )
}

/** `20260102T030405Z`. */
const amzDate = (ms: number): string => new Date(ms).toISOString().replace(/[:-]|\.\d{3}/g, "")

/** The SHA-256 of no bytes: a HEAD has no body. */
const emptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/** The object's metadata that tells whose it is. */
const ownHash = "x-amz-meta-tracehound-sha256"

/** What an opened endpoint writes by. */
interface Store {
  readonly base: string
  readonly endpoint: string
  readonly send: Exchange
  readonly server: AppendOnly
  readonly hash: Pick<Hash["Service"], "sha256Hex">
}

const writeTo =
  ({ base, endpoint, hash, send, server }: Store): ColdStorageEndpoint["Service"]["write"] => (name, bytes) =>
    Effect.flatMap(objectName(endpoint, name), (object) => {
      const url = `${base}/${object}`
      const sha256 = hash.sha256Hex(bytes)
      const put = send({
        method: "PUT",
        url,
        headers: { "if-none-match": "*", "x-amz-content-sha256": sha256, [ownHash]: sha256 },
        body: bytes
      })
      const head = send({ method: "HEAD", url, headers: { "x-amz-content-sha256": emptySha256 } })
      const isOurs = () =>
        Effect.flatMap(head, (answer) =>
          answer.status === 200
            ? Effect.succeed(answer.headers[ownHash] === sha256)
            : Effect.fail(refusal(endpoint, answer)))
      return server.write({ name, put, isOurs })
    })

/** The endpoint over the host's HTTP client. `load` imports the signer. */
export const layer = (
  config: S3Config,
  load: () => Promise<{ readonly AwsV4Signer: typeof AwsV4Signer }> = () => import("aws4fetch")
): Layer.Layer<ColdStorageEndpoint, never, Hash | HttpClient.HttpClient> =>
  Layer.effect(
    ColdStorageEndpoint,
    Effect.gen(function*() {
      const { endpoint } = config
      const hash = yield* Hash
      const clock = yield* Clock.Clock
      const exchange = yield* makeExchange(endpoint)
      const server = new AppendOnly(endpoint)
      const opened = yield* Effect.cached(Effect.gen(function*() {
        const { AwsV4Signer } = yield* Effect.tryPromise({
          try: load,
          catch: () => unopenable(endpoint, "it needs the package aws4fetch: npm install aws4fetch")
        })
        const sign = yield* signerOf(config, AwsV4Signer, clock)
        const send: Exchange = (request) => Effect.flatMap(sign(request), exchange)
        return writeTo({ base: baseOf(config), endpoint, hash, send, server })
      }))
      return {
        destination: endpoint,
        open: Effect.asVoid(opened),
        write: (name, bytes) => Effect.flatMap(opened, (write) => write(name, bytes))
      }
    })
  )

/** The endpoint over the runtime's own `fetch`. */
export const layerFetch = (config: S3Config) => Layer.provide(layer(config), FetchHttpClient.layer)
