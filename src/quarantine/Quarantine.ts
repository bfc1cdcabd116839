/**
 * The quarantine: evidence in custody, within hard bounds (RFC, "Quarantine Eviction Policy" and "Atomic Neutralize";
 * CONFORMANCE D7, E2 to E5, Q1 to Q4).
 *
 * Promises that maxCount and maxBytes hold at every moment; that evidence leaves in one of four ways, each one synchronous
 * step of snapshot, destruction and audit record; that an eviction is told to cold storage, the log and the alerts before
 * the bytes are gone; and that an arrival never costs evidence worse than itself. Holding, finding and evicting are O(1);
 * an arrival evicts as many as it needs to make room for its bytes.
 *
 * **Gotchas**
 *
 * - An arrival for which room cannot be made is itself evicted, with a record and a disposed handle; nothing else is then
 *   evicted for it under `priority`. Under `lru` what was used less recently may already have gone.
 * - `evacuate` presses on the caller's turn, about 31 ms for 1 MiB: it is an operator's act. Evictions are pressed by cold
 *   storage, in the background.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Alerts } from "../alert/Alerts.ts"
import { AuditChain } from "../audit/AuditChain.ts"
import { ColdStorage } from "../coldstorage/ColdStorage.ts"
import type { EvidenceHandle, EvidenceRecord } from "../domain/Evidence.ts"
import type { InterceptResult } from "../domain/InterceptResult.ts"
import type { EvacuateRecord, EvictionRecord, NeutralizationRecord, TransferRecord } from "../domain/Records.ts"
import { Settings } from "../domain/Settings.ts"
import { type BySeverity, severities, type Severity } from "../domain/Severity.ts"
import type { QuarantineStats } from "../domain/WatcherSnapshot.ts"
import { type Custodian, type Custody, describe, Handle, isIntact, release, wipe } from "../evidence/Evidence.ts"
import { SecureIds } from "../evidence/SecureIds.ts"
import { Compression } from "../port/Compression.ts"
import { Hash } from "../port/Hash.ts"
import { makeEvictionLists, type Node } from "./EvictionLists.ts"

/** Evidence as the quarantine holds it: a node of the eviction lists, with what is handed out for it. */
class Held implements Custody, Node<Held> {
  readonly record: EvidenceRecord
  readonly handle: EvidenceHandle
  /** What a duplicate is answered, made once. */
  readonly ignored: Ignored
  severity: Severity
  bytes: ArrayBuffer | null
  exposed = false
  prev: Held | null = null
  next: Held | null = null

  constructor(record: EvidenceRecord, bytes: ArrayBuffer, custodian: Custodian<Held>) {
    this.record = record
    this.severity = record.severity
    this.bytes = bytes
    this.handle = new Handle<Held>(this, custodian)
    this.ignored = Object.freeze({ status: "ignored", signature: record.signature })
  }
}

type Quarantined = Extract<InterceptResult, { readonly status: "quarantined" }>
type Ignored = Extract<InterceptResult, { readonly status: "ignored" }>

/** Where evidence is held. All but the layer is synchronous and never throws. */
export class Quarantine extends Context.Service<Quarantine, {
  /**
   * Answers a duplicate: evidence with this signature is held. It is counted as a hit, and a worse severity than before
   * becomes the evidence's. Null where there is none.
   */
  readonly hit: (signature: string, severity: Severity) => Ignored | null
  /** Takes new evidence. `bytes` is owned from here on: the caller must keep no reference. */
  readonly hold: (record: EvidenceRecord, bytes: ArrayBuffer) => Quarantined
  /** The handle of evidence that is held, or null. */
  readonly get: (signature: string) => EvidenceHandle | null
  readonly neutralize: (signature: string) => NeutralizationRecord | null
  readonly evacuate: (signature: string) => EvacuateRecord | null
  /** Neutralizes everything, in the order of eviction (CONFORMANCE Q4). */
  readonly flush: () => Array<NeutralizationRecord>
  /** O(1). */
  readonly stats: () => QuarantineStats
  /** How much was evicted for lack of room, so far. */
  readonly evictions: () => number
  /** How often a duplicate of held evidence came, so far. */
  readonly hits: () => number
}>()("tracehound/quarantine/Quarantine") {
  /** As configured under `quarantine`. Closing its scope wipes what is still held. */
  static readonly layer = Layer.effect(
    Quarantine,
    Effect.gen(function*() {
      const { quarantine: { evictionPolicy, maxBytes, maxCount } } = yield* Settings
      const clock = yield* Clock.Clock
      const { sha256Hex } = yield* Hash
      const { gzipSync } = yield* Compression
      const ids = yield* SecureIds
      const alerts = yield* Alerts
      const chain = yield* AuditChain
      const coldStorage = yield* ColdStorage

      const index = new Map<string, Held>()
      const order = makeEvictionLists<Held>(evictionPolicy)
      const counts = zeros()
      const sizes = zeros()
      let bytes = 0
      let evictions = 0
      let hits = 0

      const insert = (held: Held): void => {
        index.set(held.record.signature, held)
        order.add(held)
        counts[held.severity] += 1
        sizes[held.severity] += held.record.size
        bytes += held.record.size
      }
      const remove = (held: Held): void => {
        if (index.get(held.record.signature) !== held) return
        index.delete(held.record.signature)
        order.remove(held)
        counts[held.severity] -= 1
        sizes[held.severity] -= held.record.size
        bytes -= held.record.size
      }

      /** What every record of a way out says. */
      const facts = ({ record }: Held) => ({
        id: ids.next(),
        signature: record.signature,
        hash: record.hash,
        size: record.size,
        timestamp: clock.currentTimeMillisUnsafe()
      })
      /** Whoever was given the live buffer may have written to it: that shows here, before the bytes are gone. */
      const inspect = (held: Held): void => {
        if (isIntact(held, sha256Hex)) return
        alerts.errorUnsafe(tampered)
        alerts.alertUnsafe({
          type: "evidence.tampered",
          severity: "critical",
          message: "the bytes of this evidence were changed through its handle",
          signature: held.record.signature
        })
      }
      /** Takes the bytes out of custody, or null where they left before. */
      const leave = (held: Held): ArrayBuffer | null => {
        if (held.bytes === null) return null
        inspect(held)
        remove(held)
        return release(held)
      }

      const neutralize = (held: Held): NeutralizationRecord | null => {
        const content = leave(held)
        if (content === null) return null
        wipe(content)
        return chain.append<NeutralizationRecord>({ ...facts(held), status: "neutralized" })
      }
      const transfer = (held: Held): ArrayBuffer | null => {
        const content = leave(held)
        if (content !== null) chain.append<TransferRecord>({ ...facts(held), status: "transferred" })
        return content
      }
      const evacuate = (held: Held): EvacuateRecord | null => {
        const { destination } = coldStorage
        if (held.bytes === null) return null
        if (destination === null) {
          alerts.errorUnsafe(notConfigured)
          return null
        }
        if (held.bytes.detached) {
          // Whoever was given the live buffer took it: there is nothing left to send, and that is told.
          inspect(held)
          return null
        }
        const pressed = gzipSync(new Uint8Array(held.bytes))
        inspect(held)
        const known = facts(held)
        const content = release(held)
        if (content === null) return null
        if (!coldStorage.tellUnsafe({ id: known.id, record: describe(held), content, pressed })) {
          // Refused: custody goes on with the same bytes.
          held.bytes = content
          return null
        }
        remove(held)
        const { severity } = held
        alerts.logUnsafe({ type: "quarantine.evacuation", signature: known.signature, severity, reason: "request" })
        return chain.append<EvacuateRecord>({
          ...known,
          status: "evacuated",
          compressedSize: pressed.length,
          destination
        })
      }
      /** In the order of CONFORMANCE Q2: cold storage, log, alert, and only then destruction and the chain. */
      const evict = (held: Held, content: ArrayBuffer): EvictionRecord => {
        const { severity } = held
        const known = facts(held)
        const stored = coldStorage.tellUnsafe({ id: known.id, record: describe(held), content, pressed: null })
        alerts.logUnsafe({ type: "quarantine.eviction", signature: known.signature, severity, reason: "capacity" })
        if (severity === "high" || severity === "critical") {
          alerts.alertUnsafe({
            type: "high_severity_eviction",
            severity: "warning",
            message: `evidence of ${severity} severity was evicted: the quarantine is full`,
            signature: known.signature
          })
        }
        if (!stored) wipe(content)
        evictions += 1
        return chain.append<EvictionRecord>({
          ...known,
          status: "evicted",
          severity,
          reason: "capacity",
          destination: stored ? coldStorage.destination : null
        })
      }

      const isFull = (size: number): boolean => index.size + 1 > maxCount || bytes + size > maxBytes
      /** Whether room could be made for the arrival out of what is no worse than it (CONFORMANCE Q3). O(1). */
      const couldFit = (severity: Severity, size: number): boolean => {
        let worseCount = 0
        let worseBytes = 0
        for (let rank = severities.length - 1; severities[rank] !== severity; rank--) {
          const worse = severities[rank]
          if (worse === undefined) break
          worseCount += counts[worse]
          worseBytes += sizes[worse]
        }
        return worseCount + 1 <= maxCount && worseBytes + size <= maxBytes
      }
      const makeRoom = (severity: Severity, size: number): boolean => {
        if (!isFull(size)) return true
        if (!couldFit(severity, size)) return false
        while (isFull(size)) {
          const victim = order.first()
          if (victim === null || isWorse(victim.severity, severity)) return false
          const content = leave(victim)
          if (content !== null) evict(victim, content)
        }
        return true
      }

      const custodian: Custodian<Held> = { neutralize, transfer, evacuate }

      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          for (const held of order.all()) neutralize(held)
        })
      )

      return {
        hit: (signature, severity) => {
          const held = index.get(signature)
          if (held === undefined) return null
          hits += 1
          if (isWorse(severity, held.severity)) {
            remove(held)
            held.severity = severity
            insert(held)
          } else order.touch(held)
          return held.ignored
        },
        hold: (record, content) => {
          const held = new Held(record, content, custodian)
          if (makeRoom(record.severity, record.size)) {
            insert(held)
            return { status: "quarantined", handle: held.handle }
          }
          const leaving = release(held) ?? content
          return { status: "quarantined", handle: held.handle, evicted: evict(held, leaving) }
        },
        get: (signature) => index.get(signature)?.handle ?? null,
        neutralize: (signature) => {
          const held = index.get(signature)
          return held === undefined ? null : neutralize(held)
        },
        evacuate: (signature) => {
          const held = index.get(signature)
          return held === undefined ? null : evacuate(held)
        },
        flush: () => order.all().map(neutralize).filter((record) => record !== null),
        stats: () => ({ count: index.size, bytes, bySeverity: { ...counts } }),
        evictions: () => evictions,
        hits: () => hits
      }
    })
  )
}

const zeros = (): { -readonly [S in keyof BySeverity]: number } => ({ low: 0, medium: 0, high: 0, critical: 0 })

const isWorse = (a: Severity, b: Severity): boolean => severities.indexOf(a) > severities.indexOf(b)

const tampered = Object.freeze({
  state: "quarantine",
  code: "evidence_tampered",
  message: "evidence was changed through the buffer of its handle: treat `bytes` as read-only, or copy it",
  recoverable: true
})

const notConfigured = Object.freeze({
  state: "quarantine",
  code: "coldstorage_not_configured",
  message: "evacuate needs a cold storage: set audit.coldStorage.endpoint",
  recoverable: true
})
