/**
 * How master secrets reach the writer's thread: in a small shared memory that both threads wipe. A
 * message would leave a copy in the engine's own memory, which nobody can.
 *
 * | word | content |
 * | --- | --- |
 * | 0 | how many secrets there are: 0 where it is empty |
 * | 1 to 4 | the bytes of each |
 *
 * Then 1,024 bytes for each. The two threads take turns: one fills it and then starts the other, or
 * sends an order; the other takes them.
 */
const most = 4
const longest = 1_024
const headerBytes = 4 * (most + 1)

/** Memory for secrets, empty. */
export const secretCell = (): SharedArrayBuffer => new SharedArrayBuffer(headerBytes + most * longest)

const wordsOf = (cell: SharedArrayBuffer): Int32Array => new Int32Array(cell, 0, most + 1)
const placeOf = (cell: SharedArrayBuffer, i: number, length: number): Uint8Array =>
  new Uint8Array(cell, headerBytes + i * longest, length)

/**
 * Puts secrets in, in place of what was there. A RangeError where there are too many or too long.
 */
export const fillCell = (cell: SharedArrayBuffer, secrets: ReadonlyArray<Uint8Array>): void => {
  if (secrets.length > most || secrets.some(({ length }) => length > longest))
    throw new RangeError(`at most ${most} master secrets of at most ${longest} bytes fit`)
  wipeCell(cell)
  const words = wordsOf(cell)
  for (const [i, secret] of secrets.entries()) {
    placeOf(cell, i, secret.length).set(secret)
    words[i + 1] = secret.length
  }
  Atomics.store(words, 0, secrets.length)
}

/** Takes the secrets out: copies that the caller wipes. The cell is empty then. */
export const takeSecrets = (cell: SharedArrayBuffer): ReadonlyArray<Uint8Array> => {
  const words = wordsOf(cell)
  const secrets = Array.from({ length: Atomics.load(words, 0) }, (_, i) => placeOf(cell, i, words[i + 1] ?? 0).slice())
  wipeCell(cell)
  return secrets
}

export const wipeCell = (cell: SharedArrayBuffer): void => {
  new Uint8Array(cell).fill(0)
}
