/**
 * What clients send to the Express host: of a hundred requests 80 are orders and 20 are attacks, in
 * an order that repeats but looks like none.
 *
 * The same number always gives the same request, so that two hosts get the same.
 */
import { requestObject } from "../payloads.ts"

/**
 * What a request is: an order that passes; an attack that nobody sent before; one that is sent
 * again and again; one from a source that sends too many; one whose body is too large for custody.
 */
export type Kind = "order" | "new" | "again" | "limited" | "large"

/** All kinds, and how many of a hundred requests each has. */
export const shares: Readonly<Record<Kind, number>> = { order: 80, new: 12, again: 4, limited: 3, large: 1 }

const hundred: ReadonlyArray<Kind> = Object.entries(shares).flatMap(([kind, share]) =>
  Array.from({ length: share }, () => kind as Kind)
)

/** The kind of a request. 37 and 100 have no divisor in common. */
export const kindOf = (i: number): Kind => hundred[(i * 37) % 100] ?? "order"

/** Canonical bytes that custody takes at the most. */
export const maxPayloadSize = 65_536

/** Bytes of a body that the host takes at the most. */
export const maxBodySize = 262_144

/** The texts of attacks: half of them of low severity, one in twenty critical. */
const attacks = [
  { share: 10, text: "admin' OR 1=1 --" },
  { share: 6, text: "<script>alert(1)</script>" },
  { share: 3, text: "x' UNION SELECT password FROM users --" },
  { share: 1, text: "'; EXEC xp_cmdshell 'dir' --" }
].flatMap(({ share, text }) => Array.from({ length: share }, () => text))

/** Sizes of bodies, in bytes: half of them small. */
const sizes = [300, 300, 300, 300, 300, 1024, 1024, 1024, 8192, 8192]

const templates = new Map(
  [...new Set(sizes), 2 * maxPayloadSize].map((size) => [size, requestObject(size)] as const)
)

/** A body of about so many bytes. */
const bodyOf = (id: number, size: number, user: string): Buffer => {
  const { body, ...rest } = templates.get(size) ?? requestObject(size)
  return Buffer.from(JSON.stringify({ ...rest, id, body: { ...body, user } }))
}

/** One of them, by a number. */
const picked = <A>(from: ReadonlyArray<A>, i: number, otherwise: A): A => from[i % from.length] ?? otherwise

/** Many enough that none of them comes near the default limit of 100 a minute. */
const sources = 16_384

const sourceOf = (i: number): string => `10.1.${(i >>> 8) & 63}.${i & 255}`

/** A request: what a client sends, and from where. */
export interface HostRequest {
  readonly kind: Kind
  readonly source: string
  readonly body: Buffer
}

/** So many attacks are sent again and again, bad enough to stay in a quarantine that is full. */
const known = 64
const knownAttack = "x' UNION SELECT card FROM orders --"

/** The request of a number. O(bytes of its body). */
export const requestOf = (i: number): HostRequest => {
  const kind = kindOf(i)
  const source = kind === "limited" ? "198.51.100.1" : sourceOf(i % sources)
  if (kind === "order") return { kind, source, body: bodyOf(i, picked(sizes, i, 300), "somebody") }
  if (kind === "again") return { kind, source, body: bodyOf(i % known, picked(sizes, i % known, 300), knownAttack) }
  const size = kind === "large" ? 2 * maxPayloadSize : picked(sizes, i, 300)
  // The hundred that it is one of comes in, since its place within decides its kind.
  return { kind, source, body: bodyOf(i, size, picked(attacks, i + 7 * Math.floor(i / 100), "")) }
}
