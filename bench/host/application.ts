/**
 * An Express application that takes orders, with a detector in front, and with custody behind the
 * detector or without: the two hosts that are measured side by side.
 *
 * The order of the middleware is the one to use: the raw body first, so that evidence is what came
 * over the wire; then custody; and only what passed is parsed.
 */
import type { Scent, ThreatSignal } from "../../src/domain/Scent.ts"
import type { TracehoundInstance } from "../../src/index.ts"
import { type ExpressApplication, type ExpressHandler, type ExpressRequest, loadPeer } from "../peers.ts"
import { maxBodySize } from "./requests.ts"

const rules: ReadonlyArray<readonly [RegExp, ThreatSignal]> = [
  [/xp_cmdshell/i, { category: "injection", severity: "critical" }],
  [/union\s+select/i, { category: "injection", severity: "high" }],
  [/<script/i, { category: "injection", severity: "medium" }],
  [/'\s*or\s+1=1/i, { category: "injection", severity: "low" }]
]

/** What a host's own detector says of a body. */
export const detect = (body: Uint8Array): ThreatSignal | undefined => {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("latin1")
  return rules.find(([pattern]) => pattern.test(text))?.[1]
}

const none = new Uint8Array(0)
const bodyOf = ({ body }: ExpressRequest): Uint8Array => body instanceof Uint8Array ? body : none

/** Refuses what the detector calls a threat, and keeps nothing of it. */
const refusal: ExpressHandler = (request, response, next) => {
  if (detect(bodyOf(request)) === undefined) next()
  else response.status(403).end()
}

/** Takes what the detector calls a threat into custody, and refuses it. */
const custody = (intercept: TracehoundInstance["intercept"]): ExpressHandler => {
  let received = 0
  return (request, response, next) => {
    const payload = bodyOf(request)
    const threat = detect(payload)
    const scent: Scent = {
      id: `request-${received++}`,
      source: request.ip ?? "unknown",
      timestamp: Date.now(),
      payload,
      ...(threat === undefined ? {} : { threat })
    }
    const result = intercept(scent)
    if (result.status === "clean" || result.status === "error") next()
    else if (result.status === "rate_limited")
      response.status(429).set("retry-after", String(Math.ceil(result.retryAfter / 1000))).end()
    else if (result.status === "payload_too_large") response.status(413).end()
    else response.status(403).end() // quarantined, ignored or escalated: all three are hostile
  }
}

interface Order {
  readonly id: number
  readonly body: { readonly user: string; readonly items: ReadonlyArray<{ readonly price: number }> }
}

const takeOrder: ExpressHandler = (request, response) => {
  const { body, id } = JSON.parse(new TextDecoder().decode(bodyOf(request))) as Order
  const total = body.items.reduce((sum, { price }) => sum + price, 0)
  response.json({ id, user: body.user, items: body.items.length, total })
}

/** The application, with custody where there is a Tracehound. Its clients come through a proxy. */
export const makeApplication = async (
  tracehound: Pick<TracehoundInstance, "intercept"> | null
): Promise<ExpressApplication> => {
  const { default: express } = await loadPeer("express")
  const application = express()
  application.disable("x-powered-by")
  application.set("trust proxy", "loopback")
  application.use(express.raw({ type: () => true, limit: maxBodySize }))
  application.use(tracehound === null ? refusal : custody(tracehound.intercept))
  application.post("/orders", takeOrder)
  return application
}
