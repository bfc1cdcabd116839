/**
 * Copies, moves and asks about memory that somebody else may have got hold of.
 *
 * A buffer that came with a payload, or that was handed out, may have a class, methods and a
 * prototype of its own. So the functions of the language are captured when this module is loaded,
 * and nothing is looked up on a buffer.
 */
const call = Function.prototype.call

const transfer: (buffer: ArrayBuffer, length?: number) => ArrayBuffer = call.bind(ArrayBuffer.prototype.transfer)
const detached = Object.getOwnPropertyDescriptor(ArrayBuffer.prototype, "detached")?.get
if (detached === undefined) throw new TypeError("this host cannot tell a detached ArrayBuffer")

/** Whether the memory of the buffer is gone. */
export const isDetached: (buffer: ArrayBuffer) => boolean = call.bind(detached)

/** The memory of a buffer that is not detached, in a new one. The old one is detached. */
export const moved = (buffer: ArrayBuffer): ArrayBuffer => transfer(buffer)

/**
 * Copies bytes of any memory, shared memory included, to a buffer of their own. `content` must be a
 * view that Tracehound made: its buffer may be anybody's.
 */
export const copied = (content: Uint8Array): ArrayBuffer => {
  const own = new Uint8Array(content.length)
  own.set(content)
  return own.buffer
}

/**
 * Overwrites a buffer and gives its memory back: not even a view that somebody kept can read it.
 */
export const wipe = (buffer: ArrayBuffer): void => {
  if (isDetached(buffer)) return
  new Uint8Array(buffer).fill(0)
  transfer(buffer, 0)
}
