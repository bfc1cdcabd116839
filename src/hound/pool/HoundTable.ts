/**
 * The table of a pool's hounds, by state: plain data, no process (RFC, "Hound Pool"; CONFORMANCE
 * H1).
 *
 * Promises that `dormant`, `active` and `total` count what is in the table at every moment, and
 * that a hound changes its state only in the order booting, dormant, active, dormant, …, disposing,
 * gone. Every method is O(1) but `all` and `clear`.
 *
 * The hound that has ended its work last gets the next: its memory is in the processor's caches,
 * and it may not even have fallen asleep. Otherwise the one that has been dormant longest does.
 */
import type { Hound } from "../../domain/Hound.ts"
import type { Examination } from "./Examination.ts"
import type { ExitCause } from "./ExitCause.ts"
import type { Connection } from "./PoolHost.ts"

const never = Number.POSITIVE_INFINITY

/**
 * A hound from its launch to its end. The table alone changes what is readonly, the pool core the
 * rest. Times are monotonic, in ms, where nothing else is said.
 */
export interface Member {
  /** The spawner's number for it. */
  readonly id: number
  /** Its id outside of the pool. */
  readonly name: string
  readonly state: "booting" | "dormant" | "active" | "disposing"
  /** Times of day, in ms since the epoch. */
  readonly createdAt: number
  readonly activatedAt: number | null
  /** Whether it is to be replaced. */
  readonly isStale: boolean
  readonly retireAt: number
  connection: Connection | null
  examination: Examination | null
  /** The number of the job that it has; 0: none. An active hound without a job is reserved. */
  job: number
  /** It said that it began. */
  hasBegun: boolean
  /** When it must have come to the end of its boot or its job. */
  due: number
  sentAt: number
  /** Jobs that it has ended. */
  jobs: number
  /** It was deactivated before its examination came. */
  isUnwanted: boolean
  /** Its memory is being watched. */
  isWatched: boolean
  restingSince: number
  /** Why it ends; null until that is decided. */
  cause: ExitCause | null
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** What is known of a hound at its launch. */
type Birth = Pick<Member, "id" | "name" | "createdAt" | "retireAt">

export class HoundTable {
  readonly #members = new Map<number, Mutable<Member>>()
  readonly #dormant = new Set<Member>()
  /** The one of them that ended its work last; null once it is none of them. */
  #warm: Member | null = null
  #active = 0
  #booting = 0
  #stale = 0

  get dormant(): number {
    return this.#dormant.size
  }

  get active(): number {
    return this.#active
  }

  /** Launched, and not ready yet. */
  get booting(): number {
    return this.#booting
  }

  /** Dormant, and to be replaced. */
  get stale(): number {
    return this.#stale
  }

  /** All that are ready or were: dormant, active and disposing. */
  get total(): number {
    return this.#members.size - this.#booting
  }

  /** All whose process there may be. */
  get size(): number {
    return this.#members.size
  }

  /** Enters a hound that is being launched: booting, and resting since `now`. */
  launch(birth: Birth, now: number): Member {
    const member: Mutable<Member> = {
      ...birth,
      state: "booting",
      activatedAt: null,
      isStale: false,
      connection: null,
      examination: null,
      job: 0,
      hasBegun: false,
      due: never,
      sentAt: 0,
      jobs: 0,
      isUnwanted: false,
      isWatched: false,
      restingSince: now,
      cause: null
    }
    this.#members.set(birth.id, member)
    this.#booting += 1
    return member
  }

  get(id: number): Member | undefined {
    return this.#members.get(id)
  }

  /** Makes it dormant, after its boot or its work. */
  rest(member: Member): void {
    this.#move(member, "dormant", null)
  }

  /**
   * Activates the one that ended its work last, or else the one that has been dormant longest; null
   * where none is. `now` is a time of day.
   */
  activate(now: number): Member | null {
    const next = this.#warm ?? this.#longestDormant
    if (next !== null) this.#move(next, "active", now)
    return next
  }

  get #longestDormant(): Member | null {
    for (const member of this.#dormant) return member
    return null
  }

  /** Marks it as to be replaced. */
  age(member: Member): void {
    const mine = this.#members.get(member.id)
    if (mine === undefined || mine.isStale) return
    mine.isStale = true
    if (mine.state === "dormant") this.#stale += 1
  }

  /** Its end has begun. */
  dispose(member: Member): void {
    this.#move(member, "disposing", member.activatedAt)
  }

  /** Takes out a hound whose process is gone: undefined where it was not there. */
  remove(id: number): Member | undefined {
    const member = this.#members.get(id)
    if (member === undefined) return undefined
    this.#leave(member)
    this.#members.delete(id)
    return member
  }

  /** All of them, the oldest first. O(n). */
  all(): ReadonlyArray<Member> {
    return [...this.#members.values()]
  }

  clear(): ReadonlyArray<Member> {
    const members = this.all()
    for (const { id } of members) this.remove(id)
    return members
  }

  #leave(member: Member): void {
    if (member.state === "dormant") {
      this.#dormant.delete(member)
      if (this.#warm === member) this.#warm = null
      if (member.isStale) this.#stale -= 1
    } else if (member.state === "active") this.#active -= 1
    else if (member.state === "booting") this.#booting -= 1
  }

  #move(member: Member, state: "dormant" | "active" | "disposing", activatedAt: number | null): void {
    const mine = this.#members.get(member.id)
    if (mine === undefined || mine !== member || mine.state === "disposing") return
    this.#leave(mine)
    if (state === "dormant" && mine.state === "active") this.#warm = mine
    mine.state = state
    mine.activatedAt = activatedAt
    if (state === "dormant") {
      this.#dormant.add(mine)
      if (mine.isStale) this.#stale += 1
    } else if (state === "active") this.#active += 1
  }
}

/** A hound as the outside sees it; null while it is booting. */
export const houndOf = ({ activatedAt, createdAt, name, state }: Member): Hound | null =>
  state === "booting" ? null : { id: name, state, createdAt, activatedAt }
