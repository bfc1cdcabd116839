/**
 * The filter of a hound's system calls at the level `hard`: a classic BPF program for seccomp, as
 * bubblewrap takes it (CONFORMANCE H2).
 *
 * It lists the calls that are allowed; every other one fails with EPERM, and node goes on without
 * it or ends. Threads are allowed, processes are not. Pure: the same bytes on every machine.
 *
 * **Gotchas**
 *
 * - A filter sees numbers and no memory: the namespaces decide which paths can be opened or
 *   executed. `execve` has to be allowed, since the filter is there before node is; node is the
 *   only program that there is.
 * - The kernel runs the program from its beginning for every call: frequent calls come first.
 */

export type Architecture = "x64" | "arm64"

/**
 * The number of a system call on x86-64 and on AArch64; null where the kernel does not have it
 * there.
 */
type Row = readonly [name: string, x64: number, arm64: number | null]

/** The calls that are allowed, and what needs them. */
export const allowedCalls: ReadonlyArray<{ readonly why: string; readonly calls: ReadonlyArray<Row> }> = [
  {
    why: "the pipe: jobs in, frames out; stdio is /dev/null",
    calls: [["read", 0, 63], ["write", 1, 64], ["readv", 19, 65], ["writev", 20, 66]]
  },
  {
    why: "V8 and the allocator: memory",
    calls: [
      ["mmap", 9, 222],
      ["munmap", 11, 215],
      ["mprotect", 10, 226],
      ["madvise", 28, 233],
      ["mremap", 25, 216],
      ["brk", 12, 214],
      ["mincore", 27, 232],
      ["pkey_mprotect", 329, 288],
      ["pkey_alloc", 330, 289],
      ["pkey_free", 331, 290]
    ]
  },
  {
    why: "threads: V8's and libuv's, and their locks",
    calls: [
      ["futex", 202, 98],
      ["gettid", 186, 178],
      ["sched_yield", 24, 124],
      ["set_robust_list", 273, 99],
      ["rseq", 334, 293],
      ["membarrier", 324, 283],
      ["set_tid_address", 218, 96],
      ["sched_getaffinity", 204, 123],
      ["sched_getparam", 143, 121],
      ["sched_getscheduler", 145, 120]
    ]
  },
  {
    why: "libuv's event loop",
    calls: [
      ["epoll_pwait", 281, 22],
      ["epoll_wait", 232, null],
      ["epoll_ctl", 233, 21],
      ["epoll_create1", 291, 20],
      ["eventfd2", 290, 19],
      ["pipe2", 293, 59],
      ["poll", 7, null],
      ["ppoll", 271, 73],
      ["fcntl", 72, 25],
      ["dup", 32, 23],
      ["dup3", 292, 24]
    ]
  },
  {
    why: "time",
    calls: [
      ["clock_gettime", 228, 113],
      ["clock_getres", 229, 114],
      ["clock_nanosleep", 230, 115],
      ["nanosleep", 35, 101],
      ["restart_syscall", 219, 128]
    ]
  },
  {
    why: "the loader, the entry and the analyzer: read-only binds, and there are no others",
    calls: [
      ["openat", 257, 56],
      ["open", 2, null],
      ["close", 3, 57],
      ["fstat", 5, 80],
      ["newfstatat", 262, 79],
      ["statx", 332, 291],
      ["stat", 4, null],
      ["lstat", 6, null],
      ["access", 21, null],
      ["faccessat", 269, 48],
      ["faccessat2", 439, 439],
      ["readlink", 89, null],
      ["readlinkat", 267, 78],
      ["getcwd", 79, 17],
      ["lseek", 8, 62],
      ["pread64", 17, 67],
      ["getdents64", 217, 61]
    ]
  },
  {
    why: "the start of a process, signals to itself, and its end",
    calls: [
      ["execve", 59, 221],
      ["arch_prctl", 158, null],
      ["prctl", 157, 167],
      ["rt_sigaction", 13, 134],
      ["rt_sigprocmask", 14, 135],
      ["rt_sigreturn", 15, 139],
      ["sigaltstack", 131, 132],
      ["tgkill", 234, 131],
      ["exit", 60, 93],
      ["exit_group", 231, 94]
    ]
  },
  {
    why: "what a process may know of itself and its machine; random bytes",
    calls: [
      ["getrandom", 318, 278],
      ["getrusage", 98, 165],
      ["prlimit64", 302, 261],
      ["getrlimit", 97, null],
      ["getpid", 39, 172],
      ["getppid", 110, 173],
      ["getuid", 102, 174],
      ["geteuid", 107, 175],
      ["getgid", 104, 176],
      ["getegid", 108, 177],
      ["capget", 125, 90],
      ["uname", 63, 160],
      ["sysinfo", 99, 179]
    ]
  }
]

/** Calls whose arguments are checked, and the name of the machine to the kernel. */
const machines = {
  x64: { audit: 0xc000003e, clone: 56, clone3: 435, ioctl: 16 },
  arm64: { audit: 0xc00000b7, clone: 220, clone3: 435, ioctl: 29 }
} as const

/** `CLONE_THREAD`: the new task is a thread of this process. */
const cloneThread = 0x10000
/**
 * Requests of `ioctl` that libuv makes of its descriptors: FIONBIO, FIOCLEX, FIONCLEX, FIONREAD;
 * TCGETS asks whether it is a terminal.
 */
const ioctls = [0x5421, 0x5451, 0x5450, 0x541b, 0x5401]
/** Call numbers from here on are those of the x32 ABI. */
const x32 = 0x40000000

const load = 0x20
const jumpEqual = 0x15
const jumpGreaterOrEqual = 0x35
const jumpSet = 0x45
const answer = 0x06

const allow = 0x7fff0000
const killProcess = 0x80000000
const failWith = (errno: number) => 0x00050000 | errno
const EPERM = 1
const ENOSYS = 38

/**
 * Offsets in the kernel's `struct seccomp_data`; of an argument that of its lower half, on
 * little-endian machines.
 */
const callNumber = 0
const machine = 4
const argument = (index: number) => 16 + 8 * index

type Instruction = readonly [code: number, value: number, ifTrue?: number, ifFalse?: number]

const program = (architecture: Architecture): ReadonlyArray<Instruction> => {
  const { audit, clone, clone3, ioctl } = machines[architecture]
  const numbers = allowedCalls.flatMap(({ calls }) =>
    calls.flatMap(([, x64, arm64]) => architecture === "x64" ? [x64] : arm64 === null ? [] : [arm64])
  )
  return [
    [load, machine],
    [jumpEqual, audit, 1, 0],
    [answer, killProcess],
    [load, callNumber],
    ...(architecture === "x64"
      ? [[jumpGreaterOrEqual, x32, 0, 1], [answer, killProcess]] satisfies ReadonlyArray<Instruction>
      : []),
    ...numbers.flatMap((number): ReadonlyArray<Instruction> => [[jumpEqual, number, 0, 1], [answer, allow]]),
    // Its flags are in memory, where no filter can read them: the C library falls back to `clone`.
    [jumpEqual, clone3, 0, 1],
    [answer, failWith(ENOSYS)],
    [jumpEqual, clone, 0, 4],
    [load, argument(0)],
    [jumpSet, cloneThread, 0, 1],
    [answer, allow],
    [answer, failWith(EPERM)],
    [jumpEqual, ioctl, 0, 1 + 2 * ioctls.length],
    [load, argument(1)],
    ...ioctls.flatMap((request): ReadonlyArray<Instruction> => [[jumpEqual, request, 0, 1], [answer, allow]]),
    [answer, failWith(EPERM)]
  ]
}

/**
 * The program, as an array of the kernel's `struct sock_filter`: u16 code, u8 if true, u8 if false,
 * u32 value.
 */
export const seccompFilter = (architecture: Architecture): Uint8Array => {
  const instructions = program(architecture)
  const bytes = new Uint8Array(8 * instructions.length)
  const view = new DataView(bytes.buffer)
  instructions.forEach(([code, value, ifTrue = 0, ifFalse = 0], index) => {
    view.setUint16(8 * index, code, true)
    view.setUint8(8 * index + 2, ifTrue)
    view.setUint8(8 * index + 3, ifFalse)
    view.setUint32(8 * index + 4, value >>> 0, true)
  })
  return bytes
}
