/**
 * Tracehound in front of a plain node:http server, without a line of Effect. PORT chooses another
 * port.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { createTracehound } from "tracehound"

const maxBodyBytes = 1_000_000

const tracehound = createTracehound({ maxPayloadSize: maxBodyBytes, quarantine: { maxCount: 1000 } })
await tracehound.init()

/** Stands for your detector: Tracehound has none. */
const looksHostile = (body: Buffer): boolean => /<script\b|' or 1=1/i.test(body.toString("latin1"))

/** The body, or null where it is larger than `maxBodyBytes`. */
const read = async (request: IncomingMessage): Promise<Buffer | null> => {
  const chunks: Array<Buffer> = []
  let size = 0
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue
    size += chunk.length
    if (size > maxBodyBytes) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

let requests = 0

const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  try {
    const payload = await read(request)
    if (payload === null) {
      response.writeHead(413, { connection: "close" }).end("too large\n")
      return
    }
    requests += 1
    const result = tracehound.intercept({
      id: String(requests),
      source: request.socket.remoteAddress ?? "unknown",
      timestamp: Date.now(),
      payload,
      ...(looksHostile(payload) ? { threat: { category: "injection", severity: "high" } } : {})
    })
    switch (result.status) {
      case "clean":
      case "error":
        response.end("hello\n")
        return
      case "rate_limited":
        response.writeHead(429, { "retry-after": String(Math.ceil(result.retryAfter / 1000)) }).end("slow down\n")
        return
      case "payload_too_large":
        response.writeHead(413).end("too large\n")
        return
      default:
        response.writeHead(403).end(`blocked: ${result.status}\n`)
    }
  } catch {
    // The request broke off: no one is left to answer.
    response.destroy()
  }
}

const server = createServer((request, response) => void answer(request, response))

server.listen(Number(process.env["PORT"] ?? 4101), "127.0.0.1", () => {
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  console.log(`plain node:http with Tracehound listens on http://127.0.0.1:${port}`)
})

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    console.log(`held at the end: ${tracehound.quarantine.count}, audit verified: ${tracehound.auditChain.verify()}`)
    server.close(() => void tracehound.dispose())
    server.closeAllConnections()
  })
}
