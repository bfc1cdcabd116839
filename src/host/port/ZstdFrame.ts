/**
 * Tells whether bytes are one zstd frame (RFC 8878 section 3.1.1) from the first byte to the last.
 *
 * Decoders open several frames in a row as one, and silently skip some: this check finds whatever
 * follows a frame. It reads the sizes of the blocks; their content is for the decoder to check.
 *
 * Cost: O(blocks), at least one for each 128 KiB of content.
 */

/** In the order in which the bytes stand. */
const magic = [0x28, 0xb5, 0x2f, 0xfd]
const blockHeaderBytes = 3
const checksumBytes = 4
const rle = 1
const reserved = 3

/** False for a frame that needs a dictionary, too. */
export const isOneZstdFrame = (bytes: Uint8Array): boolean => {
  const descriptor = bytes[4]
  if (descriptor === undefined || magic.some((byte, i) => bytes[i] !== byte)) return false
  const isSingleSegment = (descriptor & 0x20) !== 0
  const hasReservedBit = (descriptor & 0x08) !== 0
  const hasChecksum = (descriptor & 0x04) !== 0
  const hasDictionary = (descriptor & 0x03) !== 0
  if (hasReservedBit || hasDictionary) return false
  const sizeFlag = descriptor >> 6
  const sizeBytes = sizeFlag === 0 ? (isSingleSegment ? 1 : 0) : 1 << sizeFlag
  let at = magic.length + 1 + (isSingleSegment ? 0 : 1) + sizeBytes
  for (let isLast = false; !isLast;) {
    if (at + blockHeaderBytes > bytes.length) return false
    const header = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16)
    const type = (header >> 1) & 3
    if (type === reserved) return false
    isLast = (header & 1) === 1
    at += blockHeaderBytes + (type === rle ? 1 : header >> 3)
  }
  return at + (hasChecksum ? checksumBytes : 0) === bytes.length
}
