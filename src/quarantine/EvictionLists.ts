/**
 * The order of eviction (RFC, "Quarantine Eviction Policy"; CONFORMANCE Q1): intrusive doubly linked lists, one for each
 * severity under `priority`, one for all under `lru`. Everything is O(1): nothing is searched, sorted or allocated.
 *
 * **Gotchas**
 *
 * - A node is in at most one set of lists, and its links are theirs: do not touch `prev` and `next` elsewhere.
 */
import { severities, type Severity } from "../domain/Severity.ts"

/** What can be in a list. */
export interface Node<Self> {
  /** The list it is in: under `priority` the one of its severity. */
  severity: Severity
  prev: Self | null
  next: Self | null
}

/** Which evidence goes first. */
export type EvictionPolicy = "priority" | "lru"

/** Evidence in the order in which it would be evicted. */
export interface EvictionLists<N extends Node<N>> {
  /** What would be evicted now, or null. */
  readonly first: () => N | null
  /** As the newest. */
  readonly add: (node: N) => void
  readonly remove: (node: N) => void
  /** It was seen again: under `lru` it becomes the newest, under `priority` it stays where it is. */
  readonly touch: (node: N) => void
  /** All of it, in the order of eviction. O(n). */
  readonly all: () => Array<N>
}

interface List<N> {
  head: N | null
  tail: N | null
}

/** Empty lists. */
export const makeEvictionLists = <N extends Node<N>>(policy: EvictionPolicy): EvictionLists<N> => {
  const recency: List<N> = { head: null, tail: null }
  const byPriority: Record<Severity, List<N>> = {
    low: { head: null, tail: null },
    medium: { head: null, tail: null },
    high: { head: null, tail: null },
    critical: { head: null, tail: null }
  }
  const listOf = (severity: Severity): List<N> => policy === "lru" ? recency : byPriority[severity]
  const inOrder = policy === "lru" ? [recency] : severities.map((severity) => byPriority[severity])

  const add = (node: N): void => {
    const list = listOf(node.severity)
    node.prev = list.tail
    node.next = null
    if (list.tail === null) list.head = node
    else list.tail.next = node
    list.tail = node
  }
  const remove = (node: N): void => {
    const list = listOf(node.severity)
    if (node.prev === null) list.head = node.next
    else node.prev.next = node.next
    if (node.next === null) list.tail = node.prev
    else node.next.prev = node.prev
    node.prev = null
    node.next = null
  }
  return {
    add,
    remove,
    first: () => {
      for (const list of inOrder) if (list.head !== null) return list.head
      return null
    },
    touch: (node) => {
      if (policy !== "lru" || recency.tail === node) return
      remove(node)
      add(node)
    },
    all: () => {
      const nodes: Array<N> = []
      for (const list of inOrder) for (let node = list.head; node !== null; node = node.next) nodes.push(node)
      return nodes
    }
  }
}
