/**
 * The lines of the section about hounds, with their goals and what their peers leave out.
 *
 * **Gotchas**
 *
 * - Peers are threads of the host's own process: a loop or a bomb in one of them takes the host
 *   along. They are the usual choice where nothing has to be confined.
 */
import type { Goal, Line } from "./goals.ts"

/**
 * Sizes of evidence, with the goals of each: of a round trip, of two hounds kept busy, and of
 * `intercept` through the pool as a multiple of these.
 */
export const houndSizes = [
  { size: "1 KiB", bytes: 1024, mostMs: 0.13, leastJobs: 17_000, mostOfThrough: 1.5 },
  { size: "64 KiB", bytes: 65_536, mostMs: undefined, leastJobs: undefined, mostOfThrough: undefined },
  { size: "1 MiB", bytes: 1_048_576, mostMs: 0.5, leastJobs: 1_100, mostOfThrough: undefined }
] as const

/** The pools of threads beside them. */
export const houndPeers = ["piscina", "tinypool"] as const

/** How a peer is given its bytes: a copy goes over by itself, or the thread's end makes one. */
export const handovers = ["transferred", "copied"] as const

/** Hounds that are replaced while the host's event loop is looked at. */
export const replacements = 20

const most = (value: number | undefined): ReadonlyArray<Goal> =>
  value === undefined ? [] : [{ of: "value", most: value }]
const least = (value: number | undefined): ReadonlyArray<Goal> =>
  value === undefined ? [] : [{ of: "value", least: value }]

const noIsolation = "a thread of the host's process: no isolation"
/** Said once for each peer of a group. */
const [{ size: smallest }] = houndSizes
const noIsolationOf = (size: string): Partial<Line> => size === smallest ? { note: noIsolation } : {}
const handed: Readonly<Record<typeof handovers[number], string>> = {
  transferred: "a copy is made and handed over, as with hounds",
  copied: "the same bytes each time, copied on their way"
}

const start: ReadonlyArray<Line> = [
  {
    name: "spawn to ready, default",
    group: "start",
    unit: "ms",
    goals: most(114),
    note: "by a fork server that runs already"
  },
  { name: "spawn to ready, default, without a fork server", group: "start", unit: "ms", goals: most(114) },
  {
    name: "spawn to ready, hard",
    group: "start",
    unit: "ms",
    goals: most(138),
    note: "left out where there is no bubblewrap"
  },
  { name: "fork server and first hound to ready", group: "start", unit: "ms" },
  ...houndPeers.map((peer): Line => ({
    name: `${peer}: pool to first answer`,
    group: "start",
    unit: "ms",
    note: noIsolation
  }))
]

const memory: ReadonlyArray<Line> = [
  {
    name: "a hound that is ready, resident",
    group: "kept",
    unit: "MiB",
    goals: most(60),
    note: "most of it is Node's own program, shared"
  },
  { name: "a hound that is ready, private", group: "kept", unit: "MiB", goals: most(16) },
  { name: "the fork server, resident", group: "kept", unit: "MiB" },
  { name: "the fork server, private", group: "kept", unit: "MiB" },
  ...houndPeers.map((peer): Line => ({
    name: `${peer}: a thread`,
    group: "kept",
    unit: "MiB",
    note: `what the host's resident size grows by, of four; ${noIsolation}`
  }))
]

const roundTrips: ReadonlyArray<Line> = houndSizes.flatMap(({ mostMs, size }): ReadonlyArray<Line> => [
  { name: `round trip, ${size}: p50`, group: "round trips", unit: "ms", goals: most(mostMs) },
  { name: `round trip, ${size}: p99`, group: "round trips", unit: "ms" },
  ...houndPeers.flatMap((peer): ReadonlyArray<Line> => [
    { name: `${peer}: round trip, ${size}: p50`, group: "round trips", unit: "ms", ...noIsolationOf(size) },
    { name: `${peer}: round trip, ${size}: p99`, group: "round trips", unit: "ms" }
  ])
])

const jobs: ReadonlyArray<Line> = houndSizes.flatMap(({ leastJobs, mostOfThrough, size }): ReadonlyArray<Line> => {
  const floor = `two hounds kept busy, ${size}`
  return [
    { name: floor, group: "jobs", unit: "/s", goals: least(leastJobs) },
    {
      name: `intercept, pool and two hounds, ${size}`,
      group: "jobs",
      floor,
      unit: "/s",
      goals: mostOfThrough === undefined ? [] : [{ of: "ratio", most: mostOfThrough }],
      ...(size === smallest
        ? {
          note:
            "new evidence each: its SHA-256, its place in the quarantine and its record are part of it; of 1 MiB the SHA-256 is most of it"
        }
        : {})
    },
    ...houndPeers.flatMap((peer) =>
      handovers.map((handover): Line => ({
        name: `${peer}: two threads, ${handover}, ${size}`,
        group: "jobs",
        floor,
        unit: "/s",
        ...(size === smallest ? { note: `${noIsolation}; ${handed[handover]}` } : {})
      }))
    )
  ]
})

const delays: ReadonlyArray<Line> = [
  { name: "1 GiB heap, nothing going on: longest delay", group: "delays", unit: "ms" },
  { name: "1 GiB heap, nothing going on: p99", group: "delays", unit: "ms" },
  {
    name: `1 GiB heap, ${replacements} hounds replaced: longest delay`,
    group: "delays",
    unit: "ms",
    goals: most(20),
    note: "the fork server was there already; collections of the large heap are in all of these"
  },
  { name: `1 GiB heap, ${replacements} hounds replaced: p99`, group: "delays", unit: "ms" },
  { name: `1 GiB heap, ${replacements} replaced without a fork server: longest delay`, group: "delays", unit: "ms" },
  { name: `1 GiB heap, ${replacements} replaced without a fork server: p99`, group: "delays", unit: "ms" },
  {
    name: "1 GiB heap, starting, with a fork server: longest delay",
    group: "delays",
    unit: "ms",
    note: "the fork server itself is one fork of the host: start Tracehound before the heap is large"
  },
  { name: "1 GiB heap, starting, without a fork server: longest delay", group: "delays", unit: "ms" },
  ...houndPeers.flatMap((peer): ReadonlyArray<Line> => [
    {
      name: `${peer}: 1 GiB heap, ${replacements} threads replaced: longest delay`,
      group: "delays",
      unit: "ms",
      note: noIsolation
    },
    { name: `${peer}: 1 GiB heap, ${replacements} threads replaced: p99`, group: "delays", unit: "ms" }
  ])
]

export const houndLines: ReadonlyArray<Line> = [...start, ...memory, ...roundTrips, ...jobs, ...delays]
