/**
 * Counts what a million calls of one kind leave to the garbage collector, in a process of its own,
 * so that nothing else allocates.
 */
import { allocationOf } from "../../bench/allocation.ts"
import { sources } from "../../bench/payloads.ts"
import type { Scent } from "../../src/domain/Scent.ts"
import { createTracehound } from "../../src/runtime/createTracehound.ts"

const million = 1_000_000
const many = sources(256)
const request = { id: "request-1", source: many[0] ?? "", timestamp: 1_760_000_000_000, payload: { a: 1 } }
const threat = { category: "injection", severity: "low" } as const

const forever = { maxRequests: 1_000_000_000 }

/** Each kind's calls, all of which must have this status. */
const kinds = {
  clean: () => ({ tracehound: createTracehound({ rateLimit: forever }), scent: request }),
  rate_limited: () => {
    const tracehound = createTracehound({ rateLimit: { maxRequests: 1, blockDurationMs: 300_000 } })
    for (const source of [...many, ...many]) tracehound.rateLimiter.check(source)
    return { tracehound, scent: request }
  },
  payload_too_large: () => ({
    tracehound: createTracehound({ maxPayloadSize: 16, rateLimit: forever }),
    scent: { ...request, payload: new Uint8Array(17), threat }
  }),
  ignored: (size: number) => {
    const tracehound = createTracehound({ rateLimit: forever })
    const scent = { ...request, payload: new Uint8Array(size).fill(7), threat }
    tracehound.intercept(scent)
    return { tracehound, scent }
  }
} as const

type Kind = keyof typeof kinds

const kind = process.argv[2] as Kind
const { scent, tracehound } = kinds[kind](Number(process.argv[3]))
const { status: first } = tracehound.intercept(scent)
if (first !== kind) throw new Error(`the first call was ${first}`)
const reused: { -readonly [K in keyof Scent]: Scent[K] } = { ...scent }
let others = 0
const variant = {
  name: kind,
  run: (i: number) => {
    reused.source = many[i & 255] ?? ""
    const { status } = tracehound.intercept(reused)
    if (status !== kind) others++
    return status
  }
}
// Compiled and sized by what comes first, which counts for nothing.
allocationOf(variant, million / 10, 8)
process.stdout.write(JSON.stringify({ ...allocationOf(variant, million, 2), others }))
