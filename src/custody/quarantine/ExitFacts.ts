/**
 * The facts of evidence on its way out, as the audit chain takes them: one object that each exit
 * fills in anew, since the chain keeps none of it (CONFORMANCE A1).
 */
import { DigestBuffer, hexOf } from "../../domain/Digest.ts"
import type { PurgeReason } from "../../domain/Records.ts"
import { categoryAt, type ThreatCategory } from "../../domain/Scent.ts"
import { secureIdBytes } from "../../domain/SecureIdText.ts"
import { type Severity, severityAt } from "../../domain/Severity.ts"
import type { AuditFacts } from "../audit/HashChain.ts"
import type { SecureIdGenerator } from "../evidence/SecureIds.ts"
import { signatureOf } from "../evidence/SignatureText.ts"
import type { Arrival, Vault } from "./Vault.ts"

/** The facts of one exit at a time. */
export class ExitFacts implements AuditFacts {
  status: AuditFacts["status"] = "neutralized"
  severity: Severity = "low"
  purgeReason: PurgeReason | null = null
  category: ThreatCategory = "unknown"
  size = 0
  compressedSize: number | null = null
  timestamp = 0
  destination: string | null = null
  piece: number | undefined = undefined
  readonly id: Uint8Array = new Uint8Array(secureIdBytes)
  /** The digest in the signature, and the SHA-256 of the content. */
  readonly signed: DigestBuffer = new DigestBuffer()
  readonly content: DigestBuffer = new DigestBuffer()
  readonly digest: Uint8Array = this.signed.bytes
  readonly hash: Uint8Array = this.content.bytes
  readonly #ids: Pick<SecureIdGenerator, "nextInto">

  constructor(ids: Pick<SecureIdGenerator, "nextInto">) {
    this.#ids = ids
  }

  /**
   * Fills in all but the status, of evidence that is held, and in the journal under this key where
   * that has it; the id is a new one.
   */
  readHeld(vault: Vault, slot: number, now: number, piece: number | undefined): void {
    vault.readDigests(slot, this.signed, this.content)
    this.category = vault.categoryOf(slot)
    this.severity = vault.severityOf(slot)
    this.size = vault.sizeOf(slot)
    this.piece = piece
    this.#reset(now)
  }

  /** The same of evidence that was never held in this process. */
  readArrival({ category, hash, piece, severity, signed, size }: Arrival, now: number): void {
    this.signed.copy(signed)
    this.content.copy(hash)
    this.category = categoryAt(category)
    this.severity = severityAt(severity)
    this.size = size
    this.piece = piece
    this.#reset(now)
  }

  /** The signature of the evidence. */
  signature(): string {
    return signatureOf(this.category, hexOf(this.signed.bytes))
  }

  /** The same facts, with the status of this way out. */
  as<S extends AuditFacts["status"]>(status: S): this & { readonly status: S } {
    this.status = status
    return this as this & { readonly status: S }
  }

  #reset(now: number): void {
    this.#ids.nextInto(this.id, now)
    this.timestamp = now
    this.compressedSize = null
    this.destination = null
    this.purgeReason = null
  }
}
