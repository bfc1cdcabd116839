/**
 * The layout of the bytes in a hound's pipe (CONFORMANCE H3): numbers of fixed size, little-endian,
 * and no objects. The host sends a header of 48 bytes and the evidence; the hound answers with
 * frames of 24 bytes.
 *
 *     job    u32 magic  u32 job  u32 length
 *            u8 category  u8 severity  u8 hasDigest  u8 0  32 bytes digest
 *     frame  u16 magic  u8 version  u8 kind  u32 seq  u32 job  u32 timeUs  u32 memoryKiB  u32 0
 *
 * The hound's own half is `sandbox/entry.mjs`, which imports nothing and repeats these numbers; a
 * test holds the two together.
 */

/** Bytes of a job before the evidence. */
export const jobHeaderBytes = 48
/** The first four bytes of a job: `HND1`. */
export const jobMagic = 0x31444e48

export const frameBytes = 24
/** The first two bytes of a frame: `HT`. */
export const frameMagic = 0x5448
export const frameVersion = 1

export const frameKinds = { ready: 0, processing: 1, complete: 2, error: 3, metrics: 4 } as const

/** The header of a job. Category and severity are ranks in `threatCategories` and `severities`. */
export interface JobFacts {
  /** A whole number from 1 to 2^32 - 1. */
  readonly job: number
  /** Bytes of evidence. */
  readonly length: number
  readonly category: number
  readonly severity: number
  /** SHA-256 of the content, 32 bytes; null where signatures are keyed. */
  readonly digest: Uint8Array | null
}

/** Writes the header into the first bytes of `target`, all of them. */
export const writeJobHeader = (
  { category, digest, job, length, severity }: JobFacts,
  target: Uint8Array
): void => {
  const view = new DataView(target.buffer, target.byteOffset, jobHeaderBytes)
  view.setUint32(0, jobMagic, true)
  view.setUint32(4, job, true)
  view.setUint32(8, length, true)
  view.setUint8(12, category)
  view.setUint8(13, severity)
  view.setUint8(14, digest === null ? 0 : 1)
  view.setUint8(15, 0)
  if (digest === null) target.fill(0, 16, jobHeaderBytes)
  else target.set(digest, 16)
}

export const jobHeader = (facts: JobFacts): Uint8Array => {
  const header = new Uint8Array(jobHeaderBytes)
  writeJobHeader(facts, header)
  return header
}
