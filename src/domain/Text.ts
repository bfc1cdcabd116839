/**
 * Bounds on text, in UTF-8 bytes, without encoding it.
 *
 * Promises to read at most `limit` characters, whatever the string's length, and to allocate
 * nothing.
 *
 * **Gotchas**
 *
 * - A lone surrogate counts as three bytes: as many as U+FFFD takes, and as the surrogate takes in
 *   generalised UTF-8.
 */
import * as Schema from "effect/Schema"

/**
 * Whether `text` takes at most `limit` bytes in UTF-8. O(min(length, limit)), and O(1) for a text
 * whose length is at most a third of the limit.
 */
export const fitsUtf8 = (text: string, limit: number): boolean => {
  const length = text.length
  if (length > limit) return false
  if (length * 3 <= limit) return true
  let bytes = 0
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0x80) bytes += 1
    else if (unit < 0x800) bytes += 2
    else if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text, i + 1)) {
      bytes += 4
      i += 1
    } else bytes += 3
  }
  return bytes <= limit
}

const isLowSurrogate = (text: string, index: number): boolean => {
  const unit = text.charCodeAt(index)
  return unit >= 0xdc00 && unit < 0xe000
}

/**
 * Refuses lone surrogates, which UTF-8 cannot encode: so two different texts never become the same
 * bytes.
 */
export const isWellFormed = Schema.makeFilter((text: string) => text.isWellFormed(), {
  expected: "a string without lone surrogates"
})

/** A string of at most `limit` UTF-8 bytes. */
export const BoundedString = (limit: number) =>
  Schema.String.check(
    Schema.makeFilter((text: string) => fitsUtf8(text, limit), {
      expected: `a string of at most ${limit} bytes in UTF-8`
    })
  )
