/**
 * Notes on a configuration that is valid: choices that somebody may not have meant. `tracehound
 * config check` and `tracehound doctor` print them. The defaults have none.
 */
import * as Redacted from "effect/Redacted"
import type { FailSafeAction } from "../domain/FailSafe.ts"
import type { TracehoundConfig } from "./TracehoundConfig.ts"

export interface ConfigNote {
  /** The setting, as in `a.b.c`. */
  readonly path: string
  readonly note: string
}

/** Every note, in the order of the schema. Pure. */
export const configNotes = (config: TracehoundConfig): ReadonlyArray<ConfigNote> => [
  ...custodyNotes(config),
  ...keyNotes(config),
  ...coldStorageNotes(config),
  ...panicNotes(config)
]

const custodyNotes = ({ maxPayloadSize, quarantine: { maxBytes } }: TracehoundConfig): ReadonlyArray<ConfigNote> =>
  maxBytes >= maxPayloadSize ? [] : [{
    path: "quarantine.maxBytes",
    note: `is less than maxPayloadSize: evidence of ${maxBytes + 1} to ${maxPayloadSize} bytes is evicted when it comes`
  }]

/** A key in hexadecimal has about 16 different characters. */
const fewCharacters = 8

const keyNotes = ({ signature: { key } }: TracehoundConfig): ReadonlyArray<ConfigNote> =>
  key === undefined || new Set(Redacted.value(key)).size >= fewCharacters ? [] : [{
    path: "signature.key",
    note: `has fewer than ${fewCharacters} different characters: somebody may guess it; openssl rand -hex 32 makes one`
  }]

const coldStorageNotes = ({ audit: { coldStorage }, maxPayloadSize }: TracehoundConfig): ReadonlyArray<ConfigNote> => {
  if (coldStorage === undefined) return []
  const { endpoint, http, maxPendingBytes, s3 } = coldStorage
  const url = endpoint.startsWith("s3:") ? s3.endpoint ?? "" : endpoint
  return [
    ...maxPendingBytes >= maxPayloadSize ? [] : [{
      path: "audit.coldStorage.maxPendingBytes",
      note: `is less than maxPayloadSize: cold storage never takes evidence of ${maxPendingBytes + 1} bytes or more`
    }],
    ...!/^https?:/.test(endpoint) || http.key !== undefined ? [] : [{
      path: "audit.coldStorage.http.key",
      note: "is not set: the receiver cannot tell who sent an envelope"
    }],
    ...!url.startsWith("http:") ? [] : [{
      path: endpoint.startsWith("s3:") ? "audit.coldStorage.s3.endpoint" : "audit.coldStorage.endpoint",
      note: "is http: and not https: whoever is on the way reads the evidence"
    }]
  ]
}

/** The failures that whoever sends evidence may be able to provoke. */
const provoked = ["onTimeout", "onEncodeError", "onQuarantineFull", "onHoundError"] as const

const panicNotes = ({ failSafe }: TracehoundConfig): ReadonlyArray<ConfigNote> => {
  const settingsOf = (action: FailSafeAction) => provoked.filter((setting) => failSafe[setting] === action)
  const escalating = settingsOf("escalate")
  return [
    ...settingsOf("panic").map((setting) => ({
      path: `failSafe.${setting}`,
      note: "is panic: whoever can provoke this failure once switches Tracehound off"
    })),
    ...failSafe.panic.threshold.max > 1 || escalating.length === 0 ? [] : [{
      path: "failSafe.panic.threshold.max",
      note: `is 1: whoever can provoke one failure that escalates (${escalating.join(", ")}) switches Tracehound off`
    }]
  ]
}

/** The notes for people, a line each. Pure. */
export const describeNotes = (notes: ReadonlyArray<ConfigNote>): ReadonlyArray<string> =>
  notes.map(({ note, path }) => `note     ${path} ${note}`)
