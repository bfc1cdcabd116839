/**
 * A replay onto disks that are really full: what cannot be written is counted, and the host's own
 * reason is told. A process of its own runs each; one that tries everything again and again would
 * take longer than it may.
 *
 * **Gotchas**
 *
 * - A disk that is full is a file system in memory, which bubblewrap mounts for the process alone.
 *   A machine without it says so. The limit on the size of a file needs nothing.
 */
import { assert, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { openEnvelope } from "../../../src/index.ts"
import { hasHard, withoutIt } from "../../hound/sandbox/boots.ts"
import { inTemporaryDirectory, shell } from "../../support/command.ts"
import { restOf, sampled } from "../../support/tiers.ts"

const count = 120
const held = 10

/** 120 lines of 1.3 KB, whose payloads cannot be compressed to less than half. */
const recording = Array.from({ length: count }, (_, i) => {
  const payload = Array.from({ length: 20 }, (_, piece) => createHash("sha256").update(`${i} ${piece}`).digest("hex"))
  const threat = { category: "injection", severity: "high" }
  return `${
    JSON.stringify({
      id: String(i),
      source: `192.0.2.${i}`,
      timestamp: 1_760_000_000_000 + i,
      payload: payload.join(""),
      threat
    })
  }\n`
})

interface Outcome {
  readonly status: number | null
  readonly stderr: string
  readonly lost: number
  /** Names of the files in the directory of evidence, copied out before it went. */
  readonly files: ReadonlyArray<string>
  readonly directory: string
}

/**
 * Replays the recording by a script in which `"$@"` is the command, `$data` a directory that is
 * there, and `$out` where what was written is to be copied.
 */
const replayBy = (directory: string, script: string) =>
  (async (): Promise<Outcome> => {
    const [data, out, file] = ["data", "out", "recording"].map((name) => join(directory, name)) as [
      string,
      string,
      string
    ]
    for (const made of [data, out]) mkdirSync(made)
    writeFileSync(file, recording.join(""))
    const prologue = `set -- "$@" replay --json --data "${data}/kept"; data="${data}"; out="${out}"; file="${file}"`
    const { status, stderr, stdout } = await shell(`export data out file; ${prologue}; ${script}`, {
      env: { TRACEHOUND_QUARANTINE_MAX_COUNT: String(held), NODE_COMPILE_CACHE: "" }
    })
    const { deadLetters, evictions, lines } = JSON.parse(stdout) as Record<string, number>
    assert.deepStrictEqual([lines, evictions], [count, count - held])
    return { status, stderr, lost: deadLetters ?? 0, files: readdirSync(out).toSorted(), directory: out }
  })()

/** Everything was written whole or is counted as lost, and the sentence gives the host's reason. */
const assertTold = ({ directory, files, lost, status, stderr }: Outcome, code: string): void => {
  assert.strictEqual(status, 1)
  assert.isAtLeast(lost, 1)
  assert.strictEqual(files.length + lost, count - held)
  for (const file of files) {
    assert.match(file, /\.thev$/)
    assert.strictEqual(openEnvelope(readFileSync(join(directory, file))).content.length, 1280)
  }
  assert.match(stderr, new RegExp(`^evidence was lost, ${lost} pieces: cold storage file:.*: ${code}\n$`))
}

/** What a script runs on a disk of 64 KiB that only it sees. */
const onSmallDisk = (inner: string): string => {
  const keep = `cp "$data"/kept/evidence/* "$out" 2> /dev/null`
  const disk = `bwrap --dev-bind / / --size 65536 --tmpfs "$data"`
  return `${disk} -- bash -c '${inner}; status=$?; ${keep}; exit $status' bash "$@" "$file"`
}

const needsDisk = (use: (directory: string) => Promise<void>) => () =>
  hasHard ? inTemporaryDirectory(use) : Promise.resolve(withoutIt("bubblewrap"))

describe("a replay onto a disk that is full", { timeout: 90_000 }, () => {
  sampled(it)(
    "RFC C1 says so where no file may be as long as an envelope",
    () =>
      inTemporaryDirectory(async (directory) => {
        const outcome = await replayBy(directory, `ulimit -f 1; "$@" "$file"`)
        assertTold(outcome, "EFBIG")
        assert.strictEqual(outcome.lost, count - held)
        assert.deepStrictEqual(readdirSync(join(directory, "data/kept/evidence")), [])
      })
  )

  restOf(it)(
    "RFC C1 says so where it is full in the middle, and keeps what it had written",
    needsDisk(async (directory) => {
      const outcome = await replayBy(directory, onSmallDisk(`"$@"`))
      assertTold(outcome, "ENOSPC")
      assert.isAtLeast(outcome.files.length, 5)
    })
  )

  restOf(it)(
    "RFC C1 says so where it is full from the first",
    needsDisk(async (directory) => {
      const outcome = await replayBy(
        directory,
        onSmallDisk(`mkdir -p "$data/kept/evidence"; cat /dev/zero > "$data/full" 2> /dev/null; "$@"`)
      )
      assertTold(outcome, "ENOSPC")
      assert.strictEqual(outcome.lost, count - held)
    })
  )

  restOf(it)(
    "RFC C1 says so where its directory is gone in the middle",
    () =>
      inTemporaryDirectory(async (directory) => {
        const wait = `until ls "$data"/kept/evidence/*.thev > /dev/null 2>&1; do sleep 0.05; done`
        const input = `(head -n 60 "$file"; ${wait}; mv "$data/kept" "$data/gone"; tail -n 60 "$file")`
        const { lost, status, stderr } = await replayBy(directory, `${input} | "$@" -`)
        assert.strictEqual(status, 1)
        assert.isAtLeast(lost, 60 - held)
        assert.match(stderr, new RegExp(`^evidence was lost, ${lost} pieces: cold storage file:.*: ENOENT\n$`))
      })
  )
})
