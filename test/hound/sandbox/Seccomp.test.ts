import { assert, describe, it } from "@effect/vitest"
import { allowedCalls, type Architecture, seccompFilter } from "../../../src/hound/sandbox/Seccomp.ts"
import { random, Seed } from "../../support/random.ts"

const allow = 0x7fff0000
const kill = 0x80000000
const eperm = 0x00050001
const enosys = 0x00050026

/** A system call, as a filter sees it. */
interface Call {
  readonly number: number
  readonly machine?: number
  readonly first?: number
  readonly second?: number
}

const machines = { x64: 0xc000003e, arm64: 0xc00000b7 }

/**
 * Runs a program as the kernel does, the few instructions that it may have; what else there is, the
 * kernel would refuse.
 */
const run = (architecture: Architecture, { first = 0, machine = machines[architecture], number, second = 0 }: Call) => {
  const program = seccompFilter(architecture)
  const view = new DataView(program.buffer)
  const data = new DataView(new ArrayBuffer(64))
  data.setUint32(0, number, true)
  data.setUint32(4, machine, true)
  data.setBigUint64(16, BigInt(first), true)
  data.setBigUint64(24, BigInt(second), true)
  let accumulator = 0
  for (let at = 0; at < program.length; at += 8) {
    const value = view.getUint32(at + 4, true)
    const jump = (isTrue: boolean) => {
      at += 8 * view.getUint8(at + (isTrue ? 2 : 3))
    }
    const code = view.getUint16(at, true)
    if (code === 0x20) accumulator = data.getUint32(value, true)
    else if (code === 0x15) jump(accumulator === value)
    else if (code === 0x35) jump(accumulator >= value)
    else if (code === 0x45) jump((accumulator & value) !== 0)
    else if (code === 0x06) return value
    else throw new Error(`not an instruction: ${code}`)
  }
  throw new Error("the program has no end")
}

/** Calls that a hound must not make. */
const dangerous = {
  x64: {
    socket: 41,
    connect: 42,
    accept: 43,
    sendto: 44,
    recvfrom: 45,
    sendmsg: 46,
    recvmsg: 47,
    bind: 49,
    listen: 50,
    socketpair: 53,
    fork: 57,
    vfork: 58,
    wait4: 61,
    kill: 62,
    truncate: 76,
    rename: 82,
    mkdir: 83,
    creat: 85,
    unlink: 87,
    symlink: 88,
    chmod: 90,
    ptrace: 101,
    setuid: 105,
    mount: 165,
    reboot: 169,
    init_module: 175,
    tkill: 200,
    setpriority: 141,
    unshare: 272,
    memfd_create: 319,
    bpf: 321,
    execveat: 322,
    userfaultfd: 323,
    perf_event_open: 298,
    process_vm_readv: 310,
    process_vm_writev: 311,
    keyctl: 250,
    io_uring_setup: 425,
    pidfd_send_signal: 424,
    pidfd_getfd: 438,
    openat2: 437,
    setns: 308,
    seccomp: 317
  },
  arm64: {
    socket: 198,
    connect: 203,
    sendmsg: 211,
    recvmsg: 212,
    bind: 200,
    listen: 201,
    socketpair: 199,
    wait4: 260,
    kill: 129,
    mkdirat: 34,
    unlinkat: 35,
    symlinkat: 36,
    ptrace: 117,
    setuid: 146,
    mount: 40,
    unshare: 97,
    memfd_create: 279,
    bpf: 280,
    execveat: 281,
    userfaultfd: 282,
    perf_event_open: 241,
    process_vm_readv: 270,
    io_uring_setup: 425,
    setns: 268
  }
} as const

describe("the seccomp filter", () => {
  for (const architecture of ["x64", "arm64"] as const) {
    const { clone, ioctl } = architecture === "x64" ? { clone: 56, ioctl: 16 } : { clone: 220, ioctl: 29 }
    const numbers = allowedCalls.flatMap(({ calls }) =>
      calls.flatMap(([, x64, arm64]) => (architecture === "x64" ? [x64] : arm64 === null ? [] : [arm64]))
    )

    it(`RFC H2 allows the calls of the table on ${architecture}`, () => {
      for (const number of numbers) assert.strictEqual(run(architecture, { number }), allow, String(number))
      assert.strictEqual(new Set(numbers).size, numbers.length)
    })

    it(`RFC H2 refuses calls that a hound must not make on ${architecture}`, () => {
      for (const [name, number] of Object.entries(dangerous[architecture]))
        assert.strictEqual(run(architecture, { number }), eperm, name)
    })

    it(`RFC H2 threads and no processes on ${architecture}`, () => {
      const thread = 0x3d0f00
      assert.strictEqual(run(architecture, { number: clone, first: thread }), allow)
      for (const flags of [0, 17, 0x01200011, 0x10000000, 0x20000000, 0x7e020000])
        assert.strictEqual(run(architecture, { number: clone, first: flags & ~0x10000 }), eperm)
      assert.strictEqual(run(architecture, { number: 435, first: thread }), enosys)
    })

    it(`RFC H2 ioctl is for descriptors, not for terminals, on ${architecture}`, () => {
      for (const second of [0x5421, 0x5451]) assert.strictEqual(run(architecture, { number: ioctl, second }), allow)
      const [TIOCSTI, TIOCLINUX, SIOCGIFCONF] = [0x5412, 0x541c, 0x8912]
      for (const second of [TIOCSTI, TIOCLINUX, SIOCGIFCONF, 0])
        assert.strictEqual(run(architecture, { number: ioctl, second }), eperm)
    })

    it.prop(`RFC H2 every other call fails on ${architecture}`, { seed: Seed }, ({ seed }) => {
      const { below, chance } = random(seed)
      const number = below(chance(0.5) ? 600 : 0x40000000)
      const expected = numbers.includes(number) ? allow : number === 435 ? enosys : eperm
      assert.strictEqual(run(architecture, { number }), expected)
    })

    it.prop(`RFC H2 another machine's calls kill on ${architecture}`, { seed: Seed }, ({ seed }) => {
      const { below } = random(seed)
      const [number, machine] = [below(600), below(0x80000000)]
      assert.strictEqual(run(architecture, { number, machine }), kill)
      assert.strictEqual(run(architecture, { number, machine: 0x40000003 }), kill)
    })

    it(`RFC H2 is as long as the kernel takes it on ${architecture}`, () => {
      assert.isBelow(seccompFilter(architecture).length, 8 * 4_096)
      assert.deepStrictEqual(seccompFilter(architecture), seccompFilter(architecture))
    })
  }

  it.prop("RFC H2 the x32 ABI kills", { seed: Seed }, ({ seed }) => {
    const number = 0x40000000 + random(seed).below(0xc0000000)
    assert.strictEqual(run("x64", { number }), kill)
  })
})
