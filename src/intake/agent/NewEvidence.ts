/**
 * Hands new evidence to the quarantine in one object, which is filled in anew for each, since the
 * quarantine keeps none of it. A fresh object for each would be a hundred bytes of garbage.
 */
import type { Quarantine } from "../../custody/quarantine/Quarantine.ts"
import type { Arrival } from "../../custody/quarantine/Vault.ts"
import type { Digest } from "../../domain/Digest.ts"
import { type CategoryRank, categoryRank } from "../../domain/Scent.ts"
import { type SeverityRank, severityRank } from "../../domain/Severity.ts"

const nothing = new Uint8Array(0)
const noDigest = "" as Digest

class NewEvidence implements Arrival {
  category: CategoryRank = categoryRank("unknown")
  severity: SeverityRank = severityRank("low")
  content: Uint8Array = nothing
  size = 0
  captured = 0
  id = ""
  source = ""
  timestamp = 0
  hash = noDigest
  signed = noDigest

  fill({ captured, category, content, hash, id, severity, signed, size, source, timestamp }: Arrival): void {
    this.category = category
    this.severity = severity
    this.content = content
    this.size = size
    this.captured = captured
    this.id = id
    this.source = source
    this.timestamp = timestamp
    this.hash = hash
    this.signed = signed
  }

  /** Lets go of what the scent brought. */
  clear(): void {
    this.content = nothing
    this.id = ""
    this.source = ""
  }
}

/**
 * The quarantine's `hold`. The caller's object is read at once: a compiler that makes this a part
 * of the caller leaves it out.
 */
export const holdingBy = ({ hold }: Pick<Quarantine["Service"], "hold">): Quarantine["Service"]["hold"] => {
  const evidence = new NewEvidence()
  return (arrival) => {
    evidence.fill(arrival)
    try {
      return hold(evidence)
    } finally {
      evidence.clear()
    }
  }
}
