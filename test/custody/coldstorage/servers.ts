/**
 * Real servers on ports of their own that cold storage writes to: one that keeps what it is sent as
 * docs/cold-storage.md asks of a receiver, and one with the interface of S3.
 *
 * Faults are asked for by the test, one for each request to come, the first one first.
 */
import S3rver from "@20minutes/s3rver"
import { Sha256 } from "@aws-crypto/sha256-js"
import { SignatureV4 } from "@smithy/signature-v4"
import { Effect, type Scope } from "effect"
import { createHash, createHmac } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { createServer, type IncomingMessage, request as ask, type ServerResponse } from "node:http"
import type { AddressInfo, Server } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

/**
 * What becomes of a request: it is answered so in place of what it asks for, or, with `isLate`,
 * after that was done.
 */
export interface Fault {
  readonly isLate?: boolean
  readonly answer: (response: ServerResponse) => void
}

export const answers = (status: number, headers: Record<string, string> = {}): Fault => ({
  answer: (response) => void response.writeHead(status, headers).end()
})
export const hangs: Fault = { answer: () => undefined }
export const cuts: Fault = { answer: (response) => void response.destroy() }
/** Done, and nobody is told. */
export const losesAnswer: Fault = { isLate: true, ...cuts }

/** A request as the server had it. */
export interface Received {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage["headers"]
  readonly body: Buffer
}

/** A server under test. */
export interface ColdServer {
  readonly origin: string
  readonly faults: Array<Fault>
  readonly received: ReadonlyArray<Received>
  readonly stored: Effect.Effect<ReadonlyMap<string, Uint8Array>>
  /** From now on it overwrites what is there, whatever the condition says. */
  readonly forgetConditions: () => void
}

/** It listens on 127.0.0.1 until the scope closes; gives its port. */
export const listening = (server: Server & { closeAllConnections?: () => void }) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections?.()
        })
    ),
    () => (server.address() as AddressInfo).port
  )

/** Reads a request whole, and lets a fault have its way before or after `handle`. */
const faulty = (handle: (received: Received, response: ServerResponse) => Promise<void> | void) => {
  const faults: Array<Fault> = []
  const all: Array<Received> = []
  const server = createServer((request, response) => {
    const chunks: Array<Buffer> = []
    request.on("error", () => undefined)
    response.on("error", () => undefined)
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const { headers, method = "", url: path = "" } = request
      const received = { method, path, headers, body: Buffer.concat(chunks) }
      all.push(received)
      const fault = faults.shift()
      if (fault === undefined) return void handle(received, response)
      if (fault.isLate !== true) return fault.answer(response)
      const nowhere = { writeHead: () => nowhere, end: () => fault.answer(response) } as unknown as ServerResponse
      void handle(received, nowhere)
    })
  })
  return { faults, all, server }
}

/** A receiver that takes a name once, and only what was signed with its key. */
export const receiver = (key: string): Effect.Effect<ColdServer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const stored = new Map<string, Buffer>()
    let isForgetful = false
    const { all, faults, server } = faulty(({ body, headers, method, path }, response) => {
      const name = String(headers["tracehound-name"])
      const time = String(headers["tracehound-time"])
      const sha256 = createHash("sha256").update(body).digest("hex")
      const signed = ["tracehound/1", method, path, time, name, sha256].join("\n")
      const signature = createHmac("sha256", key).update(signed).digest("hex")
      const isFresh = Math.abs(Date.now() - Number(time)) < 300_000
      if (!isFresh || headers["tracehound-signature"] !== signature) return void response.writeHead(401).end()
      const there = stored.get(name)
      if (there !== undefined && headers["if-none-match"] === "*" && !isForgetful) {
        const etag = createHash("sha256").update(there).digest("hex")
        return void response.writeHead(412, { etag: `"${etag}"` }).end()
      }
      stored.set(name, body)
      response.writeHead(201).end()
    })
    const port = yield* listening(server)
    return {
      origin: `http://127.0.0.1:${port}`,
      faults,
      received: all,
      stored: Effect.sync(() => new Map([...stored].map(([name, body]) => [name, new Uint8Array(body)]))),
      forgetConditions: () => {
        isForgetful = true
      }
    }
  })

export const credentials = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" }
export const region = "eu-test-1"
export const bucket = "evidence"

const authorization =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d{8}\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/

/** The code of the error that S3 would answer with, or null where the request is well signed. */
const misSigned = async ({ body, headers, method, path }: Received): Promise<readonly [number, string] | null> => {
  const [, keyId, of, names = "", signature] = authorization.exec(headers.authorization ?? "") ?? []
  const signed = names.split(";")
  const isWhole = ["host", "x-amz-content-sha256", "x-amz-date"].every((name) => signed.includes(name))
  if (keyId !== credentials.accessKeyId || of !== region || !isWhole) return [403, "AccessDenied"]
  if (headers["if-none-match"] !== undefined && !signed.includes("if-none-match")) return [403, "AccessDenied"]
  const sha256 = createHash("sha256").update(body).digest("hex")
  if (headers["x-amz-content-sha256"] !== sha256) return [400, "XAmzContentSHA256Mismatch"]
  const iso = String(headers["x-amz-date"]).replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z")
  const date = new Date(iso)
  if (!(Math.abs(Date.now() - date.getTime()) < 900_000)) return [403, "RequestTimeTooSkewed"]
  const url = new URL(path, "http://judge")
  const signer = new SignatureV4({ service: "s3", region, credentials, sha256: Sha256, uriEscapePath: false })
  const again = await signer.sign({
    method,
    protocol: "http:",
    hostname: url.hostname,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: Object.fromEntries(signed.map((name) => [name, String(headers[name])])),
    body
  }, { signingDate: date })
  const isSame = again.headers["authorization"]?.endsWith(`Signature=${signature}`) === true
  return isSame ? null : [403, "SignatureDoesNotMatch"]
}

/**
 * A bucket of s3rver behind a judge that recomputes each signature with AWS's own code, holds the
 * payload against its hash, and refuses a name that is taken, or that somebody is writing at the
 * moment: s3rver itself lets requests without a signature, other bodies and overwriting through.
 */
export const objectStore: Effect.Effect<ColdServer, never, Scope.Scope> = Effect.gen(function*() {
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "tracehound-test-"))),
    (made) => Effect.sync(() => rmSync(made, { recursive: true, force: true }))
  )
  const behind = yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const options = { port: 0, address: "127.0.0.1", silent: true, directory, configureBuckets: [{ name: bucket }] }
      const server = new S3rver(options)
      const { port } = await server.run()
      return { server, port }
    }),
    ({ server }) => Effect.promise(() => server.close())
  )
  let isForgetful = false
  const busy = new Set<string>()
  /** Everything goes on as it came, the signature too. */
  const passOn = ({ body, headers, path }: Received, method: string) =>
    new Promise<{ readonly status: number; readonly headers: IncomingMessage["headers"] }>((resolve, reject) => {
      const options = { host: "127.0.0.1", port: behind.port, method, path, headers, agent: false }
      const sent = ask(options, (answer) => {
        answer.resume()
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers }))
      })
      sent.on("error", reject)
      sent.end(method === "PUT" ? body : undefined)
    })
  const isThere = async (received: Received): Promise<boolean> => {
    const { host = "" } = received.headers
    const { status } = await passOn({ ...received, headers: { host } }, "HEAD")
    return status === 200
  }
  const { all, faults, server } = faulty(async (received, response) => {
    const wrong = await misSigned(received)
    if (wrong !== null) return void response.writeHead(wrong[0]).end(`<Error><Code>${wrong[1]}</Code></Error>`)
    const { headers, method, path } = received
    const isConditional = headers["if-none-match"] === "*" && !isForgetful
    if (method === "PUT" && isConditional && busy.has(path)) return void response.writeHead(409).end()
    busy.add(path)
    try {
      if (method === "PUT" && isConditional && await isThere(received)) return void response.writeHead(412).end()
      const answer = await passOn(received, method)
      response.writeHead(answer.status, answer.headers).end()
    } finally {
      busy.delete(path)
    }
  })
  const port = yield* listening(server)
  return {
    origin: `http://127.0.0.1:${port}`,
    faults,
    received: all,
    stored: Effect.sync(() => objectsIn(join(directory, bucket))),
    forgetConditions: () => {
      isForgetful = true
    }
  }
})

/** The objects of a bucket of s3rver, by the name of the envelope: its files are named by key. */
const objectsIn = (directory: string): ReadonlyMap<string, Uint8Array> => {
  const ending = ".thev._S3rver_object"
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(ending))
  return new Map(
    files.map((file) => [
      file.slice(file.lastIndexOf("/") + 1, -ending.length),
      new Uint8Array(readFileSync(join(directory, file)))
    ])
  )
}
