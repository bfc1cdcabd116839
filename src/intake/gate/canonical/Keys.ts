/**
 * The keys of an object: how many bytes they will take at least, and their canonical order.
 *
 * Cost: `leastBytes` looks at lengths only. Sorting compares each character at most about
 * log2(keys) times, or for the few keys of a usual object as often as they stand in the wrong
 * order.
 */

/** Above this many keys the host's sort is faster than insertion. */
const FEW_KEYS = 24

/**
 * The fewest bytes an object of these keys can take: braces, and for each `"key":0` with its comma.
 */
export const leastBytes = (keys: ReadonlyArray<string>): number => {
  let least = keys.length === 0 ? 2 : 5 * keys.length + 1
  for (const key of keys) {
    least += key.length
  }
  return least
}

/** RFC 8785 3.2.3: by UTF-16 code units, as ECMAScript compares strings. In place. */
export const sortKeys = (keys: Array<string>): void => {
  if (keys.length > FEW_KEYS) {
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
