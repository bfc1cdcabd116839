/**
 * Runs the real Tracehound, under a clock of the test's own, and the reference model side by side:
 * does a command to both, then compares everything that can be seen from outside, and throws where
 * they differ.
 */
import { assert } from "@effect/vitest"
import { createHash } from "node:crypto"
import { isDeepStrictEqual } from "node:util"
import type { EvidenceHandle } from "../../src/domain/Evidence.ts"
import type { InterceptResult } from "../../src/domain/InterceptResult.ts"
import type { CustodyRecord } from "../../src/domain/Records.ts"
import type { Scent } from "../../src/domain/Scent.ts"
import type { TracehoundSync } from "../../src/runtime/TracehoundSync.ts"
import type { ManualClock } from "../../src/testing/ManualClock.ts"
import { type Evidence, type ModelConfig, ReferenceModel } from "../../src/testing/ReferenceModel.ts"
import { type Command, payloads, sourceKeys, type SourceName } from "./commands.ts"

/** A handle that the real one gave, and the evidence that the model says it is. */
interface Given {
  readonly evidence: Evidence
  readonly handle: EvidenceHandle
  readonly content: Buffer
  /** Buffers that the test read from the handle, and kept. */
  readonly kept: Array<ArrayBuffer>
  isScribbled: boolean
}

/** One run of both. */
export interface World {
  readonly model: ReferenceModel
  /** Does the command to both; throws where they differ, in the answer or afterwards. */
  readonly step: (command: Command) => void
}

const hashes = Object.fromEntries(
  Object.entries(payloads).map(([name, { canonical }]) => {
    const bytes = Buffer.from(canonical)
    return [name, { bytes, hash: createHash("sha256").update(bytes).digest("hex") }]
  })
)

const notScents: Record<Extract<Command, { readonly do: "malformed" }>["scent"], unknown> = {
  null: null,
  "no id": { source: "s1", timestamp: 1, payload: "a" },
  "long source": { id: "1", source: "s".repeat(257), timestamp: 1, payload: "a" },
  "NaN timestamp": { id: "1", source: "s1", timestamp: Number.NaN, payload: "a" },
  "unknown severity": { id: "1", source: "s1", timestamp: 1, payload: "a", threat: { category: "spam", severity: "?" } }
}

const told = (value: unknown): string => JSON.stringify(value) ?? String(value)

/** Throws a line that says what differs. */
const same = (what: string, seen: unknown, expected: unknown): void => {
  if (!isDeepStrictEqual(seen, expected)) assert.fail(`${what}: saw ${told(seen)}, expected ${told(expected)}`)
}

/** Both of them before the first command. */
export const makeWorld = (real: TracehoundSync, clock: ManualClock, bounds: ModelConfig): World => {
  const model = new ReferenceModel(bounds)
  const given: Array<Given> = []
  /** When each record of the chain was made, by the time of day. */
  const madeAt: Array<number> = []
  /** When scents came, in monotonic ms. */
  const arrivals: Array<number> = []
  const now = clock.monotonicUnsafe

  const nth = (ago: number): Given | undefined => given[given.length - 1 - ago]

  const intercept = (scent: unknown): InterceptResult => {
    arrivals.push(now())
    return real.intercept(scent as Scent)
  }

  const compareIntercept = (command: Extract<Command, { readonly do: "intercept" }>): void => {
    const { category, payload, severity, source } = command
    const { bytes, hash } = hashes[payload] ?? assert.fail(payload)
    const signal = category === "none" ? null : { category, severity }
    const value = payloads[payload].make()
    const expected = model.intercept(sourceKeys[source], { name: hash, size: bytes.length }, signal, now())
    const result = intercept({
      id: "1",
      source,
      timestamp: 1,
      payload: value,
      ...(signal === null ? {} : { threat: signal })
    })
    same("status", result.status, expected.status)
    if (result.status === "rate_limited" && expected.status === "rate_limited")
      same("retryAfter", result.retryAfter, expected.retryAfter)
    if (result.status === "ignored") same("signature", result.signature, `${category}:${hash}`)
    if (result.status !== "quarantined" || expected.status !== "quarantined") return
    const { handle } = result
    same("whether the newcomer was evicted", "evicted" in result, expected.isEvicted)
    same(
      "the handle",
      [handle.signature, handle.hash, handle.size, handle.captured],
      [`${category}:${hash}`, hash, bytes.length, clock.wallUnsafe()]
    )
    given.push({ evidence: expected.evidence, handle, content: bytes, kept: [], isScribbled: false })
  }

  const compareCheck = (source: SourceName): void => {
    const expected = model.request(sourceKeys[source], now())
    const result = real.rateLimiter.check(source)
    same("retryAfter of a check", result.allowed ? 0 : result.retryAfter, expected)
  }

  const compareRecord = (record: CustodyRecord | null, isExpected: boolean, head: string): void => {
    same("whether there was a record", record !== null, isExpected)
    if (record !== null) same("previousHash of the record", record.previousHash, head)
  }

  const compareLeave = (command: Extract<Command, { readonly do: "leave" }>): void => {
    const target = nth(command.nth)
    if (target === undefined) return
    const { signature } = target.handle
    const isByHandle = command.by === "handle"
    const evidence = isByHandle ? target.evidence : model.find(signature)
    const handle = isByHandle ? target.handle : real.quarantine.get(signature)
    const isExpected = evidence !== undefined && model[command.way](evidence)
    const head = real.auditChain.lastHash
    switch (command.way) {
      case "neutralize":
        return compareRecord(isByHandle ? target.handle.neutralize() : real.neutralize(signature), isExpected, head)
      case "evacuate":
        return compareRecord(isByHandle ? target.handle.evacuate() : real.evacuate(signature), isExpected, head)
      case "transfer": {
        const bytes = handle?.transfer() ?? null
        same("whether bytes were transferred", bytes !== null, isExpected)
        const isScribbled = given.some((other) => other.evidence === evidence && other.isScribbled)
        if (bytes !== null && !isScribbled) same("transferred bytes", Buffer.from(bytes), target.content)
      }
    }
  }

  const compareRead = ({ nth: ago, scribble }: Extract<Command, { readonly do: "read" }>): void => {
    const target = nth(ago)
    if (target === undefined) return
    const { bytes } = target.handle
    same("whether bytes are there", bytes !== null, model.isHeld(target.evidence))
    if (bytes === null) return
    if (!target.isScribbled) same("bytes", Buffer.from(bytes), target.content)
    target.kept.push(bytes)
    if (scribble && bytes.byteLength > 0) {
      new Uint8Array(bytes).fill(1)
      target.isScribbled = true
    }
  }

  const compareFlush = (): void => {
    const expected = model.flush().map(({ signature }) => signature)
    same("the order of eviction", real.flush().map(({ signature }) => signature), expected)
  }

  const perform = (command: Command): void => {
    switch (command.do) {
      case "intercept":
        return compareIntercept(command)
      case "malformed": {
        const result = intercept(notScents[command.scent])
        same("state of the error", result.status === "error" ? result.error.state : result.status, "agent")
        return
      }
      case "check":
        for (let i = 0; i < command.times; i++) compareCheck(command.source)
        return
      case "reset":
        model.reset(sourceKeys[command.source])
        return real.rateLimiter.reset(command.source)
      case "pass":
        return clock.passUnsafe(command.ms)
      case "pass to end":
        return clock.passUnsafe(Math.max(0, (model.nextEnd(now()) ?? now()) - now() + command.off))
      case "set wall":
        return clock.setWallUnsafe(clock.wallUnsafe() + command.by)
      case "leave":
        return compareLeave(command)
      case "read":
        return compareRead(command)
      case "flush":
        return compareFlush()
    }
  }

  const compareHandle = ({ evidence, handle, kept }: Given): void => {
    const isHeld = model.isHeld(evidence)
    same(`disposed of ${evidence.signature}`, handle.disposed, !isHeld)
    // What left may tell the severity that it had when it came.
    if (isHeld) same(`severity of ${evidence.signature}`, handle.severity, evidence.severity)
    if (!isHeld) {
      same(`bytes of ${evidence.signature}`, handle.bytes, null)
      for (const buffer of kept) same(`length of a kept buffer of ${evidence.signature}`, buffer.byteLength, 0)
    }
    const found = real.quarantine.get(evidence.signature)
    same(`whether ${evidence.signature} is found`, found !== null, model.find(evidence.signature) !== undefined)
  }

  const compareChain = (): void => {
    const records = real.auditChain.records()
    const seen = records.map(({ entry }) => `${entry.status} ${entry.signature}`)
    same("audit", seen, model.audit.map(({ evidence, status }) => `${status} ${evidence.signature}`))
    const { checked, firstBroken, valid } = real.auditChain.inspect(real.auditChain.lastHash)
    same("the chain", { valid, firstBroken, checked }, { valid: true, firstBroken: null, checked: records.length })
    while (madeAt.length < records.length) madeAt.push(clock.wallUnsafe())
    records.forEach(({ entry, sequence }, index) => {
      const evidence = model.audit[index]?.evidence
      same("record", [sequence, entry.timestamp, entry.size], [index, madeAt[index], evidence?.size])
      if (entry.status === "evicted" && evidence !== undefined) {
        same("severity of an eviction", entry.severity, evidence.severity)
        same("whether an eviction has a destination", entry.destination !== null, model.stored.includes(evidence))
      }
    })
  }

  /** Scents a second over the ten whole seconds before this one. */
  const throughput = (): number => {
    const age = (at: number): number => Math.floor(now() / 1000) - Math.floor(at / 1000)
    return arrivals.filter((at) => age(at) >= 1 && age(at) <= 10).length / 10
  }

  const compareNumbers = (): void => {
    const expected = model.stats()
    const { bySeverity, bytes, count, evictions, hits } = real.quarantine
    same("stats", { count, bytes, bySeverity }, expected)
    same("evictions and hits", [evictions, hits], [model.evictions, model.hits])
    same("whether the bounds hold", count <= bounds.quarantine.maxCount && bytes <= bounds.quarantine.maxBytes, true)
    const { deadLetters, pending } = real.coldStorage.stats()
    same("dead letters of cold storage", deadLetters, model.refused)
    // One that has no bound has been started, and writes meanwhile.
    if (bounds.coldStorage !== Number.POSITIVE_INFINITY) same("pending in cold storage", pending, model.stored.length)
    const snapshot = real.watcher.snapshot()
    const last = arrivals.at(-1)
    same("quarantine of the snapshot", snapshot.quarantine, expected)
    const { blocked, sources } = model.sources(now())
    const isSure = model.openChoices === 0
    same("rateLimit of the snapshot", { ...snapshot.rateLimit, ...(isSure ? {} : { sources }) }, { blocked, sources })
    same("whether sources are bounded", snapshot.rateLimit.sources <= bounds.rateLimit.maxSources, true)
    same("throughput", snapshot.throughput, throughput())
    // How long ago it was, as the clock on the wall would put it now.
    same("lastActivity", snapshot.lastActivity, last === undefined ? 0 : clock.wallUnsafe() - (now() - last))
    same("another look at the same moment", real.watcher.snapshot(), snapshot)
  }

  return {
    model,
    step: (command) => {
      perform(command)
      compareNumbers()
      for (const one of given) compareHandle(one)
      compareChain()
    }
  }
}
