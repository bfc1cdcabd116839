/**
 * Text of others, made fit for logs, alerts and spans: ASCII on one line, of bounded length. Nobody
 * can forge a line, a colour or a mark-up with it.
 *
 * What is not shown as it is becomes `\u{hex}`, so that two different texts that are not cut stay
 * different. O(most) after the text is flat.
 */

/** What a cut text ends in. */
const cut = "..."

/** Characters of `escapedId`, its cut included: so many that a UUID and most names fit. */
export const maxEscapedId = 67

const isPlain = (code: number): boolean => code >= 0x20 && code < 0x7f && code !== BACKSLASH

const BACKSLASH = 0x5c

/** Printable ASCII as it is, up to about `most` characters: a message of an error. */
export const escaped = (text: string, most: number): string => escape(text, most, isPlain)

/**
 * The id of a scent, which may be an attacker's: letters, digits and what ids are made of as they
 * are, and no character that any mark-up gives a meaning. At most `maxEscapedId` characters.
 */
export const escapedId = (id: string): string => escape(id, maxEscapedId - cut.length, isOfId)

const isOfId = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) ||
  idMarks.has(code)

const idMarks: ReadonlySet<number> = new Set(Array.from("-_.:/@+=#,~", (mark) => mark.charCodeAt(0)))

const escape = (text: string, most: number, isShown: (code: number) => boolean): string => {
  let shown = ""
  for (let at = 0; at < text.length;) {
    const code = text.codePointAt(at) ?? 0
    const piece = isShown(code) ? String.fromCharCode(code) : `\\u{${code.toString(16)}}`
    if (shown.length + piece.length > most) return shown + cut
    shown += piece
    at += code > 0xffff ? 2 : 1
  }
  return shown
}
