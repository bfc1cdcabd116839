/**
 * Runs before each test file of the hardened suite, in its process: a file whose process lacks a
 * flag fails.
 */
const throws = (look) => {
  try {
    look()
    return false
  } catch {
    return true
  }
}

if (!Object.isFrozen(Array.prototype)) throw new Error("this process was not started with --frozen-intrinsics")
if (!throws(() => Reflect.get({}, "__proto__")))
  throw new Error("this process was not started with --disable-proto=throw")
