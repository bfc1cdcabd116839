/**
 * Calls of which it is promised, or held, what they leave to the garbage collector. `child.ts`
 * counts one of them in a process of its own; bounds are in `allocation.slow.test.ts`.
 */
import { FlushedScheduler } from "../../bench/actorWorld.ts"
import { requestObject, scatteredBytes, sources, texts } from "../../bench/payloads.ts"
import type { Variant } from "../../bench/runner.ts"
import type { Scent } from "../../src/domain/Scent.ts"
import type { TracehoundConfigInput, TracehoundInstance } from "../../src/index.ts"
import { createTracehound } from "../../src/runtime/createTracehound.ts"

/** What is counted, over so many calls. */
export interface Counted {
  readonly variant: Omit<Variant, "name">
  readonly calls: number
  /** Calls that were answered in another way than they should be. */
  readonly others: () => number
}

const million = 1_000_000
const many = sources(256)
const request = { id: "request-1", source: many[0] ?? "", timestamp: 1_760_000_000_000, payload: { a: 1 } }
const threat = { category: "injection", severity: "low" } as const
const forever = { maxRequests: 1_000_000_000 }
const roomy = { maxCount: 16_777_216, maxBytes: 1e15 }

type Reused = { -readonly [K in keyof Scent]: Scent[K] }

/** How a scent is sent again and again. */
interface Sending {
  readonly tracehound: TracehoundInstance
  readonly scent: Scent
  readonly status: string
  readonly calls?: number
  /** Changes the scent, or what its payload is, before each call. */
  readonly change?: (scent: Reused, i: number) => void
  readonly before?: () => void
  readonly after?: () => void
}

/** Sends a scent from source after source, and counts the answers of another status. */
const sending = ({ after, before, calls = million, change, scent, status, tracehound }: Sending): Counted => {
  const reused: Reused = { ...scent }
  let others = 0
  return {
    calls,
    others: () => others,
    variant: {
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
      run: (i) => {
        reused.source = many[i & 255] ?? ""
        change?.(reused, i)
        const result = tracehound.intercept(reused)
        if (result.status !== status) others++
        return result
      }
    }
  }
}

const roomyTracehound = (config: TracehoundConfigInput = {}): TracehoundInstance =>
  createTracehound({ rateLimit: forever, quarantine: roomy, maxPayloadSize: 2_097_152, ...config })

/**
 * Sends what is held already. It is one payload: of several, some might by chance have to be hashed
 * to be told apart.
 */
const duplicate = (payload: unknown, calls: number = million): Counted => {
  const tracehound = roomyTracehound()
  const scent = { ...request, payload, threat }
  tracehound.intercept(scent)
  return sending({ tracehound, scent, calls, status: "ignored" })
}

/**
 * An object of about so many bytes of JSON with a long text of many escapes. V8 takes 16 bytes
 * where it reads a number that it keeps as a double, so that there are texts in their place.
 */
const withoutDoubles = (size: number): unknown => {
  const note = `"${"a text of which some is to be escaped\n".repeat(size >> 7)}"`
  return JSON.parse(
    JSON.stringify({ ...requestObject(size >> 1), note, none: {} }),
    (_, value: unknown) => typeof value === "number" && !Number.isInteger(value) ? `${value}` : value
  )
}

/** New evidence of 64 bytes that finds room; it is gone after each turn. */
const newBytes = (): Counted => {
  const tracehound = roomyTracehound()
  const payload = scatteredBytes(64)
  return sending({
    tracehound,
    status: "quarantined",
    calls: 50_000,
    scent: { ...request, payload: payload(0), threat },
    change: (_, i) => {
      payload(i)
    },
    after: () => tracehound.flush()
  })
}

/** New evidence of 64 bytes for which other evidence has to go. */
const evicting = (): Counted => {
  const tracehound = roomyTracehound({ quarantine: { maxCount: 1000 } })
  const payload = scatteredBytes(64)
  const scent = { ...request, payload: payload(0), threat }
  for (let i = 0; i < 1000; i++) {
    payload(-1 - i)
    tracehound.intercept(scent)
  }
  return sending({
    tracehound,
    scent,
    status: "quarantined",
    calls: 100_000,
    change: (_, i) => {
      payload(i)
    }
  })
}

/** New evidence of an object of about so many bytes. */
const newObject = (size: number, calls: number): Counted => {
  const tracehound = roomyTracehound()
  const object = requestObject(size)
  return sending({
    tracehound,
    calls,
    status: "quarantined",
    scent: { ...request, payload: object, threat },
    change: (_, i) => {
      object.id = i
    },
    after: () => tracehound.flush()
  })
}

const refusing = (payload: unknown): Counted =>
  sending({
    tracehound: createTracehound({ maxPayloadSize: 16, rateLimit: forever, quarantine: { maxBytes: 1000 } }),
    status: "payload_too_large",
    scent: { ...request, payload, threat }
  })

const telling = async (): Promise<Counted> => {
  const { add, counter, makeSystem, roomy: capacity, spawnOne } = await import("../../bench/actorWorld.ts")
  const { fifo } = await import("../../src/actor/index.ts")
  const scheduler = new FlushedScheduler()
  const one = await spawnOne(await makeSystem(scheduler), counter(fifo({ capacity })), scheduler)
  let others = 0
  return {
    calls: 100_000,
    others: () => others,
    variant: {
      run: () => {
        const isTaken = one.tellUnsafe(add)
        if (!isTaken) others++
        return isTaken
      },
      after: () => scheduler.flush()
    }
  }
}

const appending = async (): Promise<Counted> => {
  const { services } = await import("../../bench/services.ts")
  const { chain } = await services()
  const facts = {
    status: "evicted",
    severity: "low",
    purgeReason: null,
    category: "injection",
    size: 1024,
    compressedSize: null,
    timestamp: 1_760_000_000_000,
    id: scatteredBytes(20)(1),
    hash: scatteredBytes(32)(1),
    digest: scatteredBytes(32)(1),
    destination: null
  } as const
  return { calls: 300_000, others: () => 0, variant: { run: () => chain.append(facts) } }
}

const naming = async (): Promise<Counted> => {
  const { sourceKey } = await import("../../src/intake/gate/SourceKey.ts")
  return { calls: million, others: () => 0, variant: { run: (i) => sourceKey(many[i & 255] ?? "") } }
}

const identifying = async (): Promise<Counted> => {
  const { services } = await import("../../bench/services.ts")
  const { ids } = await services()
  const target = new Uint8Array(20)
  return { calls: million, others: () => 0, variant: { run: () => ids.nextInto(target, 1_760_000_000_000) } }
}

/** All of them, by name. */
export const cases = {
  clean: () => sending({ tracehound: createTracehound({ rateLimit: forever }), scent: request, status: "clean" }),
  limited: () => {
    const tracehound = createTracehound({ rateLimit: { maxRequests: 1, blockDurationMs: 300_000 } })
    for (const source of [...many, ...many]) tracehound.rateLimiter.check(source)
    return sending({ tracehound, scent: request, status: "rate_limited" })
  },
  "too large, bytes": () => refusing(new Uint8Array(17)),
  "too large, text": () => refusing("x".repeat(17)),
  "no scent": () =>
    sending({
      tracehound: createTracehound({ rateLimit: forever }),
      scent: { ...request, id: "x".repeat(257) },
      status: "error"
    }),
  "a duplicate of 64 bytes": () => duplicate(scatteredBytes(64)(1)),
  "a duplicate of 2 KiB": () => duplicate(scatteredBytes(2048)(1)),
  "a duplicate of 16 KiB": () => duplicate(scatteredBytes(16_384)(1), 300_000),
  "a duplicate of 1 MiB": () => duplicate(scatteredBytes(1_048_576)(1), 10_000),
  "a duplicate of 2 KiB of text": () => duplicate(texts(2048, 1)[0], 300_000),
  "a duplicate of an object of 1 KiB": () => duplicate(requestObject(1024), 100_000),
  "a duplicate of an object without doubles, 1 KiB": () => duplicate(withoutDoubles(1024), 300_000),
  "a duplicate of an object without doubles, 16 KiB": () => duplicate(withoutDoubles(16_384), 20_000),
  "new evidence of 64 bytes": newBytes,
  "new evidence that evicts": evicting,
  "new evidence of an object of 1 KiB": () => newObject(1024, 40_000),
  "new evidence of an object of 64 KiB": () => newObject(65_536, 300),
  "a message told": telling,
  "a record appended": appending,
  "the key of a source": naming,
  "an id as bytes": identifying
} satisfies Readonly<Record<string, () => Counted | Promise<Counted>>>

/** The name of one of them. */
export type CaseName = keyof typeof cases
