/**
 * The canonical order: of an object's keys by UTF-16 code units (RFC 8785 3.2.3), and of the
 * entries of a Map or Set by their canonical bytes. Insertion order never matters.
 *
 * Cost: sorting keys compares each character at most about log2(keys) times, or for the few keys of
 * a usual object as often as they stand in the wrong order. Entries are sorted where they were
 * written: each byte is compared at most log2(entries) times and moved at most twice, and entries
 * that already ascend are not moved.
 */

const COMMA = 0x2c

/** Above this many keys the host's sort is faster than insertion. */
const fewKeys = 24

/** Sorts in place, as ECMAScript compares strings. */
export const sortKeys = (keys: Array<string>): void => {
  if (keys.length > fewKeys) {
    keys.sort()
    return
  }
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i] ?? ""
    let place = i
    for (let before = keys[place - 1] ?? ""; place > 0 && isBefore(key, before); before = keys[place - 1] ?? "") {
      keys[place] = before
      place--
    }
    keys[place] = key
  }
}

/**
 * The host's comparison costs three times as much as the first unit, which nearly always decides.
 */
const isBefore = (a: string, b: string): boolean => {
  const unitA = a.charCodeAt(0)
  const unitB = b.charCodeAt(0)
  return unitA === unitB || a.length === 0 || b.length === 0 ? a < b : unitA < unitB
}

/**
 * Sorts the comma-separated entries that stand in `bytes`. Entry i is [starts[i], starts[i + 1] -
 * 1): the last element of `starts` is one past the position after the last entry, so that every
 * entry ends one byte before the next start.
 */
export const sortEntries = (bytes: Uint8Array, starts: ReadonlyArray<number>): void => {
  const count = starts.length - 1
  if (ascends(bytes, starts, count)) return
  const order = Array.from({ length: count }, (_, entry) => entry).sort((a, b) => compare(bytes, starts, a, b))
  const first = at(starts, 0)
  const copy = bytes.slice(first, at(starts, count) - 1)
  let to = first
  for (const [place, entry] of order.entries()) {
    if (place > 0) bytes[to++] = COMMA
    const from = at(starts, entry)
    const end = at(starts, entry + 1) - 1
    bytes.set(copy.subarray(from - first, end - first), to)
    to += end - from
  }
  copy.fill(0)
}

const at = (starts: ReadonlyArray<number>, index: number): number => starts[index] ?? 0

const ascends = (bytes: Uint8Array, starts: ReadonlyArray<number>, count: number): boolean => {
  for (let entry = 1; entry < count; entry++) if (compare(bytes, starts, entry - 1, entry) > 0) return false
  return true
}

/** Unsigned bytes from the left; a proper prefix comes first. */
const compare = (bytes: Uint8Array, starts: ReadonlyArray<number>, a: number, b: number): number => {
  const fromA = at(starts, a)
  const fromB = at(starts, b)
  const lengthA = at(starts, a + 1) - fromA
  const lengthB = at(starts, b + 1) - fromB
  const shared = Math.min(lengthA, lengthB) - 1
  for (let i = 0; i < shared; i++) {
    const difference = (bytes[fromA + i] ?? 0) - (bytes[fromB + i] ?? 0)
    if (difference !== 0) return difference
  }
  return lengthA - lengthB
}
