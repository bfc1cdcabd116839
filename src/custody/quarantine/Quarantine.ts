/**
 * The quarantine: evidence in custody, within hard bounds (RFC, "Quarantine Eviction Policy" and
 * "Atomic Neutralize"; CONFORMANCE D7, E2 to E5, Q1 to Q4).
 *
 * Promises that maxCount and maxBytes hold at every moment; that evidence leaves in one of five
 * ways, each one synchronous step of snapshot, destruction and audit record; that cold storage, the
 * log and the alerts hear of an eviction before the bytes are gone; and that an arrival never costs
 * evidence worse than itself. Holding, finding and evicting are O(1); an arrival evicts as many as
 * it needs to make room for its bytes.
 *
 * **Gotchas**
 *
 * - An arrival for which room cannot be made is itself evicted, with a record and a disposed
 *   handle; nothing else is then evicted for it under `priority`. Under `lru`, evidence that was
 *   used less recently may already have gone.
 * - `evacuate` compresses on the caller's turn, about 31 ms for 1 MiB: it is an operator's act.
 *   Cold storage compresses evictions, in the background.
 * - Held evidence is never compressed: the byte count, and so the eviction order, would depend on
 *   when a worker finishes.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { isDurable, Settings } from "../../config/Settings.ts"
import { type Digest, DigestBuffer } from "../../domain/Digest.ts"
import type { EvidenceHandle } from "../../domain/Evidence.ts"
import type { EvacuateRecord, NeutralizationRecord, PurgeReason, PurgeRecord } from "../../domain/Records.ts"
import type { CategoryRank } from "../../domain/Scent.ts"
import type { BySeverity, Severity, SeverityRank } from "../../domain/Severity.ts"
import type { QuarantineStats } from "../../domain/WatcherSnapshot.ts"
import { Compression } from "../../host/port/Compression.ts"
import { Hash } from "../../host/port/Hash.ts"
import { Memory } from "../../host/port/Memory.ts"
import { Randomness } from "../../host/port/Randomness.ts"
import { Alerts } from "../../safety/alert/Alerts.ts"
import { FailSafe } from "../../safety/failsafe/FailSafe.ts"
import { atOnce, type Sliced } from "../../scheduler/Slices.ts"
import { Caller } from "../../telemetry/Caller.ts"
import * as RootSpans from "../../telemetry/RootSpans.ts"
import { AuditChain } from "../audit/AuditChain.ts"
import { ColdStorage } from "../coldstorage/ColdStorage.ts"
import { Handle } from "../evidence/Evidence.ts"
import { SecureIds } from "../evidence/SecureIds.ts"
import { parseSignature } from "../evidence/SignatureText.ts"
import type { LedgerStoreError } from "../ledger/LedgerStore.ts"
import type { StoreTurns } from "../ledger/StoreTurns.ts"
import { Capacity } from "./Capacity.ts"
import { ABSENT } from "./DigestIndex.ts"
import { Duplicates, type Ignored } from "./Duplicates.ts"
import { Evictions, type Quarantined } from "./Evictions.ts"
import type { ExitReason } from "./ExitCounts.ts"
import { Exits, type ExitsOptions } from "./Exits.ts"
import { ExitSteps } from "./ExitSteps.ts"
import { Journal, type JournalStats, type JournalStore } from "./Journal.ts"
import { restore, type Restored } from "./Restore.ts"
import { type Arrival, Vault, vaultSeedWords } from "./Vault.ts"

/** A duplicate has raised the severity of held evidence. */
export interface SeverityRaise {
  readonly handle: EvidenceHandle
  readonly before: SeverityRank
  readonly severity: SeverityRank
}

/** Holds evidence. All but the layer is synchronous and never throws. */
export class Quarantine extends Context.Service<Quarantine, {
  /**
   * Answers a duplicate that can be told by its bytes alone, unhashed, and counts it as `hit` does.
   * Null does not mean that there is none: ask `hit` then. Reads the first `size` bytes of
   * `content`, and none of its properties: it may be a payload of somebody's.
   */
  readonly hitSame: (
    content: Uint8Array,
    size: number,
    category: CategoryRank,
    severity: SeverityRank
  ) => Ignored | null
  /**
   * Answers a duplicate, or null where no evidence with this signature is held. Counts it as a hit;
   * a worse severity than before becomes the evidence's. `content` is what was signed.
   */
  readonly hit: (
    signed: Digest,
    content: Uint8Array,
    category: CategoryRank,
    severity: SeverityRank
  ) => Ignored | null
  /** Calls back on the turn of each raise from now on. The listener must not throw. */
  readonly onRaised: (listener: (raise: SeverityRaise) => void) => void
  /** Takes new evidence, whose signature must not be held. Its content is copied. */
  readonly hold: (arrival: Arrival) => Quarantined
  /** A new handle of evidence that is held, or null. */
  readonly get: (signature: string) => EvidenceHandle | null
  /** Destroys evidence; null where it is not held. */
  readonly neutralize: (signature: string) => NeutralizationRecord | null
  /** Sends evidence to cold storage, then destroys it; null where that could not begin. */
  readonly evacuate: (signature: string) => EvacuateRecord | null
  /**
   * Destroys evidence because something failed, after cold storage was told, and tells the
   * fail-safe; null where it is not held (RFC, "Purge + Replace Model").
   */
  readonly purge: (signature: string, reason: PurgeReason) => PurgeRecord | null
  /**
   * Purges at most `limit` pieces in the order of eviction for a panic, and gives their number.
   * Evidence that cold storage does not take stays in custody (CONFORMANCE F3).
   */
  readonly purgeForPanic: (limit: number) => number
  /**
   * Neutralizes everything, in the order of eviction (CONFORMANCE Q4). O(pieces and bytes held).
   */
  readonly flush: () => Array<NeutralizationRecord>
  /**
   * The same in slices of 64 pieces or 4 MiB. What comes during a pause stays in custody; what
   * leaves by another way has no record here.
   */
  readonly flushing: () => Sliced<Array<NeutralizationRecord>>
  /**
   * Overwrites all evidence, without a record of it: for the end of the process, whose chain ends
   * too. O(pieces and bytes held), some 0.2 µs a piece beside its bytes.
   */
  readonly wipe: () => void
  /** O(1). */
  readonly stats: () => QuarantineStats
  /** Bytes of evidence held, by severity. O(1). */
  readonly bytesBySeverity: () => BySeverity
  /** Pieces of this severity that left this way so far, arrivals without room included. O(1). */
  readonly exits: (reason: ExitReason, severity: Severity) => number
  /** How full it is, from 0 to 1: by count or by bytes, whichever is more. O(1). */
  readonly fill: () => number
  /** The id of the scent that held evidence came in; undefined where none is held. */
  readonly scentId: (signature: string) => string | undefined
  /**
   * A copy of evidence that is held, or null; its handle's buffer stays as it is. In the memory
   * that `room` gives for so many bytes, where there is one.
   */
  readonly copy: (signature: string, room?: (length: number) => Uint8Array) => Uint8Array | null
  /** Pieces evicted for lack of room so far, arrivals included. */
  readonly evictions: () => number
  /** Duplicates of held evidence so far. */
  readonly hits: () => number
  /** Places of the index read so far: the work of finding and removing. */
  readonly probes: () => number
  /** How much of what is held is on disk, and how much came that will not be. O(1). */
  readonly journalled: () => JournalStats
  /**
   * Takes the evidence of earlier processes in from a store, and has it keep what comes, where
   * custody is durable; else does nothing.
   */
  readonly restore: (store: JournalStore, turns: StoreTurns) => Effect.Effect<Restored, LedgerStoreError>
  /**
   * Lets go of all that is held, at the end: what is on disk stays there, and is wiped from memory;
   * the rest is neutralized.
   */
  readonly close: Effect.Effect<void>
}>()("tracehound/custody/quarantine/Quarantine") {
  /**
   * As configured under `quarantine`. Closing its scope wipes the evidence that is still held, and
   * waits until that is on disk where custody is durable.
   */
  static readonly layer = Layer.effect(
    Quarantine,
    Effect.gen(function*() {
      const services = {
        settings: yield* Settings,
        clock: yield* Clock.Clock,
        hash: yield* Hash,
        memory: yield* Memory,
        compression: yield* Compression,
        randomness: yield* Randomness,
        ids: yield* SecureIds,
        alerts: yield* Alerts,
        chain: yield* AuditChain,
        coldStorage: yield* ColdStorage,
        failSafe: yield* FailSafe,
        caller: yield* Caller,
        spans: yield* RootSpans.fromContext
      }
      return yield* Effect.acquireRelease(
        Effect.sync(() => make(services)),
        ({ close }) => close
      )
    })
  )
}

export interface QuarantineServices {
  readonly settings: Pick<Settings["Service"], "custody" | "dataDirectory" | "quarantine" | "signature">
  readonly clock: Pick<Clock.Clock, "currentTimeMillisUnsafe">
  readonly hash: Pick<Hash["Service"], "sha256Into">
  readonly memory: Pick<Memory["Service"], "equal">
  readonly compression: ExitsOptions["compression"]
  readonly randomness: Pick<Randomness["Service"], "fill">
  readonly ids: Pick<SecureIds["Service"], "nextInto">
  readonly alerts: Pick<Alerts["Service"], "alertUnsafe" | "errorUnsafe" | "logUnsafe">
  readonly chain: Pick<AuditChain["Service"], "append" | "record">
  readonly coldStorage: ColdStorage["Service"]
  readonly failSafe: Pick<FailSafe["Service"], "fullUnsafe" | "purgedUnsafe" | "reportUnsafe" | "roomUnsafe">
  readonly caller: Caller
  readonly spans: RootSpans.RootSpans
}

/** An empty quarantine. Its functions need no `this`. */
export const make = (services: QuarantineServices): Quarantine["Service"] => {
  const { settings } = services
  const vault = makeVault(services)
  const journal = isDurable(settings) ? new Journal({ ...services, vault }) : null
  const duplicates = new Duplicates(vault, journal)
  const steps = new ExitSteps({ ...services, vault, duplicates, journal })
  const exits = new Exits({ ...services, vault, steps, journal })
  const evictions = new Evictions({ ...services, vault, steps, custodian: exits })
  const capacity = new Capacity({ ...services, bounds: settings.quarantine, vault, evictions })
  return {
    hitSame: (content, size, category, severity) => {
      const slot = vault.findSame(content, size, category)
      return slot < 0 ? null : duplicates.answer(slot, severity)
    },
    hit: (signed, content, category, severity) => {
      const slot = vault.find(vault.read(signed), category)
      if (slot < 0) return null
      vault.remember(content, slot)
      return duplicates.answer(slot, severity)
    },
    onRaised: (listener) =>
      duplicates.onRaised((slot, before, severity) => listener({ handle: exits.handleOf(slot), before, severity })),
    hold: (arrival) => {
      const { captured, severity, size } = arrival
      if (!capacity.makeRoom(severity, size, captured)) return evictions.turnAway(arrival)
      const slot = vault.insert(arrival)
      duplicates.forget(slot)
      if (journal !== null) journal.hold(slot)
      return { status: "quarantined", handle: new Handle(exits, slot, vault.generationOf(slot), arrival) }
    },
    ...bySignature(vault, exits),
    purgeForPanic: (limit) => exits.purgeForPanic(limit),
    flush: () => atOnce(flushing(vault, exits)),
    flushing: () => flushing(vault, exits),
    wipe: () => vault.wipe(),
    stats: () => vault.stats(),
    bytesBySeverity: () => vault.bytesBySeverity(),
    exits: (reason, severity) => steps.counts.of(reason, severity),
    fill: () => capacity.fill(),
    evictions: () => evictions.count,
    hits: () => duplicates.count,
    probes: () => vault.probes,
    ...durably(
      journal,
      (journal, store, turns) => restore({ ...services, vault, journal, capacity, evictions }, store, turns)
    ),
    close: closing(journal, vault, exits)
  }
}

const none: Restored = { restored: 0, unreadable: 0 }

/** What custody has on disk, and has back from there; nothing where it is in memory alone. */
const durably = (
  journal: Journal | null,
  restoreTo: (
    journal: Journal,
    store: JournalStore,
    turns: StoreTurns
  ) => Effect.Effect<Restored, LedgerStoreError>
): Pick<Quarantine["Service"], "journalled" | "restore"> => ({
  journalled: () => journal?.stats() ?? { durable: 0, notDurable: 0 },
  restore: (store, turns) => journal === null ? Effect.succeed(none) : restoreTo(journal, store, turns)
})

const closing = (journal: Journal | null, vault: Vault, exits: Exits): Effect.Effect<void> => {
  const neutralized = Effect.sync(() => {
    atOnce(flushing(vault, exits))
    vault.wipe()
  })
  if (journal === null) return neutralized
  const wiped = Effect.sync(() => {
    for (const slot of vault.all()) {
      if (!journal.isDurable(slot)) continue
      vault.remove(slot)
      journal.forget(slot)
    }
  })
  return Effect.andThen(journal.drained, Effect.andThen(wiped, neutralized))
}

/** What one slice of a flush neutralizes at most, but for a single piece that is larger. */
const piecesPerSlice = 64
const bytesPerSlice = 4_194_304

/**
 * Neutralizes what is held at the beginning. That list alone is made on one turn, whatever its
 * length: some 10 ns a piece.
 */
function* flushing(vault: Vault, exits: Exits): Sliced<Array<NeutralizationRecord>> {
  const slots = vault.all()
  const generations = new Int32Array(slots.length)
  for (let i = 0; i < slots.length; i++) generations[i] = vault.generationOf(slots[i] ?? ABSENT)
  const isHeld = (slot: number, i: number): boolean => vault.holds(slot, generations[i] ?? 0)
  const records: Array<NeutralizationRecord> = []
  let pieces = 0
  let bytes = 0
  for (const [i, slot] of slots.entries()) {
    if (!isHeld(slot, i)) continue
    const size = vault.sizeOf(slot)
    if (pieces === piecesPerSlice || (pieces > 0 && bytes + size > bytesPerSlice)) {
      pieces = 0
      bytes = 0
      yield
      if (!isHeld(slot, i)) continue
    }
    records.push(exits.neutralize(slot))
    pieces += 1
    bytes += size
  }
  return records
}

/**
 * Looks evidence up by its signature, and does something with it; all give null where none is held.
 */
const bySignature = (
  vault: Vault,
  exits: Exits
): Pick<Quarantine["Service"], "copy" | "evacuate" | "get" | "neutralize" | "purge" | "scentId"> => {
  const wanted = new DigestBuffer()
  const find = (signature: string): number => {
    const category = parseSignature(signature, wanted)
    return category === null ? ABSENT : vault.find(wanted, category)
  }
  return {
    get: (signature) => {
      const slot = find(signature)
      return slot < 0 ? null : exits.handleOf(slot)
    },
    neutralize: (signature) => {
      const slot = find(signature)
      return slot < 0 ? null : exits.neutralize(slot)
    },
    evacuate: (signature) => {
      const slot = find(signature)
      return slot < 0 ? null : exits.evacuate(slot)
    },
    purge: (signature, reason) => {
      const slot = find(signature)
      return slot < 0 ? null : exits.purge(slot, reason)
    },
    scentId: (signature) => {
      const slot = find(signature)
      return slot < 0 ? undefined : vault.scentOf(slot).id
    },
    copy: (signature, room = newBytes) => {
      const slot = find(signature)
      if (slot < 0) return null
      const content = vault.contentOf(slot)
      const copy = room(content.length)
      copy.set(content)
      return copy
    }
  }
}

const newBytes = (length: number): Uint8Array => new Uint8Array(length)

const makeVault = ({ memory, randomness: { fill }, settings }: QuarantineServices): Vault => {
  const seed = new Int32Array(vaultSeedWords)
  fill(new Uint8Array(seed.buffer))
  return new Vault({
    policy: settings.quarantine.evictionPolicy,
    keyed: settings.signature.key !== undefined,
    seed,
    equal: memory.equal
  })
}
