/**
 * The hounds that there are, by what they do: plain data, no process (RFC, "Hound Pool";
 * CONFORMANCE H1).
 *
 * Promises that `dormant`, `active` and `total` are counts of what is in it at every moment, and
 * that no hound changes its state but in the order booting, dormant, active, dormant, …, disposing,
 * gone. Every method is O(1) but `all`.
 *
 * Dormant hounds wait first in, first out: each of them gets its turn, and its age.
 */
import type { Hound } from "../../domain/Hound.ts"

/** A hound from its launch to its end. */
export interface Member<out L> {
  /** The spawner's number for it. */
  readonly id: number
  /** What the outside calls it. */
  readonly name: string
  readonly state: "booting" | "dormant" | "active" | "disposing"
  /** Times of day, in ms since the epoch. */
  readonly createdAt: number
  readonly activatedAt: number | null
  /** Whether it is to be replaced. */
  readonly isStale: boolean
  /** Whatever the keeper knows of it besides. */
  readonly life: L
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** The hounds of a pool. */
export class HoundTable<L> {
  readonly #members = new Map<number, Mutable<Member<L>>>()
  readonly #dormant = new Set<Member<L>>()
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

  /** All processes that there may be. */
  get size(): number {
    return this.#members.size
  }

  /** A hound was launched. */
  launch(id: number, name: string, createdAt: number, life: L): Member<L> {
    const member: Mutable<Member<L>> = {
      id,
      name,
      state: "booting",
      createdAt,
      activatedAt: null,
      isStale: false,
      life
    }
    this.#members.set(id, member)
    this.#booting += 1
    return member
  }

  get(id: number): Member<L> | undefined {
    return this.#members.get(id)
  }

  /** It has ended its boot or its work, and waits. */
  rest(member: Member<L>): void {
    this.#move(member, "dormant", null)
  }

  /** Activates the one that has waited longest, or null. */
  activate(now: number): Member<L> | null {
    for (const member of this.#dormant) {
      this.#move(member, "active", now)
      return member
    }
    return null
  }

  /** It is to be replaced. */
  age(member: Member<L>): void {
    const mine = this.#members.get(member.id)
    if (mine === undefined || mine.isStale) return
    mine.isStale = true
    if (mine.state === "dormant") this.#stale += 1
  }

  /** It is on its way out. */
  dispose(member: Member<L>): void {
    this.#move(member, "disposing", member.activatedAt)
  }

  /** It is gone: undefined where it was not there. */
  remove(id: number): Member<L> | undefined {
    const member = this.#members.get(id)
    if (member === undefined) return undefined
    this.#leave(member)
    this.#members.delete(id)
    return member
  }

  /** All of them, the oldest first. O(n). */
  all(): ReadonlyArray<Member<L>> {
    return [...this.#members.values()]
  }

  #leave(member: Member<L>): void {
    if (member.state === "dormant") {
      this.#dormant.delete(member)
      if (member.isStale) this.#stale -= 1
    } else if (member.state === "active") this.#active -= 1
    else if (member.state === "booting") this.#booting -= 1
  }

  #move(member: Member<L>, state: "dormant" | "active" | "disposing", activatedAt: number | null): void {
    const mine = this.#members.get(member.id)
    if (mine === undefined || mine !== member || mine.state === "disposing") return
    this.#leave(mine)
    mine.state = state
    mine.activatedAt = activatedAt
    if (state === "dormant") {
      this.#dormant.add(mine)
      if (mine.isStale) this.#stale += 1
    } else if (state === "active") this.#active += 1
  }
}

/** A hound as the outside sees it; null while it is booting. */
export const houndOf = ({ activatedAt, createdAt, name, state }: Member<unknown>): Hound | null =>
  state === "booting" ? null : { id: name, state, createdAt, activatedAt }
