/**
 * How much memory processes hold (CONFORMANCE H2): read from /proc on Linux, asked of `ps`
 * elsewhere.
 *
 * Promises that nothing of it throws; that a process which is gone, or cannot be looked at, holds 0
 * bytes; and that of `ps` there is never more than one at a time.
 *
 * Cost on Linux: about 20 µs a process, and every tenth time as much again for each of its threads;
 * no disk.
 *
 * **Details**
 *
 * - On Linux a process's descendants count as its own: within bubblewrap the hound is a grandchild.
 *   At most 16 processes are looked at, and who they are is found out anew at every tenth look: a
 *   hound cannot start any.
 * - `ps` knows no descendants here, as there is no bubblewrap where it is asked.
 *
 * **Gotchas**
 *
 * - Windows has neither: there nothing is measured.
 * - Pages that processes share count in each of them.
 */
import { execFile } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"

/**
 * How memory is looked at: how often, and what to call back with (pid, bytes); in the same turn or
 * later.
 */
export interface MemoryProbe {
  readonly interval: number
  readonly look: (pids: ReadonlyArray<number>, each: (pid: number, bytes: number) => void) => void
}

const maxProcesses = 16

/**
 * Bytes of a page, from what the kernel told this process at its start; 4 KiB where that cannot be
 * read.
 */
const readPageSize = (): number => {
  const usual = 4_096
  try {
    const auxv = readFileSync("/proc/self/auxv")
    const pageSizeTag = 6n
    for (let at = 0; at + 16 <= auxv.length; at += 16) {
      if (auxv.readBigUInt64LE(at) === pageSizeTag) return Number(auxv.readBigUInt64LE(at + 8)) || usual
    }
  } catch {
    return usual
  }
  return usual
}

/** What a file of procfs says; nothing where its process is gone. */
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

/** The process and all that come from it, itself first. */
export const familyOf = (pid: number): ReadonlyArray<number> => {
  const family = [pid]
  // The list grows while it is walked.
  for (const member of family) {
    for (const child of childrenOf(member)) if (family.length < maxProcesses) family.push(child)
  }
  return family
}

/** Looks after which a process's descendants are found out anew. */
const looksPerFamily = 10

/** By /proc. */
export const procMemory = (interval = 50): MemoryProbe => {
  const pageSize = readPageSize()
  const residentOf = (pid: number): number => Number(readProc(`/proc/${pid}/statm`).split(" ")[1] ?? 0) * pageSize
  let families = new Map<number, { readonly members: ReadonlyArray<number>; looks: number }>()
  return {
    interval,
    look: (pids, each) => {
      const before = families
      families = new Map()
      for (const pid of pids) {
        let family = before.get(pid)
        if (family === undefined || family.looks === looksPerFamily) family = { members: familyOf(pid), looks: 0 }
        family.looks += 1
        families.set(pid, family)
        each(pid, family.members.reduce((sum, member) => sum + residentOf(member), 0))
      }
    }
  }
}

/** By `ps`, for all at once. */
export const psMemory = (interval = 250): MemoryProbe => {
  let isAsking = false
  return {
    interval,
    look: (pids, each) => {
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

/** Looks at nothing. */
const noMemory: MemoryProbe = { interval: 60_000, look: () => undefined }

/** What this platform has. */
export const platformMemory = (): MemoryProbe => {
  if (process.platform === "linux") return procMemory()
  return process.platform === "win32" ? noMemory : psMemory()
}
