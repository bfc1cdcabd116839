/**
 * What is written down about evidence on its way out: one object, filled in anew for each, since
 * the chain keeps nothing of it (CONFORMANCE A1).
 */
import type { AuditFacts } from "../audit/HashChain.ts"
import { DigestBuffer } from "../../domain/Digest.ts"
import type { PurgeReason } from "../../domain/Records.ts"
import { threatCategories, type ThreatCategory } from "../../domain/Scent.ts"
import { secureIdBytes } from "../../domain/SecureIdText.ts"
import { severities, type Severity } from "../../domain/Severity.ts"

/** The category at a place in `threatCategories`. */
export const categoryAt = (place: number): ThreatCategory => threatCategories[place] ?? "unknown"

/** The severity at a place in `severities`. */
export const severityAt = (place: number): Severity => severities[place] ?? "low"

/** The facts of one departure. */
export class ExitFacts implements AuditFacts {
  status: AuditFacts["status"] = "neutralized"
  severity: Severity = "low"
  purgeReason: PurgeReason | null = null
  category: ThreatCategory = "unknown"
  size = 0
  compressedSize: number | null = null
  timestamp = 0
  destination: string | null = null
  readonly id: Uint8Array = new Uint8Array(secureIdBytes)
  /** The digest in the signature, and the SHA-256 of the content. */
  readonly signed: DigestBuffer = new DigestBuffer()
  readonly content: DigestBuffer = new DigestBuffer()
  readonly digest: Uint8Array = this.signed.bytes
  readonly hash: Uint8Array = this.content.bytes

  /** The same, as the record of this way out. */
  as<S extends AuditFacts["status"]>(status: S): this & { readonly status: S } {
    this.status = status
    return this as this & { readonly status: S }
  }
}
