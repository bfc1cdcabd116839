/**
 * How much memory processes hold (CONFORMANCE H2): read from /proc on Linux, asked of `ps`
 * elsewhere.
 *
 * Promises that nothing throws; that a process which is gone, or cannot be read, holds 0 bytes; and
 * that there is never more than one `ps` at a time.
 *
 * Cost on Linux: about 20 µs a process, and every tenth time as much again for each of its threads;
 * no disk.
 *
 * **Details**
 *
 * - On Linux a process's descendants count as its own: within bubblewrap the hound is a grandchild.
 *   At most 16 processes are counted, and which they are is found out anew at every tenth
 *   measurement: a hound cannot start any.
 * - With `ps` descendants do not count, as there is no bubblewrap where `ps` is asked.
 *
 * **Gotchas**
 *
 * - Windows has neither: there nothing is measured.
 * - Pages that processes share count in each of them.
 */
import { execFile } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"

/** Measures the memory of processes. */
export interface MemoryMeter {
  /** Between two measurements, in ms. */
  readonly interval: number
  /** Calls back for each process, in the same turn or later. */
  readonly measure: (pids: ReadonlyArray<number>, each: (pid: number, bytes: number) => void) => void
}

/** Processes of one family that are counted. */
const maxProcesses = 16

/**
 * Bytes of a page, from the auxiliary vector that the kernel gave this process; 4 KiB where that
 * cannot be read.
 */
const readPageSize = (): number => {
  const usual = 4_096
  try {
    const auxv = readFileSync("/proc/self/auxv")
    const pageSizeTag = 6n
    for (let at = 0; at + 16 <= auxv.length; at += 16)
      if (auxv.readBigUInt64LE(at) === pageSizeTag) return Number(auxv.readBigUInt64LE(at + 8)) || usual
  } catch {
    return usual
  }
  return usual
}

/** The text of a file of procfs; empty where its process is gone. */
const readProc = (path: string): string => {
  try {
    return readFileSync(path, "latin1")
  } catch {
    return ""
  }
}

const threadsOf = (pid: number): ReadonlyArray<string> => {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

const childrenOf = (pid: number): ReadonlyArray<number> =>
  threadsOf(pid).flatMap((thread) =>
    readProc(`/proc/${pid}/task/${thread}/children`).split(" ").filter(Boolean).map(Number)
  )

/** The process and its descendants, itself first; at most 16. */
export const familyOf = (pid: number): ReadonlyArray<number> => {
  const family = [pid]
  // The list grows while it is walked.
  for (const member of family)
    for (const child of childrenOf(member)) if (family.length < maxProcesses) family.push(child)
  return family
}

/** Measurements after which a process's descendants are found out anew. */
const usesPerFamily = 10

/** Reads /proc. */
export const procMemory = (interval = 50): MemoryMeter => {
  const pageSize = readPageSize()
  const residentOf = (pid: number): number => Number(readProc(`/proc/${pid}/statm`).split(" ")[1] ?? 0) * pageSize
  let families = new Map<number, { readonly members: ReadonlyArray<number>; uses: number }>()
  return {
    interval,
    measure: (pids, each) => {
      const before = families
      families = new Map()
      for (const pid of pids) {
        let family = before.get(pid)
        if (family === undefined || family.uses === usesPerFamily) family = { members: familyOf(pid), uses: 0 }
        family.uses += 1
        families.set(pid, family)
        each(pid, family.members.reduce((sum, member) => sum + residentOf(member), 0))
      }
    }
  }
}

/** Asks `ps`, for all processes at once. */
export const psMemory = (interval = 250): MemoryMeter => {
  let isAsking = false
  return {
    interval,
    measure: (pids, each) => {
      if (isAsking) return
      isAsking = true
      const args = ["-o", "pid=,rss=", "-p", pids.join(",")]
      try {
        const child = execFile("ps", args, { timeout: 2_000, env: { PATH: "/bin:/usr/bin" } }, (_, stdout) => {
          isAsking = false
          for (const [, pid, kib] of stdout.matchAll(/^\s*(\d+)\s+(\d+)\s*$/gm)) each(Number(pid), Number(kib) * 1_024)
        })
        child.unref()
      } catch {
        isAsking = false
      }
    }
  }
}

/** Measures nothing. */
const noMemory: MemoryMeter = { interval: 60_000, measure: () => undefined }

export const platformMemory = (): MemoryMeter => {
  if (process.platform === "linux") return procMemory()
  return process.platform === "win32" ? noMemory : psMemory()
}
