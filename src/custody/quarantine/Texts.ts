/**
 * Writes short texts as bytes and reads exactly the same texts back, lone surrogates included.
 *
 * A string that was cut out of a request would keep the whole request in memory for as long as the
 * evidence is held. So the vault copies it into the arena, at a byte a character where all are
 * below U+0100, else at two.
 */

/** The bytes that a text takes; negative where it takes two a character. */
export const textBytes = (text: string): number => {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return -2 * text.length
  return text.length
}

/** Writes a text; `bytes` is what `textBytes` gave for it. */
export const writeText = (memory: Uint8Array, at: number, text: string, bytes: number): void => {
  if (bytes >= 0) {
    for (let i = 0; i < bytes; i++) memory[at + i] = text.charCodeAt(i)
    return
  }
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    memory[at + 2 * i] = unit
    memory[at + 2 * i + 1] = unit >>> 8
  }
}

export const readText = (memory: Uint8Array, at: number, bytes: number): string => {
  let text = ""
  if (bytes >= 0) {
    for (let i = 0; i < bytes; i++) text += String.fromCharCode(memory[at + i] ?? 0)
  } else {
    for (let i = 0; i < -bytes; i += 2)
      text += String.fromCharCode((memory[at + i] ?? 0) | ((memory[at + i + 1] ?? 0) << 8))
  }
  return text
}
