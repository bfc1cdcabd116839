/**
 * What crosses the ring: the kinds of frames, and how the long ones are laid out.
 *
 * | kind | first number | second number | bytes |
 * | --- | --- | --- | --- |
 * | entry | its sequence | key of the piece it ends, or -1 | the text, UTF-8 |
 * | put | the piece's key | pieces put, with this one | length of facts (4), facts, content |
 * | amend | the piece's key | | its facts |
 * | remove | the piece's key | | |
 * | letter | its time in ms | bytes of its JSON | name, endpoint, reason in JSON, envelope |
 * | unletter | | | the letter's name |
 * | checkpoint | number of the request | | |
 * | keys | number of the request | bytes of its JSON | a KeyOrder in JSON, bytes |
 */
export const FrameKind = {
  entry: 1,
  put: 2,
  remove: 3,
  letter: 4,
  unletter: 5,
  checkpoint: 6,
  keys: 7,
  amend: 8
} as const

/** In place of a key: the entry ends no piece. */
export const noPiece = -1

/** The texts of a dead letter. */
export interface LetterTexts {
  readonly name: string
  readonly endpoint: string
  readonly reason: string
}
