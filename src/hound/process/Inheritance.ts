/**
 * The descriptors that a process hands on to its children without meaning to (CONFORMANCE H2).
 *
 * What Node opens closes itself where a program is started. What Node was itself started with does
 * not, above the lowest numbers: a file that a supervisor left open would be open in every hound.
 *
 * Cost: a directory of /proc, and one small file for each descriptor.
 *
 * **Gotchas**
 *
 * - Nothing is found where there is no /proc. On macOS children inherit only what is meant for
 *   them.
 */
import { closeSync, readdirSync, readFileSync } from "node:fs"

/** The bit of `flags` in fdinfo, which is octal, that says `close on exec`. */
const closesOnExec = 0o2000000

/** The descriptors above `last` that children of this process would inherit. */
export const inheritedAbove = (last: number): ReadonlyArray<number> => {
  const isInherited = (descriptor: number): boolean => {
    try {
      const [, flags = ""] = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${descriptor}`, "latin1")) ??
        []
      return flags !== "" && (Number.parseInt(flags, 8) & closesOnExec) === 0
    } catch {
      // The descriptor that listed the others is closed by now.
      return false
    }
  }
  try {
    return readdirSync("/proc/self/fdinfo").map(Number).filter((descriptor) =>
      descriptor > last && isInherited(descriptor)
    )
  } catch {
    return []
  }
}

/** Closes the descriptors above `last` that children of this process would inherit. */
export const closeInheritedAbove = (last: number): void => {
  for (const descriptor of inheritedAbove(last)) closeSync(descriptor)
}
