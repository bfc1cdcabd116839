/**
 * Who else could read the memory of a process on this machine: core dumps, debuggers, swap, and an
 * address space that can be foretold. `doctor` reports each with what it means and one command that
 * closes it.
 *
 * Pure, over the texts of Linux's /proc; `readMemoryFacts` reads them. A text that is missing, or
 * that is not what the kernel writes, gives the state `unknown`, never a guess.
 */
import { readFileSync } from "node:fs"

/** `closed`: nobody gets in that way. `open`: somebody may. `unknown`: this machine did not say. */
export type ExposureState = "closed" | "open" | "unknown"

/** One way into the memory of this process. */
export interface Exposure {
  readonly name: string
  readonly state: ExposureState
  /** What this machine said, in words of ours. */
  readonly found: string
  /** What follows from it. */
  readonly means: string
  /** One command that closes it; null where it is closed, or nothing is known. */
  readonly close: string | null
}

/** The texts; null where there is none. */
export interface MemoryFacts {
  readonly platform: string
  /** /proc/self/limits */
  readonly limits: string | null
  /** /proc/swaps */
  readonly swaps: string | null
  /** /proc/sys/kernel/yama/ptrace_scope */
  readonly ptraceScope: string | null
  /** /proc/sys/kernel/randomize_va_space */
  readonly randomize: string | null
  /** /proc/sys/kernel/core_pattern */
  readonly corePattern: string | null
}

/** The most of a file that is read: the kernel writes far less. */
const maxText = 65_536

const textOf = (path: string): string | null => {
  try {
    const text = readFileSync(path, "latin1")
    return text.length <= maxText ? text : null
  } catch {
    return null
  }
}

/** Reads the texts of this process and this machine. */
export const readMemoryFacts = (): MemoryFacts => ({
  platform: process.platform,
  limits: textOf("/proc/self/limits"),
  swaps: textOf("/proc/swaps"),
  ptraceScope: textOf("/proc/sys/kernel/yama/ptrace_scope"),
  randomize: textOf("/proc/sys/kernel/randomize_va_space"),
  corePattern: textOf("/proc/sys/kernel/core_pattern")
})

/** The soft limit of a row in /proc/self/limits, in its units; null where there is none. */
const softLimit = (limits: string | null, row: string): number | null => {
  const line = limits?.split("\n").find((each) => each.startsWith(`${row} `))
  const [, soft] = /^ +(unlimited|\d{1,20}) +(?:unlimited|\d{1,20})(?: |$)/.exec(line?.slice(row.length) ?? "") ?? []
  if (soft === undefined) return null
  return soft === "unlimited" ? Infinity : Number(soft)
}

/** A file that holds one digit, as the kernel's switches do. */
const digitOf = (text: string | null): number | null => {
  const digit = /^(\d)\n?$/.exec(text ?? "")?.[1]
  return digit === undefined ? null : Number(digit)
}

/** Areas that are swapped to; null where the table is none. */
const swapAreas = (swaps: string | null): number | null => {
  if (swaps?.startsWith("Filename") !== true) return null
  const rows = swaps.trimEnd().split("\n").slice(1)
  return rows.every((row) => /^\S+\s+(?:file|partition)\s+\d+\s+\d+\s+-?\d+$/.test(row)) ? rows.length : null
}

const bytes = (n: number): string => n === Infinity ? "without limit" : `up to ${n} bytes`

const unknown = (name: string, what: string): Exposure => ({
  name,
  state: "unknown",
  found: `${what} cannot be read here`,
  means: "nothing is known of it",
  close: null
})

/** Where the kernel puts a core dump: a program's standard input, or a file. */
const coreDumps = ({ corePattern, limits }: MemoryFacts): Exposure => {
  const name = "core dumps"
  const soft = softLimit(limits, "Max core file size")
  const pattern = corePattern === null || corePattern.includes("\0") ? null : corePattern.replace(/\n$/, "")
  if (soft === null || pattern === null) return unknown(name, "RLIMIT_CORE or core_pattern")
  // The kernel dumps to a program or a socket whatever the limit; 1 alone is no dump to a program.
  const isProgram = pattern.startsWith("|")
  if (isProgram ? soft !== 1 : pattern.startsWith("@")) {
    return {
      name,
      state: "open",
      found: `the kernel hands them to a ${isProgram ? "program" : "socket"}, whatever the limit`,
      means: "a crash gives all memory, evidence and keys among it, to whoever is at its other end",
      close: isProgram ? "prlimit --pid $$ --core=1" : "sysctl -w kernel.core_pattern=core"
    }
  }
  if (isProgram || soft === 0) {
    const means = "a crash leaves no copy of the memory"
    return { name, state: "closed", found: `the limit is ${soft}`, means, close: null }
  }
  return {
    name,
    state: "open",
    found: `a file, ${bytes(soft)}`,
    means: "a crash writes all memory, evidence and keys among it, to a file",
    close: "ulimit -c 0"
  }
}

const scopes = [
  "every process of the same user may read this one's memory",
  "only its own ancestors may read its memory, and root",
  "only root may read its memory",
  "nobody may read its memory, until the machine starts anew"
]

const debuggers = ({ ptraceScope }: MemoryFacts): Exposure => {
  const name = "debuggers"
  const scope = digitOf(ptraceScope)
  const means = scope === null ? undefined : scopes[scope]
  if (scope === null || means === undefined) {
    return {
      ...unknown(name, "kernel.yama.ptrace_scope"),
      means: "without Yama every process of the same user may read this one's memory"
    }
  }
  return {
    name,
    state: scope === 0 ? "open" : "closed",
    found: `ptrace_scope is ${scope}`,
    means,
    close: scope === 0 ? "sysctl -w kernel.yama.ptrace_scope=1" : null
  }
}

const swap = ({ swaps }: MemoryFacts): Exposure => {
  const name = "swap"
  const areas = swapAreas(swaps)
  if (areas === null) return unknown(name, "/proc/swaps")
  if (areas === 0)
    return { name, state: "closed", found: "there is none", means: "memory stays in memory", close: null }
  return {
    name,
    state: "open",
    found: `${areas} ${areas === 1 ? "area" : "areas"}; whether they are encrypted cannot be told from here`,
    means: "memory may be written to a disk, and stay there after it was wiped",
    close: "swapoff -a"
  }
}

const randomization = ({ randomize }: MemoryFacts): Exposure => {
  const name = "address space"
  const level = digitOf(randomize)
  if (level === null || level > 2) return unknown(name, "kernel.randomize_va_space")
  const found = `randomize_va_space is ${level}`
  return level === 2
    ? { name, state: "closed", found, means: "addresses are random, the heap's too", close: null }
    : {
      name,
      state: "open",
      found,
      means: level === 1 ? "addresses are random but for the heap's" : "an exploit knows every address beforehand",
      close: "sysctl -w kernel.randomize_va_space=2"
    }
}

/** What node's `--secure-heap` needs to keep OpenSSL's keys out of swap. */
const mlockNeeded = 65_536

const locking = ({ limits }: MemoryFacts): Exposure => {
  const name = "locked memory"
  const soft = softLimit(limits, "Max locked memory")
  if (soft === null) return unknown(name, "RLIMIT_MEMLOCK")
  const found = `this process may lock ${bytes(soft)}`
  return soft >= mlockNeeded
    ? { name, state: "closed", found, means: "node's --secure-heap can keep OpenSSL's keys out of swap", close: null }
    : {
      name,
      state: "open",
      found,
      means: "node's --secure-heap cannot keep OpenSSL's keys out of swap",
      close: "ulimit -l 8192"
    }
}

/** Every way that is known, or one line where nothing is known of the platform. Pure. */
export const exposures = (facts: MemoryFacts): ReadonlyArray<Exposure> =>
  facts.platform === "linux"
    ? [coreDumps, debuggers, swap, randomization, locking].map((look) => look(facts))
    : [{
      name: "memory",
      state: "unknown",
      found: "this was never tried on this platform",
      means: "who else may read the memory of a process is not known here",
      close: null
    }]

const marks = { closed: "ok     ", open: "note   ", unknown: "note   " } as const

/** Two lines for each that is open, one for the others. Pure. */
export const describeExposures = (all: ReadonlyArray<Exposure>): ReadonlyArray<string> =>
  all.flatMap(({ close, found, means, name, state }) => [
    `${marks[state]}  memory: ${name.padEnd(13)} ${found}: ${means}`,
    ...close === null ? [] : [`${" ".repeat(31)}close it with: ${close}`]
  ])
