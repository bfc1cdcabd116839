/**
 * Programs that end a Tracehound at any moment: each of them comes to its own end.
 *
 * A program costs some 0.3 s of a processor, and with hounds 0.7 s: the long tier runs 2,408 of
 * them, in 12 minutes where two cores are free.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { amount, sampled } from "../support/tiers.ts"

const fixture = fileURLToPath(new URL("fixtures/ending.ts", import.meta.url))

interface Ending {
  readonly door: string
  readonly stage: "starting" | "escalated"
  readonly moment: number
  readonly care?: string
}

const clean = JSON.stringify({ alive: 0, children: 0, descriptors: [], resources: [], isClosedBelow: true })

/** What such a program did that it should not; null where it is nothing. */
const findingOf = ({ care = "", door, moment, stage }: Ending): Promise<string | null> =>
  new Promise((resolve) => {
    const args = [fixture, door, stage, String(moment), care]
    execFile(process.execPath, args, { timeout: 60_000, killSignal: "SIGKILL" }, (error, stdout, stderr) => {
      const isClean = error === null && stdout === `${clean}\n` && stderr === ""
      const status = error === null ? "status 0" : `status ${String(error.code)}`
      resolve(isClean ? null : `${door} ${stage} ${moment} ms ${care}: ${status}, said ${stdout}${stderr}`)
    })
  })

const doors = ["runPromise", "ManagedRuntime", "runMain", "createTracehound"] as const
const stages = ["starting", "escalated"] as const

/** Between two moments, in ms. */
const step = amount({ sample: 150, rest: 20, long: 1 })
const moments = Array.from({ length: Math.floor(300 / step) + 1 }, (_, n) => n * step)

/** Findings after which no more programs are started: one that hangs takes its whole deadline. */
const enough = 5

const assertClean = (endings: ReadonlyArray<Ending>) =>
  Effect.gen(function*() {
    const findings: Array<string> = []
    let started = 0
    yield* Effect.forEach(endings, (ending) =>
      Effect.promise(async () => {
        if (findings.length >= enough) return
        started += 1
        const finding = await findingOf(ending)
        if (finding !== null) findings.push(finding)
      }), { concurrency: availableParallelism(), discard: true })
    assert.deepStrictEqual(findings, [], `of ${started} programs`)
    assert.strictEqual(started, endings.length)
  })

describe.runIf(process.platform === "linux")("a program that ends a Tracehound", () => {
  const cases = doors.flatMap((door) => stages.map((stage) => ({ door, stage })))

  it.live.each(cases)("RFC R4 by $door, $stage, ends at any moment with nothing left", ({ door, stage }) => {
    // The sample has each moment at each door once, at one of the two stages.
    const isMine = (n: number): boolean => step !== 150 || (n + (stage === "starting" ? 0 : 1)) % 2 === 0
    return assertClean(moments.filter((_, n) => isMine(n)).map((moment) => ({ door, stage, moment })))
  }, 3_600_000)

  sampled(it.live)(
    "RFC R4 F5 by dispose, with an init that nobody waits for, ends as well",
    () =>
      assertClean([0, 1, 60].map((moment) => ({
        door: "createTracehound",
        stage: "starting",
        moment,
        care: "careless"
      }))),
    120_000
  )
})
