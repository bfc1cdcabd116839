/**
 * What the journal has of a piece of evidence beside its content: JSON, written by hand's order and
 * read with suspicion, since whoever has the disk can write it.
 */
import * as Schema from "effect/Schema"
import { type Digest, DigestBuffer, digestHex, hexOf } from "../../domain/Digest.ts"
import { categoryRank, maxIdentifierBytes, ThreatCategory } from "../../domain/Scent.ts"
import { Severity, severityRank } from "../../domain/Severity.ts"
import { BoundedString } from "../../domain/Text.ts"
import { Sha256Hex } from "../../domain/Threat.ts"
import type { Hash } from "../../host/port/Hash.ts"
import type { JournalPiece } from "../ledger/LedgerStore.ts"
import type { Arrival, Vault } from "./Vault.ts"

const Facts = Schema.Struct({
  /** Its place among all: what has a larger number came, or was seen, later. */
  order: Schema.Natural,
  /** The digest in the signature, and the SHA-256 of the content. */
  signed: Sha256Hex,
  hash: Sha256Hex,
  category: ThreatCategory,
  severity: Severity,
  captured: Schema.Finite,
  id: BoundedString(maxIdentifierBytes),
  source: BoundedString(maxIdentifierBytes),
  timestamp: Schema.Finite
})

const decode = Schema.decodeUnknownSync(Facts)

/** A piece as it was in custody, and its place. */
export interface Restorable {
  readonly arrival: Arrival
  readonly order: number
}

/** The facts of evidence that is held. */
export const factsText = (vault: Vault, slot: number, order: number): string => {
  const { captured, category, hash, scent, severity } = vault.recordOf(slot)
  const signed = digestHex(vault.factsOf(slot).signed)
  const facts: typeof Facts.Type = { order, signed, hash, category, severity, captured, ...scent }
  return JSON.stringify(facts)
}

const digestOf = (hex: string): Digest => {
  const digest = new DigestBuffer()
  digest.read(hex, 0)
  return digest.digest()
}

const found = new DigestBuffer()

/**
 * A piece of the journal, checked: null where its facts are none, or its content is not what they
 * say. In a vault without keys the signature is that of the hash. Never throws.
 */
export const restorable = (
  { content, facts }: JournalPiece,
  { hash: { sha256Into }, keyed }: { readonly hash: Pick<Hash["Service"], "sha256Into">; readonly keyed: boolean }
): Restorable | null => {
  try {
    const { captured, category, hash, id, order, severity, signed, source, timestamp } = decode(JSON.parse(facts))
    sha256Into(content, found.bytes)
    if (hexOf(found.bytes) !== hash) return null
    const arrival = {
      content,
      size: content.length,
      hash: digestOf(hash),
      signed: digestOf(keyed ? signed : hash),
      category: categoryRank(category),
      severity: severityRank(severity),
      captured,
      id,
      source,
      timestamp
    }
    return { arrival, order }
  } catch {
    return null
  }
}
