/**
 * The quarantine: evidence in custody, within hard bounds (RFC, "Quarantine Eviction Policy" and
 * "Atomic Neutralize"; CONFORMANCE D7, E2 to E5, Q1 to Q4).
 *
 * Promises that maxCount and maxBytes hold at every moment; that evidence leaves in one of five
 * ways, each one synchronous step of snapshot, destruction and audit record; that an eviction is
 * told to cold storage, the log and the alerts before the bytes are gone; and that an arrival never
 * costs evidence worse than itself. Holding, finding and evicting are O(1); an arrival evicts as
 * many as it needs to make room for its bytes.
 *
 * **Gotchas**
 *
 * - An arrival for which room cannot be made is itself evicted, with a record and a disposed
 *   handle; nothing else is then evicted for it under `priority`. Under `lru` what was used less
 *   recently may already have gone.
 * - `evacuate` compresses on the caller's turn, about 31 ms for 1 MiB: it is an operator's act.
 *   Evictions are compressed by cold storage, in the background.
 * - What is held is never compressed: its account would shrink when a worker happens to be done,
 *   and what is evicted next would depend on it.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Alerts } from "../../safety/alert/Alerts.ts"
import { AuditChain } from "../audit/AuditChain.ts"
import { ColdStorage } from "../coldstorage/ColdStorage.ts"
import type { Codec } from "../../domain/Codec.ts"
import { Digest, DigestBuffer } from "../../domain/Digest.ts"
import type { EvidenceHandle, EvidenceRecord } from "../../domain/Evidence.ts"
import type { InterceptResult } from "../../domain/InterceptResult.ts"
import type {
  EvacuateRecord,
  EvictionRecord,
  NeutralizationRecord,
  PurgeReason,
  PurgeRecord
} from "../../domain/Records.ts"
import { secureIdText } from "../../domain/SecureIdText.ts"
import { Settings } from "../../config/Settings.ts"
import type { BySeverity } from "../../domain/Severity.ts"
import type { QuarantineStats } from "../../domain/WatcherSnapshot.ts"
import { type Custodian, Handle, NEVER_HELD, signatureOf } from "../evidence/Evidence.ts"
import { SecureIds } from "../evidence/SecureIds.ts"
import { FailSafe } from "../../safety/failsafe/FailSafe.ts"
import { Compression } from "../../host/port/Compression.ts"
import { Hash } from "../../host/port/Hash.ts"
import { Memory } from "../../host/port/Memory.ts"
import { Randomness } from "../../host/port/Randomness.ts"
import { categoryAt, ExitFacts, severityAt } from "./ExitFacts.ts"
import * as Notices from "./Notices.ts"
import { parseSignature } from "./ParseSignature.ts"
import { makeCapacity } from "./Capacity.ts"
import { type Arrival, Vault, vaultSeedWords } from "./Vault.ts"

type Quarantined = Extract<InterceptResult, { readonly status: "quarantined" }>
type Ignored = Extract<InterceptResult, { readonly status: "ignored" }>

/** Evidence that a duplicate has made worse; severities are places in `severities`. */
export interface Raised {
  readonly handle: EvidenceHandle
  readonly before: number
  readonly severity: number
}

/** Where evidence is held. All but the layer is synchronous and never throws. */
export class Quarantine extends Context.Service<Quarantine, {
  /**
   * Answers a duplicate that can be told by its bytes alone, unhashed; null says nothing. A hit
   * like any other. `category` and `severity` are places in `threatCategories` and `severities`,
   * here and below.
   */
  readonly hitSame: (content: Uint8Array, category: number, severity: number) => Ignored | null
  /**
   * Answers a duplicate: evidence with this signature is held. It is counted as a hit, and a worse
   * severity than before becomes the evidence's. Null where there is none. `content` is what was
   * signed.
   */
  readonly hit: (signed: DigestBuffer, content: Uint8Array, category: number, severity: number) => Ignored | null
  /**
   * From now on, calls back with evidence that a duplicate has made worse, on the turn of that.
   * Must not throw.
   */
  readonly onRaised: (listener: (raised: Raised) => void) => void
  /** Takes new evidence, of which there is none with its signature. Its content is copied. */
  readonly hold: (arrival: Arrival) => Quarantined
  /** A handle of evidence that is held, or null. */
  readonly get: (signature: string) => EvidenceHandle | null
  readonly neutralize: (signature: string) => NeutralizationRecord | null
  readonly evacuate: (signature: string) => EvacuateRecord | null
  /**
   * Destroys evidence because something failed, after cold storage was told; null where it is not
   * held (RFC, "Purge + Replace Model").
   */
  readonly purge: (signature: string, reason: PurgeReason) => PurgeRecord | null
  /**
   * Purges in the order of eviction for a panic, at most `limit`, and only what cold storage takes:
   * how many. What it does not take stays in custody (CONFORMANCE F3).
   */
  readonly purgeForPanic: (limit: number) => number
  /** Neutralizes everything, in the order of eviction (CONFORMANCE Q4). */
  readonly flush: () => Array<NeutralizationRecord>
  /** O(1). */
  readonly stats: () => QuarantineStats
  /** How full it is, from 0 to 1: by count or by bytes, whichever is more. O(1). */
  readonly fill: () => number
  /** A copy of evidence that is held, or null; its handle's buffer stays as it is. */
  readonly copy: (signature: string) => Uint8Array<ArrayBuffer> | null
  /** How much was evicted for lack of room, so far. */
  readonly evictions: () => number
  /** How often a duplicate of held evidence came, so far. */
  readonly hits: () => number
  /** Places of the index looked at so far: the work of finding and removing. */
  readonly probes: () => number
}>()("tracehound/custody/quarantine/Quarantine") {
  /** As configured under `quarantine`. Closing its scope wipes what is still held. */
  static readonly layer = Layer.effect(
    Quarantine,
    Effect.gen(function*() {
      const settings = yield* Settings
      const { evictionPolicy, maxBytes, maxCount } = settings.quarantine
      const clock = yield* Clock.Clock
      const { sha256Into } = yield* Hash
      const { equal } = yield* Memory
      const { compressSync } = yield* Compression
      const ids = yield* SecureIds
      const alerts = yield* Alerts
      const chain = yield* AuditChain
      const coldStorage = yield* ColdStorage
      const failSafe = yield* FailSafe

      const seed = new Int32Array(vaultSeedWords)
      const { fill } = yield* Randomness
      fill(new Uint8Array(seed.buffer))
      const keyed = settings.signature.key !== undefined
      const vault = new Vault({ policy: evictionPolicy, keyed, seed, equal })
      /** What duplicates are answered, by slot: made at the first one, then free. */
      const ignored: Array<Ignored | null> = []
      const wanted = new DigestBuffer()
      const found = new DigestBuffer()
      const exitFacts = new ExitFacts()
      const raisedListeners: Array<(raised: Raised) => void> = []
      let evictions = 0
      let hits = 0

      const signatureAt = (slot: number): string => {
        const { category, signed } = vault.factsOf(slot)
        return signatureOf(category, signed)
      }
      const describe = (slot: number): EvidenceRecord => {
        const { captured, category, hash, severity, signed, size } = vault.factsOf(slot)
        const signature = signatureOf(category, signed)
        return { signature, hash: hash.hex(), category, severity, size, captured, scent: vault.scentOf(slot) }
      }
      /** What the record of every way out says. */
      const depart = (slot: number, now: number): ExitFacts => {
        ids.nextInto(exitFacts.id, now)
        vault.readDigests(slot, exitFacts.signed, exitFacts.content)
        exitFacts.category = vault.categoryOf(slot)
        exitFacts.severity = vault.severityOf(slot)
        exitFacts.size = vault.sizeOf(slot)
        exitFacts.timestamp = now
        exitFacts.compressedSize = null
        exitFacts.destination = null
        exitFacts.purgeReason = null
        return exitFacts
      }
      /**
       * Whoever was given the live buffer may have written to it: that shows here, before the bytes
       * are gone.
       */
      const inspect = (slot: number): void => {
        if (!vault.isExposed(slot)) return
        vault.readDigests(slot, wanted, found)
        const { words } = found
        const expected = new Digest(words, 0)
        const content = vault.contentOf(slot)
        if (content.length === vault.sizeOf(slot)) {
          sha256Into(content, found.bytes)
          if (new Digest(words, 0).hex() === expected.hex()) return
        }
        alerts.errorUnsafe(Notices.tamperedError)
        alerts.alertUnsafe(Notices.tampered, () => signatureAt(slot))
      }
      const remove = (slot: number): void => {
        vault.remove(slot)
        ignored[slot] = null
      }

      const neutralize = (slot: number): NeutralizationRecord => {
        inspect(slot)
        depart(slot, clock.currentTimeMillisUnsafe())
        remove(slot)
        return chain.record(exitFacts.as("neutralized"))
      }
      const transfer = (slot: number): ArrayBuffer => {
        inspect(slot)
        depart(slot, clock.currentTimeMillisUnsafe())
        const content = vault.take(slot)
        remove(slot)
        chain.append(exitFacts.as("transferred"))
        return content
      }
      const compress = (codec: Codec, content: Uint8Array): Uint8Array | null => {
        try {
          return codec === "stored" ? content.slice() : compressSync(codec, content)
        } catch {
          return null
        }
      }
      /** Under `stored` what cannot be compressed goes to cold storage all the same: as it is. */
      const purge = (slot: number, reason: PurgeReason, codec = coldStorage.codec): PurgeRecord => {
        const { destination } = coldStorage
        inspect(slot)
        const now = clock.currentTimeMillisUnsafe()
        depart(slot, now)
        const record = describe(slot)
        const content = vault.contentOf(slot)
        const id = secureIdText(exitFacts.id)
        // Whoever was given the live buffer may have taken it: what is not the evidence must not be
        // sent as if it were.
        const compressed = codec === "stored" && content.length === record.size ? compress(codec, content) : null
        const used = compressed === null ? coldStorage.codec : codec
        const delivery = { id, record, content, compressed, codec: used, isPurged: true }
        const isStored = destination !== null && coldStorage.tellUnsafe(delivery)
        exitFacts.destination = isStored ? destination : null
        exitFacts.purgeReason = reason
        remove(slot)
        chain.append(exitFacts.as("purged"))
        const scent = { ...record.scent, payloadHash: record.hash, payloadSize: record.size }
        return { id, reason, scent, PurgeTimestamp: now }
      }
      const evacuate = (slot: number): EvacuateRecord | null => {
        const { codec, destination } = coldStorage
        if (destination === null) {
          alerts.errorUnsafe(Notices.notConfigured)
          return null
        }
        inspect(slot)
        const content = vault.contentOf(slot)
        // Whoever was given the live buffer took it: there is nothing left to send, and that was
        // told.
        if (content.length !== vault.sizeOf(slot)) return null
        const compressed = compress(codec, content)
        if (compressed === null) {
          const action = failSafe.reportUnsafe("encode_error", Notices.encodeError)
          if (action === "Purge") failSafe.purgedUnsafe(purge(slot, "error", "stored"))
          return null
        }
        depart(slot, clock.currentTimeMillisUnsafe())
        const record = describe(slot)
        if (!coldStorage.tellUnsafe({ id: secureIdText(exitFacts.id), record, content, compressed })) return null
        alerts.logUnsafe(Notices.evacuation, record.severity, () => record.signature)
        remove(slot)
        exitFacts.compressedSize = compressed.length
        exitFacts.destination = destination
        return chain.record(exitFacts.as("evacuated"))
      }

      /**
       * In the order of CONFORMANCE Q2: cold storage, log, alert; destruction and the chain are the
       * caller's next steps.
       */
      const tell = (contentOf: () => Uint8Array, describeIt: () => EvidenceRecord): void => {
        const { severity } = exitFacts
        const signature = () => signatureOf(exitFacts.category, new Digest(exitFacts.signed.words, 0))
        const { destination } = coldStorage
        const isStored = destination !== null &&
          coldStorage.tellUnsafe({
            id: secureIdText(exitFacts.id),
            record: describeIt(),
            content: contentOf(),
            compressed: null
          })
        exitFacts.destination = isStored ? destination : null
        alerts.logUnsafe(Notices.eviction, severity, signature)
        const notice = Notices.highEvictions[severity]
        if (notice !== null) alerts.alertUnsafe(notice, signature)
        evictions += 1
      }
      const evict = (slot: number, now: number): void => {
        inspect(slot)
        depart(slot, now)
        tell(() => vault.contentOf(slot), () => describe(slot))
        remove(slot)
        chain.append(exitFacts.as("evicted"))
      }
      /** Evidence that found no room: it leaves as it came (CONFORMANCE Q3). */
      const turnAway = (arrival: Arrival): Quarantined => {
        const { captured, content, hash, id, signed, source, timestamp } = arrival
        const category = categoryAt(arrival.category)
        const severity = severityAt(arrival.severity)
        const size = content.length
        ids.nextInto(exitFacts.id, captured)
        exitFacts.signed.words.set(signed.words)
        exitFacts.content.words.set(hash.words)
        exitFacts.category = category
        exitFacts.severity = severity
        exitFacts.size = size
        exitFacts.timestamp = captured
        exitFacts.compressedSize = null
        const own = new Digest(signed.words, 0)
        const facts = { category, severity, size, captured, signed: own, hash: keyed ? new Digest(hash.words, 0) : own }
        tell(() => content, () => ({
          signature: signatureOf(category, facts.signed),
          hash: facts.hash.hex(),
          category,
          severity,
          size,
          captured,
          scent: { id, source, timestamp }
        }))
        const evicted: EvictionRecord = chain.record(exitFacts.as("evicted"))
        return { status: "quarantined", handle: new Handle(custodian, NEVER_HELD, 0, facts), evicted }
      }

      const stats = (): QuarantineStats => ({
        count: vault.count,
        bytes: vault.bytes,
        bySeverity: bySeverity(vault.counts)
      })
      const room = makeCapacity({ bounds: settings.quarantine, vault, failSafe, evict, stats })

      const custodian: Custodian = {
        holds: (slot, generation) => vault.holds(slot, generation),
        severityOf: (slot) => vault.severityOf(slot),
        scentOf: (slot) => vault.scentOf(slot),
        expose: (slot) => vault.expose(slot),
        neutralize,
        transfer,
        evacuate
      }
      const handleOf = (slot: number): EvidenceHandle =>
        new Handle(custodian, slot, vault.generationOf(slot), vault.factsOf(slot))
      const findBySignature = (signature: string): number => {
        const category = parseSignature(signature, wanted)
        return category < 0 ? NEVER_HELD : vault.find(wanted, category)
      }
      const raise = (slot: number, before: number, severity: number): void => {
        vault.raise(slot, severity)
        for (const listener of raisedListeners)
          listener({ handle: handleOf(slot), before, severity })
      }
      const answer = (slot: number, severity: number): Ignored => {
        hits += 1
        const before = vault.rankOf(slot)
        if (severity > before) raise(slot, before, severity)
        else vault.touch(slot)
        return ignored[slot] ??= Object.freeze({ status: "ignored", signature: signatureAt(slot) })
      }

      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          for (const slot of vault.all()) neutralize(slot)
        })
      )

      return {
        hitSame: (content, category, severity) => {
          const slot = vault.findSame(content, category)
          return slot < 0 ? null : answer(slot, severity)
        },
        hit: (signed, content, category, severity) => {
          const slot = vault.find(signed, category)
          if (slot < 0) return null
          vault.remember(content, slot)
          return answer(slot, severity)
        },
        onRaised: (listener) => {
          raisedListeners.push(listener)
        },
        hold: (arrival) => {
          const { captured, content, severity } = arrival
          if (!room.make(severity, content.length, captured)) return turnAway(arrival)
          const slot = vault.insert(arrival)
          ignored[slot] = null
          return { status: "quarantined", handle: handleOf(slot) }
        },
        get: (signature) => {
          const slot = findBySignature(signature)
          return slot < 0 ? null : handleOf(slot)
        },
        neutralize: (signature) => {
          const slot = findBySignature(signature)
          return slot < 0 ? null : neutralize(slot)
        },
        evacuate: (signature) => {
          const slot = findBySignature(signature)
          return slot < 0 ? null : evacuate(slot)
        },
        purge: (signature, reason) => {
          const slot = findBySignature(signature)
          return slot < 0 ? null : purge(slot, reason)
        },
        purgeForPanic: (limit) => {
          const fits = (slot: number): boolean => slot >= 0 && coldStorage.refusalUnsafe(vault.sizeOf(slot)) === null
          // As it is: what made us panic may be compression, and evidence must not be lost to that.
          const give = (slot: number): void => failSafe.purgedUnsafe(purge(slot, "panic", "stored"))
          const before = vault.count
          for (let slot = vault.first(); fits(slot) && before - vault.count < limit; slot = vault.first()) give(slot)
          // What is too large for cold storage at any time must not keep back what is not.
          const isStuck = vault.count === before && coldStorage.stats().pending === 0
          if (isStuck) { for (const slot of vault.all().filter(fits).slice(0, limit)) if (fits(slot)) give(slot) }
          return before - vault.count
        },
        flush: () => vault.all().map(neutralize),
        stats,
        fill: () => Math.max(vault.count / maxCount, vault.bytes / maxBytes),
        copy: (signature) => {
          const slot = findBySignature(signature)
          return slot < 0 ? null : vault.contentOf(slot).slice()
        },
        evictions: () => evictions,
        hits: () => hits,
        probes: () => vault.probes
      }
    })
  )
}

const bySeverity = ([low = 0, medium = 0, high = 0, critical = 0]: Float64Array): BySeverity => ({
  low,
  medium,
  high,
  critical
})
