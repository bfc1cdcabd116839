/**
 * The quarantine and the rooms around it, with test doubles for alerts and cold storage that record
 * their calls in order.
 */
import { Effect, Layer, Result } from "effect"
import { createHash } from "node:crypto"
import { ActorSystem } from "../../src/actor/ActorSystem.ts"
import { fromArgument, resolveConfig } from "../../src/config/ConfigSources.ts"
import { Settings } from "../../src/config/Settings.ts"
import type { TracehoundConfigInput } from "../../src/config/TracehoundConfig.ts"
import { AuditChain } from "../../src/custody/audit/AuditChain.ts"
import { ColdStorage, type Delivery } from "../../src/custody/coldstorage/ColdStorage.ts"
import { SecureIds } from "../../src/custody/evidence/SecureIds.ts"
import { parseSignature } from "../../src/custody/evidence/SignatureText.ts"
import { PurgeQueue } from "../../src/custody/quarantine/PurgeQueue.ts"
import { Quarantine } from "../../src/custody/quarantine/Quarantine.ts"
import { type Digest, DigestBuffer } from "../../src/domain/Digest.ts"
import type { EvidenceRecord } from "../../src/domain/Evidence.ts"
import { categoryRank, type ThreatCategory } from "../../src/domain/Scent.ts"
import { type Severity, severityRank } from "../../src/domain/Severity.ts"
import { HoundPool } from "../../src/hound/pool/HoundPool.ts"
import { Agent } from "../../src/intake/agent/Agent.ts"
import { Escalation } from "../../src/intake/agent/Escalation.ts"
import { RateLimiter } from "../../src/intake/gate/RateLimiter.ts"
import { Throughput } from "../../src/intake/gate/Throughput.ts"
import { Watcher } from "../../src/runtime/Watcher.ts"
import { AlertCounts } from "../../src/safety/alert/AlertCounts.ts"
import { Alerts } from "../../src/safety/alert/Alerts.ts"
import { FailSafe } from "../../src/safety/failsafe/FailSafe.ts"
import { ports } from "./ports.ts"

/** The calls of the doubles, in order. */
export interface Told {
  readonly log: Array<string>
  readonly deliveries: Array<Delivery & { readonly contentThen: Uint8Array }>
  readonly errors: Array<string>
}

export const makeTold = (): Told => ({ log: [], deliveries: [], errors: [] })

/** How cold storage answers: it takes everything, refuses everything, or is not configured. */
export type ColdStorageAnswer = "takes" | "refuses" | "none"

const alertsTo = (told: Told) =>
  Layer.succeed(Alerts, {
    alertUnsafe: ({ type }) => {
      told.log.push(`alert ${type}`)
    },
    logUnsafe: ({ type }) => {
      told.log.push(`log ${type}`)
    },
    errorUnsafe: ({ code }) => {
      told.errors.push(code)
    },
    onAlert: () => () => undefined,
    errors: () => [],
    deadLetters: () => 0,
    counts: new AlertCounts(),
    isDevopsSpared: () => false,
    start: Effect.void
  })

const coldStorageTo = (told: Told, answer: ColdStorageAnswer) =>
  Layer.succeed(ColdStorage, {
    destination: answer === "none" ? null : "file:double",
    codec: "gzip",
    refusals: () => 0,
    oldestMs: () => 0,
    isSpared: () => false,
    refusalUnsafe: () => answer === "takes" ? null : "full",
    tellUnsafe: (delivery) => {
      if (answer !== "takes") return false
      told.log.push("coldstorage")
      told.deliveries.push({ ...delivery, contentThen: new Uint8Array(delivery.content) })
      return true
    },
    stats: () => ({ pending: 0, pendingBytes: 0, written: 0, unconfirmed: 0, deadLetters: 0 }),
    kept: () => ({ kept: 0, keptBytes: 0, unkept: 0, resent: 0 }),
    retry: () => Effect.die("nothing is kept here"),
    start: Effect.void,
    settled: Effect.void
  })

/** The rooms from the Agent down, with the doubles. */
export const rooms = (config: TracehoundConfigInput, told: Told, answer: ColdStorageAnswer = "none") => {
  const chain = Layer.effect(
    AuditChain,
    Effect.map(AuditChain, (real): AuditChain["Service"] => ({
      ...real,
      get lastHash() {
        return real.lastHash
      },
      get length() {
        return real.length
      },
      append: (facts) => {
        told.log.push("chain")
        real.append(facts)
      },
      record: (facts) => {
        told.log.push("chain")
        return real.record(facts)
      }
    }))
  ).pipe(Layer.provide(AuditChain.layer))
  return Layer.mergeAll(Agent.layer, Watcher.layer).pipe(
    Layer.provideMerge(Escalation.layer),
    Layer.provideMerge(PurgeQueue.layer),
    Layer.provideMerge(Quarantine.layer),
    Layer.provideMerge(FailSafe.layer),
    Layer.provideMerge(
      Layer.mergeAll(
        alertsTo(told),
        chain,
        coldStorageTo(told, answer),
        HoundPool.layerNone,
        RateLimiter.layer,
        SecureIds.layer,
        Throughput.layer
      )
    ),
    Layer.provideMerge(ActorSystem.layer()),
    Layer.provideMerge(ports),
    Layer.provideMerge(Layer.effect(Settings, Effect.fromResult(resolveConfig([fromArgument(config)]))))
  )
}

const digestOf = (hex: string): Digest => {
  const digest = new DigestBuffer()
  digest.read(hex, 0)
  return digest.digest()
}

/** The quarantine with signatures, names and records in place of digests and ranks. */
const byName = (quarantine: Quarantine["Service"]) => ({
  ...quarantine,
  hit: (signature: string, severity: Severity) => {
    const signed = new DigestBuffer()
    const category = parseSignature(signature, signed)
    return category === null
      ? null
      : quarantine.hit(signed.digest(), new Uint8Array(0), category, severityRank(severity))
  },
  hold: ({ captured, category, hash, scent, severity }: EvidenceRecord, bytes: ArrayBuffer) =>
    quarantine.hold({
      ...scent,
      category: categoryRank(category),
      severity: severityRank(severity),
      content: new Uint8Array(bytes),
      size: bytes.byteLength,
      captured,
      hash: digestOf(hash),
      signed: digestOf(hash)
    })
})

/** Builds the rooms, and runs a synchronous function on them. */
export const withRooms = <A>(
  config: TracehoundConfigInput,
  look: (rooms: {
    readonly agent: Agent["Service"]
    readonly quarantine: ReturnType<typeof byName>
    readonly chain: AuditChain["Service"]
    readonly watcher: Watcher["Service"]
    readonly told: Told
  }) => A,
  answer: ColdStorageAnswer = "none"
): A => {
  const told = makeTold()
  const program = Effect.gen(function*() {
    return look({
      agent: yield* Agent,
      quarantine: byName(yield* Quarantine),
      chain: yield* AuditChain,
      watcher: yield* Watcher,
      told
    })
  })
  return Result.getOrThrow(Effect.runSync(Effect.result(Effect.provide(program, rooms(config, told, answer)))))
}

/**
 * Evidence whose `size` bytes are all `n`, with its true hash; two numbers below 256 never share
 * one.
 */
export const evidence = (
  n: number,
  severity: Severity,
  size = 8,
  category: ThreatCategory = "injection"
): readonly [EvidenceRecord, ArrayBuffer] => {
  const bytes = new Uint8Array(new ArrayBuffer(size)).fill(n & 0xff)
  const hash = createHash("sha256").update(bytes).digest("hex")
  return [{
    signature: `${category}:${hash}`,
    hash,
    category,
    severity,
    size,
    captured: 1000 + n,
    scent: { id: `scent-${n}`, source: "192.0.2.1", timestamp: n }
  }, bytes.buffer]
}
