import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { EncryptionError } from "../../../src/custody/encryption/EncryptionError.ts"
import { Keyring, type Secrets } from "../../../src/custody/encryption/Keyring.ts"
import type { KeyName } from "../../../src/custody/encryption/Sealed.ts"
import { slotAt, slotBytes } from "../../../src/custody/encryption/Slots.ts"
import { sectorBytes } from "../../../src/custody/encryption/StableFile.ts"
import { openKeyFile } from "../../../src/custody/store/KeyFile.ts"
import { noise } from "../../host/port/contract.ts"
import { random, Seed } from "../../support/random.ts"
import { type MemoryFile, memoryFile, parts } from "./files.ts"

const secret = noise(32, 11)
const other = noise(32, 12)

const got = <A>(result: Result.Result<A, EncryptionError>): A =>
  Result.isSuccess(result) ? result.success : assert.fail(result.failure.message)
const reasonOf = <A>(result: Result.Result<A, EncryptionError>): EncryptionError["reason"] | "none" =>
  Result.isFailure(result) ? result.failure.reason : "none"
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

interface Disk {
  readonly slots: MemoryFile
  readonly epochs: MemoryFile
}
const disk = (): Disk => ({ slots: memoryFile(), epochs: memoryFile() })
const opened = (files: Disk, secrets: Secrets = [secret], seed = 1) =>
  Keyring.open({ ...files, ...parts(seed) }, secrets)

/** Makes so many keys, and gives their names with their bytes. */
const make = (keyring: Keyring, count: number): Array<{ readonly name: KeyName; readonly key: string }> =>
  Array.from({ length: count }, () => {
    const { key, name } = got(keyring.create())
    return { name, key: hex(key) }
  })
const rotated = (keyring: Keyring, to: Uint8Array, step = 3): number => {
  got(keyring.beginRotation(to))
  let damaged = 0
  for (let left = 1; left > 0;) {
    const done = got(keyring.rewrap(step))
    damaged += done.damaged
    left = done.left
  }
  return damaged
}

describe("a keyring", () => {
  it("SYS L7 gives each piece a key of its own, and finds it, also after it was opened again", () => {
    const files = disk()
    const keyring = got(opened(files))
    const keys = make(keyring, 40)
    assert.strictEqual(new Set(keys.map(({ key }) => key)).size, 40)
    assert.strictEqual(keyring.living, 40)
    got(keyring.sync())
    const again = got(opened({ slots: memoryFile(files.slots.synced), epochs: memoryFile(files.epochs.synced) }))
    assert.strictEqual(again.living, 40)
    for (const { key, name } of keys) {
      assert.strictEqual(hex(got(keyring.find(name))), key)
      assert.strictEqual(hex(got(again.find(name))), key)
    }
  })

  it("SYS L7 has no key in the clear in its files, and no destroyed one in any form", () => {
    const directory = mkdtempSync(join(tmpdir(), "tracehound-keys-"))
    const slots = openKeyFile(join(directory, "slots"))
    const epochs = openKeyFile(join(directory, "epochs"))
    try {
      const keyring = got(Keyring.open({ slots, epochs, ...parts() }, [secret]))
      const keys = make(keyring, 30)
      got(keyring.sync())
      const before = readFileSync(join(directory, "slots"))
      const wrapped = keys.map(({ name }) => before.subarray(slotAt(name.slot), slotAt(name.slot) + 60))
      for (const { name } of keys.slice(0, 20)) assert.isTrue(got(keyring.destroy(name)))
      got(keyring.sync())
      const after = readFileSync(join(directory, "slots"))
      for (const { key } of keys) assert.strictEqual(after.indexOf(Buffer.from(key, "hex")), -1)
      for (const [i, bytes] of wrapped.entries())
        assert.strictEqual(after.indexOf(bytes) >= 0, i >= 20, `the wrapped key ${i}`)
    } finally {
      slots.close()
      epochs.close()
      rmSync(directory, { recursive: true })
    }
  })

  it("SYS L7 says that a key was destroyed, and never gives its slot's next key for it", () => {
    const keyring = got(opened(disk()))
    const [first] = make(keyring, 1)
    assert.isDefined(first)
    assert.isTrue(got(keyring.destroy(first.name)))
    assert.isFalse(got(keyring.destroy(first.name)), "twice is no error")
    assert.strictEqual(reasonOf(keyring.find(first.name)), "key_destroyed")
    const [second] = make(keyring, 1)
    assert.deepStrictEqual(second?.name, { slot: first.name.slot, use: 2 })
    assert.strictEqual(reasonOf(keyring.find(first.name)), "key_destroyed")
    assert.isFalse(got(keyring.destroy(first.name)), "and not the next one's")
    assert.strictEqual(hex(got(keyring.find({ slot: 0, use: 2 }))), second?.key)
  })

  it.each([
    ["a slot past the last", { slot: 5, use: 1 }],
    ["a use that was not yet", { slot: 0, use: 2 }],
    ["a slot beyond any", { slot: Number.MAX_SAFE_INTEGER, use: 1 }]
  ])("SYS L7 knows no key of %s", (_name, name) => {
    const keyring = got(opened(disk()))
    make(keyring, 5)
    assert.strictEqual(reasonOf(keyring.find(name)), "unknown_key")
    assert.strictEqual(reasonOf(keyring.destroy(name)), "unknown_key")
  })

  it("SYS L4 refuses a slot that was moved, and one of which any bit was flipped", () => {
    const files = disk()
    const keyring = got(opened(files))
    const [first, second] = make(keyring, 8)
    assert.isDefined(first)
    assert.isDefined(second)
    const good = files.slots.bytes.slice()
    files.slots.bytes.copyWithin(slotAt(1), slotAt(0), slotAt(0) + slotBytes)
    assert.strictEqual(reasonOf(keyring.find(second.name)), "slot_damaged")
    for (let bit = 0; bit < 68 * 8; bit++) {
      files.slots.bytes = good.slice()
      const at = slotAt(0) + (bit >> 3)
      files.slots.bytes[at] = (files.slots.bytes[at] ?? 0) ^ (1 << (bit & 7))
      assert.strictEqual(reasonOf(keyring.find(first.name)), "slot_damaged", `bit ${bit}`)
    }
    for (let bit = 0; bit < 32; bit++) {
      files.slots.bytes = good.slice()
      const at = slotAt(0) + 68 + (bit >> 3)
      files.slots.bytes[at] = (files.slots.bytes[at] ?? 0) ^ (1 << (bit & 7))
      assert.notStrictEqual(reasonOf(got(opened(files)).find(first.name)), "none", `state bit ${bit}`)
    }
  })

  it("SYS L4 opens under its master secret alone", () => {
    const files = disk()
    make(got(opened(files)), 3)
    assert.strictEqual(reasonOf(opened(files, [other])), "wrong_master")
    assert.strictEqual(reasonOf(opened(files, [other, secret])), "none")
  })

  it("SYS L7 is full where it was told so, and takes further keys once some were destroyed", () => {
    const keyring = got(Keyring.open({ ...disk(), ...parts(), limit: 10 }, [secret]))
    const keys = make(keyring, 10)
    assert.strictEqual(reasonOf(keyring.create()), "full")
    for (const { name } of keys.slice(4, 7)) got(keyring.destroy(name))
    assert.deepStrictEqual(
      make(keyring, 3).map(({ name }) => name.slot).toSorted((a, b) => a - b),
      [4, 5, 6]
    )
    assert.strictEqual(reasonOf(keyring.create()), "full")
  })

  it("SYS L7 rotates the epoch: all keys stay, the old epoch's salt is gone, and so is what it wrapped", () => {
    const files = disk()
    const keyring = got(opened(files))
    const keys = make(keyring, 25)
    got(keyring.destroy(keys[3]?.name ?? assert.fail()))
    got(keyring.sync())
    const stolen = { slots: memoryFile(files.slots.bytes), salt: files.epochs.bytes.slice(16, 48) }
    assert.strictEqual(rotated(keyring, secret), 0)
    assert.strictEqual(keyring.epoch, 2)
    assert.isFalse(keyring.isRotating)
    assert.strictEqual(Buffer.from(files.epochs.synced).indexOf(stolen.salt), -1)
    for (const [i, { key, name }] of keys.entries())
      if (i !== 3) assert.strictEqual(hex(got(keyring.find(name))), key)
    const thief = got(opened({ slots: stolen.slots, epochs: memoryFile(files.epochs.synced) }))
    for (const [i, { name }] of keys.entries())
      if (i !== 3) assert.strictEqual(reasonOf(thief.find(name)), "slot_damaged", "an old copy of the slots")
  })

  it("SYS L7 rotates to another master secret, and uses the sectors of destroyed epochs again", () => {
    const files = disk()
    const keys = make(got(opened(files)), 9)
    for (const [i, [to, from]] of [[other, secret], [secret, other], [other, secret]].entries()) {
      assert.isDefined(to)
      assert.isDefined(from)
      const keyring = got(opened(files, [to, from]))
      rotated(keyring, to)
      assert.strictEqual(keyring.epoch, i + 2)
    }
    const last = got(opened(files, [other]))
    for (const { key, name } of keys) assert.strictEqual(hex(got(last.find(name))), key)
    assert.strictEqual(files.epochs.bytes.length, 2 * sectorBytes)
  })

  it("SYS L7 counts a slot that does not open while it rotates, and leaves the others whole", () => {
    const files = disk()
    const keyring = got(opened(files))
    const keys = make(keyring, 9)
    files.slots.bytes[slotAt(4) + 20] = (files.slots.bytes[slotAt(4) + 20] ?? 0) ^ 1
    assert.strictEqual(rotated(keyring, secret), 1)
    for (const [i, { name }] of keys.entries())
      assert.strictEqual(reasonOf(keyring.find(name)), i === 4 ? "slot_damaged" : "none")
  })

  it("SYS L7 a rotation that stops at any write leaves every key to be found, and is gone on with", () => {
    const start = disk()
    const keys = make(got(opened(start)), 16)
    for (let stop = 0; stop < 60; stop++) {
      const files = { slots: memoryFile(start.slots.bytes), epochs: memoryFile(start.epochs.bytes) }
      let writes = 0
      const failing = (file: MemoryFile): MemoryFile => ({
        ...file,
        size: () => file.size(),
        read: (at, length) => file.read(at, length),
        write: (at, bytes) => {
          if (writes++ >= stop) throw new Error("the power went")
          file.write(at, bytes)
        }
      })
      const dying = got(opened({ slots: failing(files.slots), epochs: failing(files.epochs) }))
      let done = reasonOf(dying.beginRotation(other))
      while (done === "none" && dying.isRotating) done = reasonOf(dying.rewrap(5))
      const next = got(opened(files, [other, secret]))
      for (const { key, name } of keys) assert.strictEqual(hex(got(next.find(name))), key, `stopped at write ${stop}`)
      if (next.isRotating) { while (got(next.rewrap(4)).left > 0); }
      else if (next.epoch === 1) rotated(next, other)
      const ended = got(opened(files, [other]))
      for (const { key, name } of keys) assert.strictEqual(hex(got(ended.find(name))), key)
    }
  })

  it("looks at no more slots in one call of a rotation than it was told", () => {
    const files = disk()
    const keyring = got(opened(files))
    make(keyring, 50)
    got(keyring.beginRotation(secret))
    let reads = 0
    const { read } = files.slots
    Object.assign(files.slots, {
      read: (at: number, length: number) => {
        reads += 1
        return read(at, length)
      }
    })
    assert.deepStrictEqual(got(keyring.rewrap(7)), { left: 43, damaged: 0 })
    assert.strictEqual(reads, 7)
  })

  it("says what its file failed with, and has lost nothing by it", () => {
    const files = disk()
    const keyring = got(opened(files))
    const [first] = make(keyring, 1)
    assert.isDefined(first)
    const { write } = files.slots
    Object.assign(files.slots, {
      write: () => {
        throw new Error("ENOSPC: no space left on device")
      }
    })
    const refused = keyring.create()
    assert.strictEqual(reasonOf(refused), "io")
    assert.include(Result.isFailure(refused) ? refused.failure.message : "", "ENOSPC")
    assert.strictEqual(reasonOf(keyring.destroy(first.name)), "io")
    assert.strictEqual(hex(got(keyring.find(first.name))), first.key)
    Object.assign(files.slots, { write })
    assert.deepStrictEqual(make(keyring, 1)[0]?.name, { slot: 1, use: 1 })
    assert.strictEqual(keyring.living, 2)
  })

  it("finds nothing once it is closed", () => {
    const keyring = got(opened(disk()))
    const [first] = make(keyring, 1)
    keyring.close()
    assert.strictEqual(reasonOf(keyring.find(first?.name ?? assert.fail())), "slot_damaged")
  })

  it.prop("SYS L7 random lives: what was synced is there after a loss of power, what was destroyed is not", {
    seed: Seed
  }, ({ seed }) => {
    const { below, chance, pick } = random(seed)
    let files = disk()
    let keyring = got(opened(files, [secret], seed))
    const living = new Map<string, string>()
    const dead = new Set<string>()
    const textOf = ({ slot, use }: KeyName): string => `${slot}:${use}`
    const nameOf = (text: string): KeyName => {
      const [slot, use] = text.split(":").map(Number)
      return { slot: slot ?? 0, use: use ?? 0 }
    }
    for (let step = 0; step < 80; step++) {
      if (chance(0.5) || living.size === 0) {
        const { key, name } = got(keyring.create())
        assert.isFalse(living.has(textOf(name)) || dead.has(textOf(name)), "a name is given once")
        living.set(textOf(name), hex(key))
      } else {
        const keys = [...living.keys()]
        const name = pick([keys[0] ?? "", ...keys])
        got(keyring.destroy(nameOf(name)))
        living.delete(name)
        dead.add(name)
      }
      if (chance(0.1)) rotated(keyring, secret, 1 + below(9))
      if (chance(0.2)) {
        got(keyring.sync())
        files = { slots: memoryFile(files.slots.synced), epochs: memoryFile(files.epochs.synced) }
        keyring = got(opened(files, [secret], seed + step))
      }
    }
    for (const [name, key] of living) assert.strictEqual(hex(got(keyring.find(nameOf(name)))), key)
    for (const name of dead) assert.strictEqual(reasonOf(keyring.find(nameOf(name))), "key_destroyed")
    assert.strictEqual(keyring.living, living.size)
  })
})
