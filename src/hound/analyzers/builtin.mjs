/**
 * The analyzer that comes with Tracehound: finds whether evidence is what it is said to be, what
 * kind of bytes it is, and whether it is safe to open.
 *
 * It runs inside a hound: one module, no imports, nothing but ECMAScript and `crypto`. Evidence is
 * hostile, so every loop is bounded by the bytes that are there or by a budget (`limits`), nothing
 * recurses, and no regular expression runs over evidence.
 *
 * The verdict is `error` only where the analyzer refuses to go on:
 *
 * - integrity: the bytes are not those that were taken into custody, or they are a Tracehound
 *   envelope that is broken;
 * - `bomb`: the evidence would inflate to over 200 times its size, and over 1 MiB; `budget`: it is
 *   more than a hound may go through; `deep`: archives within archives beyond three levels;
 * - `lies`: an archive that contradicts itself: checksums and sizes that are wrong, entries that
 *   overlap, two directories.
 *
 * Evidence that merely breaks off, or begins like an archive and is none, is `complete`: there was
 * nothing in it to refuse.
 *
 * Cost: O(n) for the evidence, and O(output) for what it inflates to, up to `limits`. Memory: 32
 * KiB of window, and at most `keptBytes` for each level. Nothing is kept from one job to the next
 * but tables that never change and scratch that is written anew.
 *
 * **Gotchas**
 *
 * - Compressed streams inside of other formats (PNG, PDF, fonts) are not inflated. Of zstd, xz and
 *   bzip2 only what their headers declare is read; 7z and rar are recognised, and that is all.
 * - Of each file in an archive the first `keptBytes` are searched for further archives.
 */

const windowBytes = 32_768
const windowMask = windowBytes - 1
/** Bytes that are kept of each file in an archive, to find whether it is an archive itself. */
export const keptBytes = 262_144
/** Levels of archives within archives that are opened. */
export const maxLevels = 3
/** Bytes of output up to which nothing is a bomb; beyond that, how many times the input. */
const bombBytes = 1_048_576
const bombRatio = 200
const maxEntries = 65_536
const envelopeContent = 4_194_304

/** The budget of evidence of `size` bytes: bytes of output, and steps of work. */
export const limits = (size) => ({ output: 33_554_432 + 8 * size, steps: 268_435_456 + 32 * size })

/** Counts what is spent on one piece of evidence. */
export const makeWork = (size, { output, steps } = limits(size)) => ({
  size,
  maxOutput: output,
  maxSteps: steps,
  output: 0,
  steps: 0,
  streams: 0,
  isBroken: false
})

// ---- checksums ----

/** CRC-32 (RFC 1952), four bytes at a time. */
const crcTable = new Uint32Array(1024)
for (let n = 0; n < 256; n++) {
  let c = n
  for (let k = 0; k < 8; k++) c = (c & 1) === 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1
  crcTable[n] = c
}
for (let n = 256; n < 1024; n++) crcTable[n] = (crcTable[n - 256] >>> 8) ^ crcTable[crcTable[n - 256] & 255]

/** Goes on with a CRC-32 that was `crc` so far; 0 begins one. O(to - from). */
export const crc32 = (crc, bytes, from, to) => {
  const t = crcTable
  let c = ~crc
  let i = from
  for (; i + 4 <= to; i += 4) {
    c ^= bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24)
    c = t[768 + (c & 255)] ^ t[512 + ((c >>> 8) & 255)] ^ t[256 + ((c >>> 16) & 255)] ^ t[c >>> 24]
  }
  for (; i < to; i++) c = (c >>> 8) ^ t[(c ^ bytes[i]) & 255]
  return ~c >>> 0
}

/** Goes on with an Adler-32 (RFC 1950); 1 begins one. O(to - from). */
const adler32 = (adler, bytes, from, to) => {
  let a = adler & 0xffff
  let b = adler >>> 16
  for (let i = from; i < to;) {
    // That many sums stay below 2^32.
    const stop = Math.min(i + 3800, to)
    for (; i < stop; i++) b += a += bytes[i]
    a %= 65_521
    b %= 65_521
  }
  return ((b << 16) | a) >>> 0
}

// ---- RFC 1951: inflate ----

const lengthBase = new Uint16Array(29)
const lengthExtra = new Uint8Array(29)
const distanceBase = new Uint16Array(30)
const distanceExtra = new Uint8Array(30)
for (let i = 0, base = 3; i < 28; base += 1 << lengthExtra[i++]) {
  lengthExtra[i] = i < 8 ? 0 : (i >> 2) - 1
  lengthBase[i] = base
}
lengthBase[28] = 258
for (let i = 0, base = 1; i < 30; base += 1 << distanceExtra[i++]) {
  distanceExtra[i] = i < 4 ? 0 : (i >> 1) - 1
  distanceBase[i] = base
}
const lengthsOrder = Uint8Array.of(16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)

const fastBits = 9
/**
 * One Huffman code: `fast` has the codes of up to 9 bits (symbol << 4 | bits), `counts` and
 * `symbols` have all.
 */
const makeCode = (size) => ({
  fast: new Uint16Array(1 << fastBits),
  counts: new Uint16Array(16),
  symbols: new Uint16Array(size)
})
const offsets = new Uint16Array(16)

/**
 * Makes the code that these lengths describe; false where they describe none. Over-subscribed
 * lengths do not; incomplete ones do not either, except for a single symbol of one bit, and for no
 * symbols at all, which only distances may have.
 */
const build = (code, lengths, from, n, isWhole, work) => {
  const { counts, fast, symbols } = code
  counts.fill(0)
  fast.fill(0)
  for (let i = 0; i < n; i++) counts[lengths[from + i]]++
  work.steps += 512 + 2 * n
  const used = n - counts[0]
  counts[0] = 0
  let left = 1
  for (let bits = 1; bits < 16; bits++) {
    left = 2 * left - counts[bits]
    if (left < 0) return false
  }
  if (left > 0 && (isWhole || used > 1 || (used === 1 && counts[1] !== 1))) return false
  offsets[1] = 0
  for (let bits = 1; bits < 15; bits++) offsets[bits + 1] = offsets[bits] + counts[bits]
  for (let i = 0; i < n; i++) if (lengths[from + i] !== 0) symbols[offsets[lengths[from + i]]++] = i
  let next = 0
  let at = 0
  for (let bits = 1; bits <= fastBits; bits++, next <<= 1) {
    for (let i = 0; i < counts[bits]; i++, at++, next++) {
      let reversed = 0
      for (let b = 0; b < bits; b++) reversed |= ((next >> b) & 1) << (bits - 1 - b)
      for (let k = reversed; k < 1 << fastBits; k += 1 << bits) fast[k] = (symbols[at] << 4) | bits
    }
  }
  return true
}

/**
 * The symbol that the low bits of `hold` spell, as in `fast`; 0 where they spell none. At most 15
 * steps.
 */
const slow = ({ counts, symbols }, hold) => {
  let value = 0
  let first = 0
  let at = 0
  for (let bits = 1; bits < 16; bits++) {
    value |= (hold >>> (bits - 1)) & 1
    const count = counts[bits]
    if (value - first < count) return (symbols[at + value - first] << 4) | bits
    at += count
    first = (first + count) << 1
    value <<= 1
  }
  return 0
}

const lengths = new Uint8Array(320)
const lengthsCode = makeCode(19)
const literals = makeCode(288)
const distances = makeCode(32)
const fixedLiterals = makeCode(288)
const fixedDistances = makeCode(32)
const unmeasured = makeWork(0)
build(
  fixedLiterals,
  new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280),
  0,
  288,
  true,
  unmeasured
)
build(fixedDistances, new Uint8Array(32).fill(5), 0, 32, true, unmeasured)
const window = new Uint8Array(windowBytes)

/**
 * Takes the output of one or more streams: counts it, sums it up, keeps its beginning, and never
 * holds all of it.
 */
export const makeSink = (work, { keep = keptBytes, limit = Infinity, mustKeep = false, sum = "crc" } = {}) => ({
  work,
  keep,
  limit,
  mustKeep,
  sum,
  /** Bytes of all streams, and of the current one. */
  total: 0,
  size: 0,
  check: sum === "adler" ? 1 : 0,
  kept: new Uint8Array(0),
  keptLength: 0,
  /** Where in the input the stream ended. */
  at: 0
})

/** Begins the next stream of a sink. */
const restart = (sink) => {
  sink.size = 0
  sink.check = sink.sum === "adler" ? 1 : 0
}

/** Why there has to be an end, or null. */
const refusalOf = (work) =>
  work.output > bombBytes && work.output > bombRatio * work.size ?
    "bomb"
    : work.output > work.maxOutput || work.steps > work.maxSteps ?
    "budget"
    : null

/**
 * Gives the first `n` bytes of the window to the sink; why there has to be an end, or null. O(n).
 */
const take = (sink, n) => {
  const { work } = sink
  sink.check = sink.sum === "adler" ? adler32(sink.check, window, 0, n) : crc32(sink.check, window, 0, n)
  sink.size += n
  sink.total += n
  work.output += n
  work.steps += n
  if (sink.size > sink.limit) return "over"
  const isWanted = sink.mustKeep || sink.keptLength < 1024 ||
    containerOf(sink.kept.subarray(0, sink.keptLength)) !== null
  const more = isWanted ? Math.min(n, sink.keep - sink.keptLength) : 0
  if (more > 0) {
    if (sink.keptLength + more > sink.kept.length) {
      const larger = new Uint8Array(Math.min(Math.max(2 * sink.kept.length, sink.keptLength + more), sink.keep))
      larger.set(sink.kept.subarray(0, sink.keptLength))
      sink.kept = larger
    }
    sink.kept.set(window.subarray(0, more), sink.keptLength)
    sink.keptLength += more
  }
  return refusalOf(work)
}

const nothing = new Uint8Array(0)
/**
 * The stream that is being inflated: its input up to `to`, the bits that were taken out of that and
 * not used, and how full the window is. One for all streams, as `inflate` is never entered twice.
 */
const stream = {
  input: nothing,
  to: 0,
  at: 0,
  hold: 0,
  bits: 0,
  /** Bytes in the window, and whether it has been filled before. */
  filled: 0,
  isFull: false
}

/** Takes the whole window, and begins it anew; why there has to be an end, or null. */
const flush = (sink) => {
  const refusal = take(sink, stream.filled)
  stream.filled = 0
  stream.isFull = true
  return refusal
}

/**
 * Inflates one raw stream of `input[from, to)` into the sink. `done`, and `sink.at` is where it
 * ended; `cut`, the input ended first; `broken`, it is not RFC 1951; `over`, it is longer than the
 * sink's limit; `bomb` and `budget`. O(input + output).
 */
export const inflate = (input, from, to, sink) => {
  sink.work.streams++
  Object.assign(stream, { input, to, at: from, hold: 0, bits: 0, filled: 0, isFull: false })
  const status = inflateBlocks(sink)
  sink.at = stream.at - (stream.bits >> 3)
  stream.input = nothing
  return status
}

const inflateBlocks = (sink) => {
  const { work } = sink
  for (let isLast = false; !isLast;) {
    work.steps += 8
    if (work.steps > work.maxSteps) return "budget"
    refill()
    if (stream.bits < 3) return "cut"
    const head = takeBits(3)
    isLast = (head & 1) === 1
    const failure = inflateBlock(head >> 1, sink)
    if (failure !== null) return failure
  }
  const refusal = stream.filled === 0 ? null : take(sink, stream.filled)
  return refusal === null ? "done" : refusal
}

/** Inflates a block of a type; null, or what `inflate` is to answer. */
const inflateBlock = (type, sink) => {
  if (type === 0) return copyStored(sink)
  if (type === 1) return inflateSymbols(fixedLiterals, fixedDistances, sink)
  if (type === 3) return "broken"
  const failure = readCodes(sink.work)
  return failure === null ? inflateSymbols(literals, distances, sink) : failure
}

/** Takes whole bytes out of the input until there are more than 24 bits, or no bytes. */
const refill = () => {
  const { input, to } = stream
  for (; stream.bits <= 24 && stream.at < to; stream.bits += 8) stream.hold |= input[stream.at++] << stream.bits
}

/** Takes `n` bits, which must be there. */
const takeBits = (n) => {
  const value = stream.hold & ((1 << n) - 1)
  stream.hold >>>= n
  stream.bits -= n
  return value
}

/** A block that is not compressed. */
const copyStored = (sink) => {
  const { input, to } = stream
  let at = stream.at - (stream.bits >> 3)
  stream.hold = 0
  stream.bits = 0
  if (at + 4 > to) return "cut"
  let n = u16(input, at)
  if ((n ^ u16(input, at + 2)) !== 0xffff) return "broken"
  at += 4
  while (n > 0) {
    const more = Math.min(n, windowBytes - stream.filled, to - at)
    if (more <= 0) return "cut"
    window.set(input.subarray(at, at + more), stream.filled)
    at += more
    n -= more
    stream.filled += more
    const refusal = stream.filled === windowBytes ? flush(sink) : null
    if (refusal !== null) return refusal
  }
  stream.at = at
  return null
}

/** Makes `literals` and `distances` of the lengths at the beginning of a block. */
const readCodes = (work) => {
  if (stream.bits < 14) return "cut"
  const nLiterals = takeBits(5) + 257
  const nDistances = takeBits(5) + 1
  const nLengths = takeBits(4) + 4
  if (nLiterals > 286 || nDistances > 30) return "broken"
  lengths.fill(0, 0, 19)
  for (let i = 0; i < nLengths; i++) {
    if (stream.bits < 3) refill()
    if (stream.bits < 3) return "cut"
    lengths[lengthsOrder[i]] = takeBits(3)
  }
  if (!build(lengthsCode, lengths, 0, 19, true, work)) return "broken"
  const failure = readLengths(nLiterals + nDistances)
  if (failure !== null) return failure
  const isCode = lengths[256] !== 0 && build(literals, lengths, 0, nLiterals, false, work) &&
    build(distances, lengths, nLiterals, nDistances, false, work)
  return isCode ? null : "broken"
}

/** Reads that many lengths, which are written in `lengthsCode`. */
const readLengths = (count) => {
  for (let i = 0; i < count;) {
    refill()
    const found = lengthsCode.fast[stream.hold & 511]
    if ((found & 15) > stream.bits) return "cut"
    takeBits(found & 15)
    const symbol = found >> 4
    if (symbol < 16) {
      lengths[i++] = symbol
      continue
    }
    const extra = symbol === 16 ? 2 : symbol === 17 ? 3 : 7
    if (stream.bits < extra) return "cut"
    let times = (symbol === 18 ? 11 : 3) + takeBits(extra)
    if ((symbol === 16 && i === 0) || i + times > count) return "broken"
    const length = symbol === 16 ? lengths[i - 1] : 0
    while (times-- > 0) lengths[i++] = length
  }
  return null
}

/** Why the bits that are there spell no symbol: there are too few of them, or no symbol is. */
const noSymbol = (n, bits) => (n > bits || bits < 15 ? "cut" : "broken")

/**
 * The symbols of a block. All that changes is held in variables of its own: this is the loop in
 * which the time goes.
 */
const inflateSymbols = (literal, distance, sink) => {
  const { input, to } = stream
  const literalFast = literal.fast
  const distanceFast = distance.fast
  let { at, bits, filled: w, hold } = stream
  for (;;) {
    for (; bits <= 24 && at < to; bits += 8) hold |= input[at++] << bits
    let found = literalFast[hold & 511]
    if (found === 0) found = slow(literal, hold)
    let n = found & 15
    if (n === 0 || n > bits) return noSymbol(n, bits)
    hold >>>= n
    bits -= n
    const symbol = found >> 4
    if (symbol < 256) window[w++] = symbol
    else if (symbol === 256) break
    else {
      if (symbol > 285) return "broken"
      n = lengthExtra[symbol - 257]
      if (bits < n) return "cut"
      let length = lengthBase[symbol - 257] + (hold & ((1 << n) - 1))
      hold >>>= n
      bits -= n
      for (; bits <= 24 && at < to; bits += 8) hold |= input[at++] << bits
      found = distanceFast[hold & 511]
      if (found === 0) found = slow(distance, hold)
      n = found & 15
      if (n === 0 || n > bits) return noSymbol(n, bits)
      hold >>>= n
      bits -= n
      const code = found >> 4
      if (code > 29) return "broken"
      n = distanceExtra[code]
      for (; bits < n && at < to; bits += 8) hold |= input[at++] << bits
      if (bits < n) return "cut"
      const back = distanceBase[code] + (hold & ((1 << n) - 1))
      hold >>>= n
      bits -= n
      if (back > w && !stream.isFull) return "broken"
      let source = (w - back) & windowMask
      while (length > 0) {
        let run = Math.min(length, windowBytes - w, windowBytes - source)
        length -= run
        while (run-- > 0) window[w++] = window[source++]
        source &= windowMask
        if (w < windowBytes) continue
        stream.filled = w
        const refusal = flush(sink)
        if (refusal !== null) return refusal
        w = 0
      }
    }
    if (w < windowBytes) continue
    stream.filled = w
    const refusal = flush(sink)
    if (refusal !== null) return refusal
    w = 0
  }
  stream.at = at
  stream.bits = bits
  stream.filled = w
  stream.hold = hold
  return null
}

// ---- types ----

const u16 = (bytes, at) => bytes[at] | (bytes[at + 1] << 8)
const u32 = (bytes, at) => (u16(bytes, at) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0
const u64 = (bytes, at) => u32(bytes, at) + 4_294_967_296 * u32(bytes, at + 4)
const big32 = (bytes, at) => ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0

/** Whether the text, of Latin-1, is at this place. */
const hasAt = (bytes, at, text) => {
  if (at < 0 || at + text.length > bytes.length) return false
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false
  return true
}

const zipDirectory = 0x02014b50
const zipEnd = 0x06054b50

/** Which archive the first bytes begin; null for none. At most 512 steps. */
const containerOf = (bytes) => {
  if (hasAt(bytes, 0, "\x1f\x8b\x08")) return "gzip"
  if (hasAt(bytes, 0, "PK\x03\x04") || hasAt(bytes, 0, "PK\x05\x06")) return "zip"
  if (bytes[0] === 0x78 && (bytes[1] === 1 || bytes[1] === 0x5e || bytes[1] === 0x9c || bytes[1] === 0xda))
    return "zlib"
  if (hasAt(bytes, 0, "\x28\xb5\x2f\xfd")) return "zstd"
  if (hasAt(bytes, 0, "\xfd7zXZ\0")) return "xz"
  return isTarHeader(bytes, 0) ? "tar" : null
}

/** Magic numbers: the type, the offset, and the bytes there. The first that fits counts. */
const magics = [
  ["gzip", 0, "\x1f\x8b"],
  ["zip", 0, "PK\x03\x04"],
  ["zip", 0, "PK\x05\x06"],
  ["zip", 0, "PK\x07\x08"],
  ["zstd", 0, "\x28\xb5\x2f\xfd"],
  ["bzip2", 0, "BZh"],
  ["xz", 0, "\xfd7zXZ\0"],
  ["7z", 0, "7z\xbc\xaf\x27\x1c"],
  ["rar", 0, "Rar!\x1a\x07"],
  ["png", 0, "\x89PNG\r\n\x1a\n"],
  ["jpeg", 0, "\xff\xd8\xff"],
  ["gif", 0, "GIF87a"],
  ["gif", 0, "GIF89a"],
  ["webp", 8, "WEBP"],
  ["elf", 0, "\x7fELF"],
  ["wasm", 0, "\0asm"],
  ["mach-o", 0, "\xfe\xed\xfa\xce"],
  ["mach-o", 0, "\xfe\xed\xfa\xcf"],
  ["mach-o", 0, "\xce\xfa\xed\xfe"],
  ["mach-o", 0, "\xcf\xfa\xed\xfe"],
  ["class", 0, "\xca\xfe\xba\xbe"],
  ["envelope", 0, "THEV"],
  ["script", 0, "#!"]
]

/** Bytes of a text by which its kind is told. */
const textBytes = 65_536

/**
 * The type of the evidence, as far as its bytes tell. O(1) except for text, of which the first 64
 * KiB are read.
 */
export const typeOf = (bytes) => {
  if (bytes.length === 0) return "empty"
  for (const [type, at, magic] of magics) {
    if (!hasAt(bytes, at, magic)) continue
    if (type === "webp" && !hasAt(bytes, 0, "RIFF")) continue
    if (type === "bzip2" && !(bytes[3] >= 0x31 && bytes[3] <= 0x39)) continue
    // Java's version of a class file is 45 or more; a Mach-O for several machines names fewer than
    // that.
    if (type === "class") return big32(bytes, 4) < 45 ? "mach-o" : "class"
    return type
  }
  if (hasAt(bytes, 0, "MZ") && bytes.length >= 64 && hasAt(bytes, u32(bytes, 60), "PE\0\0")) return "pe"
  for (let at = 0; at <= 1024; at++) if (bytes[at] === 0x25 && hasAt(bytes, at, "%PDF-")) return "pdf"
  if (isTarHeader(bytes, 0)) return "tar"
  if (containerOf(bytes) === "zlib" && !isText(bytes)) return "zlib"
  if (hasAt(bytes, 0, "\xff\xfe") || hasAt(bytes, 0, "\xfe\xff") || looksUtf16(bytes)) return "utf-16"
  return isText(bytes) ? textTypeOf(bytes) : "binary"
}

/** Whether it is UTF-8 with no control characters other than those of text. */
const isText = (bytes) => {
  const end = Math.min(bytes.length, textBytes)
  for (let i = 0; i < end;) {
    const c = bytes[i]
    if (c < 0x80) {
      if ((c < 0x20 && (c < 9 || c > 13) && c !== 0x1b) || c === 0x7f) return false
      i++
      continue
    }
    const more = c >= 0xc2 && c < 0xe0 ? 1 : c >= 0xe0 && c < 0xf0 ? 2 : c >= 0xf0 && c < 0xf5 ? 3 : 0
    if (more === 0) return false
    // The first 64 KiB may end in the middle of a character; the evidence may not.
    for (let k = 1; k <= more; k++) {
      if (i + k === end && end < bytes.length) return true
      const d = bytes[i + k]
      const lowest = k > 1 ? 0x80 : c === 0xe0 ? 0xa0 : c === 0xf0 ? 0x90 : 0x80
      const highest = k > 1 ? 0xbf : c === 0xed ? 0x9f : c === 0xf4 ? 0x8f : 0xbf
      if (i + k >= end || d < lowest || d > highest) return false
    }
    i += more + 1
  }
  return true
}

/**
 * UTF-16 without a byte order mark: every other byte of the beginning is zero, and the ones between
 * are text.
 */
const looksUtf16 = (bytes) => {
  const end = Math.min(bytes.length & ~1, 256)
  if (end < 8) return false
  for (const odd of [0, 1]) {
    let n = 0
    for (let i = 0; i < end; i += 2) if (bytes[i + odd] >= 9 && bytes[i + odd] < 0x7f && bytes[i + 1 - odd] === 0) n++
    if (n * 2 === end) return true
  }
  return false
}

const isSpace = (c) => c === 0x20 || (c >= 9 && c <= 13)

/** The kind of a text, by its beginning and its end: a claim of the text, and no proof. */
const textTypeOf = (bytes) => {
  let from = hasAt(bytes, 0, "\xef\xbb\xbf") ? 3 : 0
  let to = bytes.length
  const end = Math.min(to, textBytes)
  while (from < end && isSpace(bytes[from])) from++
  while (to > from && isSpace(bytes[to - 1])) to--
  if (from >= end || from === to) return "text"
  const first = bytes[from]
  if (first === 0x3c) return tagTypeOf(bytes, from)
  const last = bytes[to - 1]
  if ((first === 0x7b && last === 0x7d) || (first === 0x5b && last === 0x5d)) {
    let next = from + 1
    while (next < end && isSpace(bytes[next])) next++
    const c = bytes[next]
    if (c === 0x22 || next === to - 1) return "json"
    // Within brackets JSON has a value of any kind.
    if (first === 0x5b && (c === 0x7b || c === 0x5b || c === 0x2d || (c >= 0x30 && c <= 0x39) || isWord(bytes, next)))
      return "json"
  }
  if (hasAt(bytes, from, "--") && from + 2 < to && bytes[from + 2] > 0x20) {
    const limit = Math.min(to, from + 4096)
    for (let i = from; i < limit; i++)
      if (bytes[i] === 0x0a && startsWithCaseless(bytes, i + 1, "content-")) return "multipart"
  }
  return isForm(bytes, from, Math.min(to, end)) ? "form" : "text"
}

const isWord = (bytes, at) => hasAt(bytes, at, "true") || hasAt(bytes, at, "false") || hasAt(bytes, at, "null")

const startsWithCaseless = (bytes, at, text) => {
  if (at + text.length > bytes.length) return false
  for (let i = 0; i < text.length; i++) if ((bytes[at + i] | 0x20) !== text.charCodeAt(i)) return false
  return true
}

const tagTypeOf = (bytes, at) => {
  if (startsWithCaseless(bytes, at + 1, "?xml")) return "xml"
  for (const tag of ["html", "head", "body", "script", "iframe", "svg", "img", "div", "table", "a", "p"]) {
    const after = bytes[at + 1 + tag.length]
    if (startsWithCaseless(bytes, at + 1, tag) && (after === 0x3e || after === 0x2f || isSpace(after))) return "html"
  }
  if (hasAt(bytes, at + 1, "!") && startsWithCaseless(bytes, at + 2, "doctype")) {
    let i = at + 9
    while (isSpace(bytes[i]) && i < at + 64) i++
    return startsWithCaseless(bytes, i, "html") ? "html" : "xml"
  }
  const c = bytes[at + 1] | 0x20
  return c >= 0x61 && c <= 0x7a ? "xml" : "text"
}

/**
 * application/x-www-form-urlencoded: names and values of safe characters, with at least one `=`,
 * and escapes that are whole.
 */
const isForm = (bytes, from, to) => {
  let equals = 0
  for (let i = from; i < to; i++) {
    const c = bytes[i]
    if (c === 0x3d) equals++
    else if (c === 0x25) {
      if (i + 2 < to && !(isHex(bytes[i + 1]) && isHex(bytes[i + 2]))) return false
    } else if (
      !(isAlphanumeric(c) || c === 0x26 || c === 0x2b || c === 0x2a || c === 0x2d || c === 0x2e || c === 0x5f)
    ) {
      return false
    }
  }
  return equals > 0 && bytes[from] !== 0x3d
}
const isHex = (c) => (c >= 0x30 && c <= 0x39) || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x66)
const isAlphanumeric = (c) => (c >= 0x30 && c <= 0x39) || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a)

const entropyWindow = 65_536

/** Shannon's entropy in bits a byte, of `n` bytes counted by value. */
const entropyOf = (counts, n) => {
  if (n === 0) return 0
  let sum = 0
  for (let i = 0; i < 256; i++) if (counts[i] > 0) sum += counts[i] * Math.log2(counts[i])
  return Math.max(0, Math.log2(n) - sum / n)
}

/**
 * The kind of the bytes: their type; entropy in bits a byte, of all and of the 64 KiB windows with
 * the least and the most of it (the last one may be shorter); and whether they look random, as
 * compressed or encrypted bytes do, by chi-squared. O(n).
 */
export const profile = (bytes) => {
  const counts = new Uint32Array(256)
  const all = new Float64Array(256)
  let lowest = Infinity
  let highest = 0
  let windows = 0
  for (let from = 0; from < bytes.length; from += entropyWindow) {
    const to = Math.min(from + entropyWindow, bytes.length)
    counts.fill(0)
    for (let i = from; i < to; i++) counts[bytes[i]]++
    for (let i = 0; i < 256; i++) all[i] += counts[i]
    const entropy = entropyOf(counts, to - from)
    lowest = Math.min(lowest, entropy)
    highest = Math.max(highest, entropy)
    windows++
  }
  const n = bytes.length
  let chi = 0
  for (let i = 0; i < 256; i++) chi += (all[i] - n / 256) ** 2
  // 255 on average for random bytes, and 22.6 around that: 400 is further out than chance gets.
  const looksRandom = n >= 1024 && chi / (n / 256) < 400
  const type = typeOf(bytes)
  return {
    type: type === "binary" && looksRandom ? "random" : type,
    entropy: entropyOf(all, n),
    lowest: windows === 0 ? 0 : lowest,
    highest,
    windows,
    looksRandom
  }
}

// ---- archives ----

// Each `open…` returns a function; every call of that returns the next content of the archive, a
// refusal, or null at the end.

const broken = (work) => {
  work.isBroken = true
  return null
}
const contentOf = (sink) => ({
  bytes: sink.kept.subarray(0, sink.keptLength),
  isWhole: sink.keptLength === sink.total
})
const once = (open) => (frame, work) => {
  let isOpened = false
  return () => {
    if (isOpened) return null
    isOpened = true
    return open(frame, work)
  }
}
/** Judges a size that is declared and not inflated by the bound of what is inflated. */
const declared = (size, work) => (size > bombBytes && size > bombRatio * work.size ? "bomb" : null)
const isRefusal = (status) => status === "bomb" || status === "budget"

/**
 * The start of the deflate stream of the gzip member at `at`; -1 where there is no member, -2 where
 * its header lies.
 */
const gzipBody = (bytes, at) => {
  const end = bytes.length
  if (at + 10 > end || !hasAt(bytes, at, "\x1f\x8b\x08")) return -1
  const flags = bytes[at + 3]
  if ((flags & 0xe0) !== 0) return -1
  let next = at + 10
  if ((flags & 4) !== 0) next += 2 + (next + 2 <= end ? u16(bytes, next) : 0)
  for (const flag of [8, 16]) {
    if ((flags & flag) === 0) continue
    while (next < end && bytes[next] !== 0) next++
    next++
  }
  if ((flags & 2) !== 0) {
    if (next + 2 > end) return -1
    if ((crc32(0, bytes, at, next) & 0xffff) !== u16(bytes, next)) return -2
    next += 2
  }
  return next > end ? -1 : next
}

/** RFC 1952: all members, as one content. Bytes after them that are no member are padding. */
const openGzip = once(({ bytes }, work) => {
  const sink = makeSink(work)
  for (let at = 0; at < bytes.length;) {
    const body = gzipBody(bytes, at)
    if (body === -2) return "lies"
    if (body < 0) {
      if (at === 0) work.isBroken = true
      break
    }
    work.steps += body - at
    restart(sink)
    const status = inflate(bytes, body, bytes.length, sink)
    if (isRefusal(status)) return status
    if (status !== "done" || sink.at + 8 > bytes.length) {
      work.isBroken = true
      break
    }
    if (u32(bytes, sink.at) !== sink.check || u32(bytes, sink.at + 4) !== sink.size >>> 0) return "lies"
    at = sink.at + 8
  }
  return contentOf(sink)
})

/** RFC 1950. */
const openZlib = once(({ bytes }, work) => {
  const sink = makeSink(work, { sum: "adler" })
  const status = inflate(bytes, 2, bytes.length, sink)
  if (isRefusal(status)) return status
  if (status !== "done" || sink.at + 4 > bytes.length) broken(work)
  else if (big32(bytes, sink.at) !== sink.check) return "lies"
  return contentOf(sink)
})

/** RFC 8878: the size that the first frame declares. */
const openZstd = once(({ bytes }, work) => {
  const descriptor = bytes[4]
  const flag = descriptor >> 6
  const isSingle = (descriptor & 0x20) !== 0
  const at = 5 + (isSingle ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]
  const n = flag === 0 ? (isSingle ? 1 : 0) : 1 << flag
  if (descriptor === undefined || at + n > bytes.length) return broken(work)
  const size = n === 0
    ? 0
    : n === 1
    ? bytes[at]
    : n === 2
    ? u16(bytes, at) + 256
    : n === 4
    ? u32(bytes, at)
    : u64(bytes, at)
  return declared(size, work)
})

/**
 * The sizes that the index of an .xz declares, from its end. Its records are as long as the bytes
 * before it, at most.
 */
const openXz = once(({ bytes, isWhole }, work) => {
  const end = bytes.length
  if (!isWhole || end < 32 || !hasAt(bytes, end - 2, "YZ")) return broken(work)
  const length = (u32(bytes, end - 8) + 1) * 4
  let at = end - 12 - length
  if (at < 12 || bytes[at++] !== 0) return "lies"
  const stop = end - 16
  const number = () => {
    let value = 0
    for (let i = 0, scale = 1; i < 9 && at < stop; i++, scale *= 128) {
      const c = bytes[at++]
      value += (c & 127) * scale
      if (c < 128) return value
    }
    return -1
  }
  let total = 0
  const records = number()
  if (records < 0 || 2 * records > length) return "lies"
  for (let i = 0; i < records; i++) {
    const size = number() < 0 ? -1 : number()
    if (size < 0) return "lies"
    total += size
  }
  work.steps += length
  return declared(total, work)
})

// ---- zip ----

/**
 * The end record of a zip: the one that ends with the file, or the last there is; -1 for none, -2
 * for two that both fit.
 */
const findZipEnd = (bytes, work) => {
  let last = -1
  let fits = -1
  const stop = Math.max(0, bytes.length - 22 - 65_535)
  for (let at = bytes.length - 22; at >= stop; at--) {
    if (bytes[at] !== 0x50 || u32(bytes, at) !== zipEnd) continue
    if (last < 0) last = at
    if (at + 22 + u16(bytes, at + 20) !== bytes.length) continue
    if (fits >= 0) return -2
    fits = at
  }
  work.steps += Math.max(0, bytes.length - stop)
  return fits >= 0 ? fits : last
}

/** Whether it is a zip with other bytes before it, such as a program that unpacks itself. */
const endsAsZip = (bytes, work) => {
  const end = findZipEnd(bytes, work)
  return end >= 0 && u32(bytes, end - u32(bytes, end + 12)) === zipDirectory
}

/** The 64-bit value of a zip64 field where the 32-bit one is all ones; -1 where that is missing. */
const wide = (value, bytes, extra, place) =>
  value !== 0xffffffff ? value : extra.at + place + 8 <= extra.end ? u64(bytes, extra.at + place) : -1

/** The range of the zip64 field among the extra fields; empty where there is none. */
const zip64Of = (bytes, from, to) => {
  for (let at = from; at + 4 <= to;) {
    const end = at + 4 + u16(bytes, at + 2)
    if (end > to) break
    if (u16(bytes, at) === 1) return { at: at + 4, end }
    at = end
  }
  return { at: to, end: to }
}

/**
 * The place of a zip's central directory: its entries stand in `[start, stop)`, and every offset
 * is `before` bytes too small, as there may be a program before the archive. Or `lies`, `budget`,
 * or null where there is none.
 */
const findDirectory = (bytes, work) => {
  const end = findZipEnd(bytes, work)
  if (end === -2) return "lies"
  if (end < 0) return null
  let total = u16(bytes, end + 10)
  let size = u32(bytes, end + 12)
  let offset = u32(bytes, end + 16)
  let stop = end
  if (u16(bytes, end + 8) !== total) return "lies"
  if (end >= 20 && u32(bytes, end - 20) === 0x07064b50) {
    let at = u64(bytes, end - 12)
    if (at + 56 > end - 20 || u32(bytes, at) !== 0x06064b50) at = end - 76
    if (at < 0 || u32(bytes, at) !== 0x06064b50) return "lies"
    const total64 = u64(bytes, at + 32)
    const size64 = u64(bytes, at + 40)
    const offset64 = u64(bytes, at + 48)
    if (
      (total !== 0xffff && total !== total64) || (size !== 0xffffffff && size !== size64) ||
      (offset !== 0xffffffff && offset !== offset64)
    ) return "lies"
    total = total64
    size = size64
    offset = offset64
    stop = at
  }
  const before = stop - size - offset
  if (before < 0 || total * 46 > size) return "lies"
  if (total > maxEntries) return "budget"
  if (before > 0 && size > 0 && u32(bytes, offset) === zipDirectory) return "lies"
  return { start: stop - size, stop, before, total }
}

/** The entry of a central directory at `at`, and where the next one is; null where it lies. */
const readEntry = (bytes, at, { before, stop }) => {
  if (at + 46 > stop || u32(bytes, at) !== zipDirectory) return null
  const nameLength = u16(bytes, at + 28)
  const extraAt = at + 46 + nameLength
  const extraEnd = extraAt + u16(bytes, at + 30)
  const next = extraEnd + u16(bytes, at + 32)
  if (next > stop) return null
  const extra = zip64Of(bytes, extraAt, extraEnd)
  let place = 0
  const full = u32(bytes, at + 24)
  const usize = wide(full, bytes, extra, place)
  if (full === 0xffffffff) place += 8
  const packed = u32(bytes, at + 20)
  const csize = wide(packed, bytes, extra, place)
  if (packed === 0xffffffff) place += 8
  const local = wide(u32(bytes, at + 42), bytes, extra, place)
  if (usize < 0 || csize < 0 || local < 0) return null
  const entry = {
    start: local + before,
    flags: u16(bytes, at + 8),
    method: u16(bytes, at + 10),
    crc: u32(bytes, at + 16),
    csize,
    usize,
    nameAt: at + 46,
    nameLength,
    dataAt: 0
  }
  return { entry, next }
}

/**
 * The entries of a zip, by where their data is; `lies`, `budget`, or null where it has no
 * directory.
 */
const readZip = (bytes, work) => {
  const directory = findDirectory(bytes, work)
  if (directory === null || typeof directory === "string") return directory
  const { start, stop, total } = directory
  const entries = []
  let at = start
  for (let i = 0; i < total; i++) {
    const read = readEntry(bytes, at, directory)
    if (read === null) return "lies"
    entries.push(read.entry)
    work.steps += read.next - at
    at = read.next
  }
  if (at !== stop) return "lies"
  entries.sort((a, b) => a.start - b.start)
  work.steps += 16 * entries.length
  for (let i = 0; i < entries.length; i++) {
    const limit = i + 1 < entries.length ? Math.min(entries[i + 1].start, start) : start
    if (!isPlaced(bytes, entries[i], limit)) return "lies"
  }
  return entries
}

/**
 * Whether the header before an entry's data agrees with the directory, and the data ends before
 * `limit`. Sets `dataAt`.
 */
const isPlaced = (bytes, entry, limit) => {
  const { crc, csize, flags, method, nameAt, nameLength, start, usize } = entry
  if (start + 30 > limit || u32(bytes, start) !== 0x04034b50) return false
  const isStreamed = (u16(bytes, start + 6) & 8) !== 0
  if (u16(bytes, start + 8) !== method || ((u16(bytes, start + 6) ^ flags) & 1) !== 0) return false
  if (u16(bytes, start + 26) !== nameLength) return false
  entry.dataAt = start + 30 + nameLength + u16(bytes, start + 28)
  const dataEnd = entry.dataAt + csize
  if (dataEnd > limit) return false
  for (let i = 0; i < nameLength; i++) if (bytes[nameAt + i] !== bytes[start + 30 + i]) return false
  const sums = [[u32(bytes, start + 14), crc], [u32(bytes, start + 18), csize], [u32(bytes, start + 22), usize]]
  // The header may leave a size to the zip64 field, and in a streamed entry all of it to the
  // descriptor after the data.
  const isSame = sums.every(([local, central], i) => local === central || (i > 0 && local === 0xffffffff))
  if (!isStreamed) return isSame
  if (!isSame && sums.some(([local]) => local !== 0 && local !== 0xffffffff)) return false
  for (const at of [dataEnd + 4, dataEnd]) {
    if (at > dataEnd && (at > limit || u32(bytes, dataEnd) !== 0x08074b50)) continue
    if (at + 12 > limit || u32(bytes, at) !== crc) continue
    if (u32(bytes, at + 4) === csize && u32(bytes, at + 8) === usize) return true
    if (at + 20 <= limit && u64(bytes, at + 4) === csize && u64(bytes, at + 12) === usize) return true
  }
  return isSame && (csize > 0 || usize === 0)
}

const openZip = ({ bytes, isWhole }, work) => {
  const entries = isWhole ? readZip(bytes, work) : null
  if (typeof entries === "string") return () => entries
  if (entries === null) return () => broken(work)
  let i = 0
  return () => {
    // One entry a call, so that what is in it can be opened before the next one is.
    while (i < entries.length) {
      const { crc, csize, dataAt, flags, method, usize } = entries[i++]
      if ((flags & 1) !== 0) continue
      if (method === 0) {
        if (csize !== usize || crc32(0, bytes, dataAt, dataAt + csize) !== crc) return "lies"
        work.steps += csize
        return { bytes: bytes.subarray(dataAt, dataAt + csize), isWhole: true }
      }
      if (method !== 8) {
        const refusal = declared(usize, work)
        if (refusal !== null) return refusal
        continue
      }
      const sink = makeSink(work, { limit: usize })
      const status = inflate(bytes, dataAt, dataAt + csize, sink)
      if (isRefusal(status)) return status
      if (status !== "done" || sink.at !== dataAt + csize || sink.size !== usize || sink.check !== crc) return "lies"
      return contentOf(sink)
    }
    return null
  }
}

// ---- tar ----

/** A tar number: octal digits, or base 256 after a first byte of 0x80; -1 where it is neither. */
const tarNumber = (bytes, at, length) => {
  let value = 0
  if ((bytes[at] & 0x80) !== 0) {
    if (bytes[at] !== 0x80) return -1
    for (let i = 1; i < length; i++) value = value * 256 + bytes[at + i]
    return value > Number.MAX_SAFE_INTEGER ? -1 : value
  }
  let i = 0
  while (i < length && bytes[at + i] === 0x20) i++
  for (; i < length && bytes[at + i] >= 0x30 && bytes[at + i] <= 0x37; i++) value = value * 8 + bytes[at + i] - 0x30
  return i === length || bytes[at + i] === 0 || bytes[at + i] === 0x20 ? value : -1
}

const isTarHeader = (bytes, at) => {
  if (at + 512 > bytes.length || bytes[at] === 0) return false
  let sum = 0
  for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 0x20 : bytes[at + i]
  return tarNumber(bytes, at + 148, 8) === sum
}

const openTar = ({ bytes }, work) => {
  let at = 0
  return () => {
    while (at + 512 <= bytes.length) {
      work.steps += 512
      if (bytes[at] === 0) return null
      const type = bytes[at + 156]
      const size = tarNumber(bytes, at + 124, 12)
      if (!isTarHeader(bytes, at) || size < 0) return "lies"
      let from = at + 512
      // The header of a sparse file (GNU) goes on in further blocks.
      for (let isMore = type === 0x53 && bytes[at + 482] === 1; isMore && from + 512 <= bytes.length; from += 512) {
        isMore = bytes[from + 504] === 1
        work.steps += 512
      }
      // Links, devices and directories have no content, whatever their size says.
      const to = from + (type >= 0x31 && type <= 0x36 ? 0 : size)
      at = from + Math.ceil((to - from) / 512) * 512
      if (to > bytes.length) work.isBroken = true
      if (to > from && from < bytes.length)
        return { bytes: bytes.subarray(from, Math.min(to, bytes.length)), isWhole: to <= bytes.length }
    }
    return null
  }
}

const openers = { gzip: openGzip, zlib: openZlib, zstd: openZstd, xz: openXz, zip: openZip, tar: openTar }

/**
 * Opens the evidence if it is an archive, and the archives in it. The outcome is `sound`; `broken`,
 * where one breaks off or is none after all; or a refusal, `bomb`, `budget`, `deep` or `lies`. With
 * it comes what was spent.
 */
export const probe = (bytes, work = makeWork(bytes.length)) => {
  const stack = []
  const answer = (outcome) => ({ outcome, output: work.output, steps: work.steps, streams: work.streams })
  const push = (kind, content, level) => {
    const frame = { kind, level, bytes: content.bytes, isWhole: content.isWhole, next: null }
    frame.next = openers[kind](frame, work)
    stack.push(frame)
  }
  const kind = containerOf(bytes) ?? (endsAsZip(bytes, work) ? "zip" : null)
  if (kind !== null) push(kind, { bytes, isWhole: true }, 1)
  while (stack.length > 0) {
    const top = stack[stack.length - 1]
    const wasBroken = work.isBroken
    const content = top.next()
    // Content of which only the first bytes were kept does not break off.
    if (!top.isWhole) work.isBroken = wasBroken
    if (typeof content === "string") return answer(content)
    const refusal = refusalOf(work)
    if (refusal !== null) return answer(refusal)
    if (content === null) {
      stack.pop()
      continue
    }
    work.steps += 512
    const kind = containerOf(content.bytes)
    if (kind === null) continue
    // A tar compresses nothing: it shares the level of the archive around it, unless that is a tar.
    const level = top.level + (kind === "tar" && top.kind !== "tar" ? 0 : 1)
    if (level <= maxLevels) push(kind, content, level)
    else if (kind === "gzip" || kind === "zip" || kind === "tar") return answer("deep")
  }
  return answer(work.isBroken ? "broken" : "sound")
}

// ---- Tracehound's own envelopes (spec/envelope.md) ----

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true })
const categories = ["injection", "ddos", "flood", "spam", "malware", "unknown"]
const severities = ["low", "medium", "high", "critical"]
const maxMetadata = 3402

const hexDigits = "0123456789abcdef"
const hexOf = (bytes) => {
  let text = ""
  for (const byte of bytes) text += hexDigits[byte >> 4] + hexDigits[byte & 15]
  return text
}
const sha256 = async (bytes) => hexOf(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)))
const isDigest = (text) => {
  if (typeof text !== "string" || text.length !== 64) return false
  for (let i = 0; i < 64; i++) if (!hexDigits.includes(text[i])) return false
  return true
}
const isName = (text) => typeof text === "string" && text.length <= 256 && encoder.encode(text).length <= 256

/**
 * Whether the bytes are the one spelling of a record of evidence with this size and hash. O(their
 * length), which is bounded.
 */
const isMetadata = (bytes, size, hash) => {
  if (bytes.length > maxMetadata) return false
  try {
    const { captured, category, scent, severity, signature, ...rest } = JSON.parse(decoder.decode(bytes))
    const { id, source, timestamp } = scent
    if (rest.hash !== hash || rest.size !== size || !categories.includes(category) || !severities.includes(severity))
      return false
    if (!Number.isFinite(captured) || !Number.isFinite(timestamp) || !isName(id) || !isName(source)) return false
    const colon = typeof signature === "string" ? signature.indexOf(":") : -1
    if (signature.slice(0, colon) !== category || !isDigest(signature.slice(colon + 1))) return false
    const text = JSON.stringify({
      signature,
      hash,
      category,
      severity,
      size,
      captured,
      scent: { id, source, timestamp }
    })
    const spelled = encoder.encode(text)
    return spelled.length === bytes.length && spelled.every((byte, i) => byte === bytes[i])
  } catch {
    return false
  }
}

/**
 * Whether the bytes are a sound envelope: `sound`, `broken`, `bomb`, or `none` where they are
 * something else. Bodies under zstd and brotli are not opened. `content` is the evidence in it,
 * where it was opened and is not too long to be held.
 */
export const checkEnvelope = async (bytes, work = makeWork(bytes.length)) => {
  const answer = (outcome, content = null) => ({ outcome, content })
  if (bytes.length < 80 || !hasAt(bytes, 0, "THEV\x01") || bytes[5] > 3) return answer("none")
  const codec = bytes[5]
  const bodyAt = 48 + (bytes[6] << 8) + bytes[7]
  const size = big32(bytes, 8)
  const bodyEnd = bodyAt + big32(bytes, 12)
  if (bodyEnd + 32 !== bytes.length) return answer("broken")
  if ((await sha256(bytes.subarray(0, bodyEnd))) !== hexOf(bytes.subarray(bodyEnd))) return answer("broken")
  const hash = hexOf(bytes.subarray(16, 48))
  if (!isMetadata(bytes.subarray(48, bodyAt), size, hash)) return answer("broken")
  if (codec > 1) return answer("sound")
  let content = bytes.subarray(bodyAt, bodyEnd)
  if (codec === 1) {
    if (bytes[bodyAt + 3] !== 0 || gzipBody(content, 0) !== 10) return answer("broken")
    const sink = makeSink(work, { keep: Math.min(size, envelopeContent), limit: size, mustKeep: true })
    const status = inflate(bytes, bodyAt + 10, bodyEnd, sink)
    // Too long for a hound to go through, and sound as far as it went.
    if (status === "budget") return answer("sound")
    if (status === "bomb") return answer("bomb")
    if (status !== "done" || sink.at + 8 !== bodyEnd || sink.size !== size) return answer("broken")
    if (u32(bytes, sink.at) !== sink.check || u32(bytes, sink.at + 4) !== size) return answer("broken")
    if (sink.keptLength !== size) return answer("sound")
    content = sink.kept.subarray(0, size)
  }
  return content.length === size && (await sha256(content)) === hash ? answer("sound", content) : answer("broken")
}

// ---- the analyzer ----

/**
 * Everything that the analyzer finds out. It stays inside the hound: only the verdict leaves that.
 */
export const examine = async (bytes) => {
  const work = makeWork(bytes.length)
  const envelope = await checkEnvelope(bytes, work)
  const content = envelope.content ?? bytes
  if (envelope.outcome === "broken" || envelope.outcome === "bomb")
    return { refusal: envelope.outcome, profile: null, probe: null }
  const opened = probe(content, work)
  const isFine = opened.outcome === "sound" || opened.outcome === "broken"
  return { refusal: isFine ? null : opened.outcome, profile: profile(content), probe: opened }
}

/** The function that a hound calls (docs/analyzers.md). */
export const analyze = async (buffer, { sha256: expected, size }) => {
  const bytes = new Uint8Array(buffer)
  if (bytes.length !== size) return "error"
  if (typeof expected === "string" && (await sha256(bytes)) !== expected) return "error"
  return (await examine(bytes)).refusal === null ? "complete" : "error"
}
