/**
 * Every line of the benchmark, by section, with its floor and its goal. The catalogue says
 * what is measured, `sections/` how.
 *
 * **Gotchas**
 *
 * - A floor is a line of the same section: it is what must be done at the least, written as plainly
 *   as it can be.
 */
import type { Goal, Line } from "./goals.ts"
import { hostLines } from "./hostLines.ts"
import { houndLines } from "./houndLines.ts"

/** A group of lines that are measured by one process. */
export interface Section {
  readonly name: SectionName
  readonly title: string
  readonly lines: ReadonlyArray<Line>
}

export const sectionNames = [
  "gate",
  "bytes",
  "objects",
  "duplicates",
  "eviction",
  "hostile",
  "mix",
  "memory",
  "chain",
  "ledger",
  "parts",
  "start",
  "growth",
  "peers",
  "actors",
  "hounds",
  "host"
] as const

/** The file of a section in `sections/`. */
export type SectionName = typeof sectionNames[number]

const ratio = (most: number): Goal => ({ of: "ratio", most })
const atMost = (most: number): Goal => ({ of: "value", most })
const atLeast = (least: number): Goal => ({ of: "value", least })
const leaves = (most: number): Goal => ({ of: "bytes", most })
const leavesNothing: ReadonlyArray<Goal> = [leaves(0), { of: "gcs", most: 0 }]

const clockAndMap = "clock + Map.get"

const gate: Section = {
  name: "gate",
  title: "The gate: what most calls cost",
  lines: [
    { name: clockAndMap },
    { name: "clean", floor: clockAndMap, goals: [ratio(1.2), ...leavesNothing] },
    { name: "rate limited", floor: clockAndMap, goals: [ratio(1.3), ...leavesNothing] },
    { name: "too large, bytes", floor: clockAndMap, goals: [ratio(1.3), ...leavesNothing] },
    { name: "not a scent", floor: clockAndMap }
  ]
}

/** What a call may leave to the collector for one piece of new evidence, in bytes. */
const evidenceBytes = 200

/** The sizes of new bytes, with the goals of each. */
export const byteSizes: ReadonlyArray<
  { readonly size: string; readonly bytes: number; readonly goals: ReadonlyArray<Goal> }
> = [
  { size: "64 B", bytes: 64, goals: [ratio(2.5), leaves(evidenceBytes)] },
  { size: "1 KiB", bytes: 1024, goals: [ratio(1.8)] },
  { size: "16 KiB", bytes: 16_384, goals: [ratio(1.2)] },
  { size: "256 KiB", bytes: 262_144, goals: [ratio(1.2)] },
  { size: "1 MiB", bytes: 1_048_576, goals: [ratio(1.08)] }
]

/** The sizes of new text. */
export const textSizes: ReadonlyArray<
  { readonly size: string; readonly bytes: number; readonly goals: ReadonlyArray<Goal> }
> = [
  { size: "16 KiB", bytes: 16_384, goals: [ratio(1.3)] },
  { size: "1 MiB", bytes: 1_048_576, goals: [ratio(1.15)] }
]

const bytes: Section = {
  name: "bytes",
  title: "New evidence: bytes and text",
  lines: byteSizes.flatMap(({ goals, size }): ReadonlyArray<Line> => {
    const floor = `SHA-256 + copy, ${size}`
    const texts = textSizes.filter((text) => text.size === size)
    return [
      { name: floor },
      { name: `new bytes, ${size}`, floor, goals },
      ...texts.map((text) => ({ name: `new text, ${size}`, floor, goals: text.goals }))
    ]
  })
}

/** The sizes of new objects, in about that many bytes of JSON, with the goal of each. */
export const objectSizes = [
  { size: "0.3 KiB", bytes: 300, most: 2.2 },
  { size: "1 KiB", bytes: 1024, most: 2 },
  { size: "16 KiB", bytes: 16_384, most: 2 },
  { size: "256 KiB", bytes: 262_144, most: 2 }
] as const

/** What the largest object allocates beyond the smallest, by what it is larger. */
export const allocatedPerByte = "new object: allocated for each further byte"

const objects: Section = {
  name: "objects",
  title: "New evidence: objects as RFC 8785",
  lines: [
    ...objectSizes.flatMap(({ most, size }): ReadonlyArray<Line> => {
      const floor = `SHA-256 + copy + JSON.stringify, ${size}`
      return [{ name: floor }, { name: `new object, ${size}`, floor, goals: [ratio(most)] }]
    }),
    {
      name: allocatedPerByte,
      unit: "B",
      goals: [atMost(0.01)],
      note: "of the largest beyond the smallest; a hundredth is what the count cannot tell from nothing"
    }
  ]
}

/** What a duplicate object leaves beyond what V8 leaves where it lists the keys. */
export const beyondKeys = "duplicate object, 1 KiB: beyond V8's own keys"

const duplicates: Section = {
  name: "duplicates",
  title: "Duplicates: evidence that is held already",
  lines: [
    { name: "SHA-256 + copy, 64 B" },
    { name: "duplicate bytes, 64 B", floor: "SHA-256 + copy, 64 B", goals: leavesNothing },
    { name: "SHA-256 + copy, 16 KiB" },
    { name: "duplicate bytes, 16 KiB", floor: "SHA-256 + copy, 16 KiB", goals: [ratio(0.2), ...leavesNothing] },
    {
      name: "duplicate bytes, 16 KiB, alike but for 4 bytes",
      floor: "SHA-256 + copy, 16 KiB",
      note: "64 that differ in 4 bytes of 16,384: a few samples do not tell them apart"
    },
    { name: "SHA-256 + copy, 1 MiB" },
    { name: "duplicate bytes, 1 MiB", floor: "SHA-256 + copy, 1 MiB", goals: [ratio(0.2), ...leavesNothing] },
    { name: "SHA-256 + copy + JSON.stringify, 1 KiB" },
    {
      name: "duplicate object, 1 KiB",
      floor: "SHA-256 + copy + JSON.stringify, 1 KiB",
      goals: [ratio(2), ...leavesNothing]
    },
    { name: "Object.keys of each object in it" },
    { name: beyondKeys, unit: "B", goals: [atMost(0)] }
  ]
}

/** How many are held while evictions are timed. `--quick` leaves the last one out. */
export const heldCounts = [
  { held: "10k", count: 10_000 },
  { held: "100k", count: 100_000 },
  { held: "1M", count: 1_000_000 }
] as const

const eviction: Section = {
  name: "eviction",
  title: "Evicting: what a full quarantine adds to new evidence of 64 B",
  lines: [
    ...heldCounts.flatMap(({ held }): ReadonlyArray<Line> => [
      { name: `new with room, ${held} held` },
      { name: `new while full, ${held} held`, floor: `new with room, ${held} held` },
      { name: `evicting beyond new, ${held} held`, unit: "ns", goals: [atMost(1500), leaves(evidenceBytes)] }
    ]),
    { name: "new while full: most held to fewest", unit: "x", goals: [atMost(1.5)] }
  ]
}

/** What an attacker may send, beside the largest of its kind that is accepted. */
export const hostileKinds = [
  "long array",
  "sparse array",
  "nesting",
  "keys",
  "a million keys",
  "string of ASCII",
  "string of wide characters",
  "DAG",
  "many small objects",
  "large Map"
] as const

const hostile: Section = {
  name: "hostile",
  title: "Hostile payloads: over the limit, beside one exactly at it",
  lines: hostileKinds.flatMap((kind): ReadonlyArray<Line> => [
    { name: `at the limit: ${kind}` },
    { name: `over it: ${kind}`, floor: `at the limit: ${kind}`, goals: [ratio(1.2)] }
  ])
}

const mix: Section = {
  name: "mix",
  title: "Sustained mix: 80 % clean, 8 % duplicate, 8 % new and evicting, 4 % other, objects of 1 KiB",
  lines: [
    { name: "calls a second", unit: "/s", goals: [atLeast(500_000)], further: [atLeast(700_000)] },
    { name: "p50 of a call", unit: "ns" },
    { name: "p99 of a call", unit: "ns", goals: [atMost(15_000)], further: [atMost(10_000)] },
    { name: "p99.9 of a call", unit: "ns" },
    { name: "reading the timer", unit: "ns", note: "is part of each of these quantiles" },
    { name: "collections", unit: "in a million calls" },
    { name: "longest pause of a collection", unit: "ms" },
    { name: "p99 of the pauses", unit: "ms" },
    { name: "pauses in all, a call", unit: "ns" }
  ]
}

const memory: Section = {
  name: "memory",
  title: "Memory, after a forced collection",
  lines: [
    { name: "rate table, a source at 1M", group: "sources", unit: "B", goals: [atMost(100)] },
    { name: "rate table, resident, a source at 1M", group: "sources", unit: "B" },
    { name: "quarantine overhead, an item at 100k", group: "items", unit: "B", goals: [atMost(200)] },
    { name: "quarantine overhead, resident, an item at 100k", group: "items", unit: "B" },
    { name: "heap growth over 10M mixed calls", group: "calls", unit: "MiB", goals: [atMost(1)] },
    { name: "resident growth over 10M mixed calls", group: "calls", unit: "MiB" }
  ]
}

const chain: Section = {
  name: "chain",
  title: "The audit chain",
  lines: [
    { name: "one SHA-256 of a record" },
    { name: "append", floor: "one SHA-256 of a record", goals: [ratio(2)] },
    { name: "hashing records alone", unit: "records/s", note: "as many bytes as a record has, one SHA-256 each" },
    {
      name: "verify",
      floor: "hashing records alone",
      unit: "records/s",
      // As many records as four fifths of what hashing alone allows.
      goals: [ratio(1.25), atLeast(1_000_000)]
    }
  ]
}

/** How many entries may wait for the disk at a time. */
export const outstandingEntries = [1, 16, 256, 4_096] as const

const ledger: Section = {
  name: "ledger",
  title: "The ledger on disk",
  lines: outstandingEntries.flatMap((count): ReadonlyArray<Line> => {
    const alone = `node:sqlite alone, ${count}`
    const isMost = count === 4_096
    return [
      { name: alone, unit: "entries/s", note: `${count} a commit, no hashes, no thread` },
      {
        name: `acknowledged, ${count}`,
        floor: alone,
        unit: "entries/s",
        ...(isMost ? { goals: [atLeast(100_000)] } : {}),
        note: "with hashes, tree, checkpoints and a thread"
      },
      ...(isMost ? [{ name: `a push, ${count}`, unit: "ns", goals: [atMost(1_000)] }] : [])
    ]
  })
}

const parts: Section = {
  name: "parts",
  title: "Parts",
  lines: [
    { name: "source key, IPv4" },
    { name: "source key, IPv6" },
    { name: "source key, a name" },
    { name: "crypto.randomUUID" },
    { name: "secure id as text", floor: "crypto.randomUUID" },
    { name: "secure id as bytes", floor: "crypto.randomUUID" },
    { name: "SHA-256 of 1 KiB" },
    { name: "sealing an envelope, 1 KiB", floor: "SHA-256 of 1 KiB" },
    { name: "compressing 256 B: the call", unit: "ns", note: "what the caller of cold storage waits for" },
    {
      name: "compressing 256 B: main thread in all",
      unit: "ns",
      note: "processor time of the main thread until it is compressed"
    }
  ]
}

const start: Section = {
  name: "start",
  title: "Start, in a fresh process",
  lines: [
    { name: "import of effect/Schema", unit: "ms" },
    {
      name: "import to first intercept",
      floor: "import of effect/Schema",
      unit: "ms",
      goals: [ratio(1.3), atMost(150)]
    },
    { name: "import alone", unit: "ms" },
    { name: "createTracehound and first intercept", unit: "ms" },
    { name: "node -e 0", unit: "ms", note: "a process from start to end" },
    {
      name: "command line: first output of --help",
      floor: "node -e 0",
      unit: "ms",
      goals: [ratio(2.5)],
      note: "is ready where it was built"
    },
    {
      name: "command line: first output of config check",
      floor: "node -e 0",
      unit: "ms",
      goals: [ratio(2.5)]
    }
  ]
}

/** How many are held, or known, while growth is timed. `--quick` leaves the last one out. */
export const growthCounts = [{ held: "1k", count: 1000 }, ...heldCounts] as const

/** What is timed at each of them. */
const growthKinds = ["duplicate", "new, evicting one", "known source", "new source, dropping one"] as const

/** What a million that are held may cost, beside a thousand. */
const growthGoals: Readonly<Record<string, ReadonlyArray<Goal>>> = { "duplicate, 1M": [ratio(3)] }

const growth: Section = {
  name: "growth",
  title: "Growth: the time of a call by how much is held or known",
  lines: growthKinds.flatMap((kind) =>
    growthCounts.map(({ held }): Line => {
      const name = `${kind}, ${held}`
      return { name, ...(held === "1k" ? {} : { floor: `${kind}, 1k`, goals: growthGoals[name] ?? [] }) }
    })
  )
}

const peers: Section = {
  name: "peers",
  title: "Side by side with what one would reach for",
  lines: [
    { name: "rate check, a known source" },
    { name: "rate-limiter-flexible RateLimiterMemory.consume", floor: "rate check, a known source", note: "a promise" },
    { name: "express-rate-limit MemoryStore.increment", floor: "rate check, a known source", note: "a promise" },
    { name: "canonical bytes, 1 KiB object" },
    { name: "canonicalize, 1 KiB object", floor: "canonical bytes, 1 KiB object", note: "gives a string, runs toJSON" },
    {
      name: "fast-json-stable-stringify, 1 KiB object",
      floor: "canonical bytes, 1 KiB object",
      note: "gives a string, runs toJSON"
    },
    { name: "new evidence of 1 KiB, 10k held" },
    {
      name: "lru-cache by hex SHA-256, 10k held",
      floor: "new evidence of 1 KiB, 10k held",
      note: "no severity, no chain, no record, nothing wiped"
    },
    {
      name: "Map by hex SHA-256, 10k held",
      floor: "new evidence of 1 KiB, 10k held",
      note: "no severity, no chain, no record, nothing wiped"
    }
  ]
}

/**
 * How many actors are told and asked in turn, of those that are all alive. `--quick` leaves the
 * last one out.
 */
export const actorCrowds = [
  { actors: "1 actor", count: 1, siblings: "alone" },
  { actors: "1k actors in turn", count: 1000, siblings: "among 1k" },
  { actors: "100k actors in turn", count: 100_000, siblings: "among 100k" }
] as const

const microseconds = (most: number): Goal => ({ of: "median", most: most * 1000 })
const telling = { group: "telling", floor: "a plain call" } as const
const asking = { group: "asking", floor: "ask" } as const
const [, ...largerCrowds] = actorCrowds
/** What asking many in turn may cost, beside asking one. */
const crowdGoals: Readonly<Record<string, ReadonlyArray<Goal>>> = { "ask, 1k actors in turn": [ratio(2)] }
const xstateLacks = "handled on the sender's turn; no ask, no bound, no supervisor, no restart"
const clusterDiffers =
  "could be remote, its messages checked; no tell without an Effect, no lanes, no limit to restarts"
const sameBurst = "the asker of one actor goes on within the burst that answers it; each of a crowd has to start one"
const howMany = "100k of them; 10k in a quick run"

const actors: Section = {
  name: "actors",
  title: "Actors",
  lines: [
    { name: "a plain call", group: "telling", note: "of a method that stores its argument in a bounded array" },
    { name: "tellUnsafe, fifo", ...telling, goals: [ratio(10)] },
    {
      name: "tellUnsafe, lanes",
      ...telling,
      goals: [ratio(10)],
      note: "to the ordinary lane, not named; naming one costs half as much again"
    },
    { name: "tellUnsafe, refused: full", ...telling, note: "with its dead letter" },
    { name: "tellUnsafe, dropped by a dropping mailbox", ...telling, note: "with its dead letter" },
    { name: "a promise by setImmediate", group: "asking" },
    {
      name: "ask",
      group: "asking",
      floor: "a promise by setImmediate",
      goals: [microseconds(12)],
      note: sameBurst
    },
    { name: "ask, timeout of 5 s", ...asking, goals: [microseconds(12)] },
    { name: "ask, 100 in flight", ...asking, unit: "/s" },
    { name: "xstate: send and waitFor", ...asking, note: xstateLacks },
    { name: "Effect cluster: ask of a local entity", ...asking, note: clusterDiffers },
    { name: "told and handled, 100k at a time", group: "asking", unit: "/s" },
    {
      name: "xstate: send",
      group: "asking",
      floor: "told and handled, 100k at a time",
      unit: "/s",
      note: xstateLacks
    },
    ...["told and handled", "ask"].flatMap((what): ReadonlyArray<Line> => [
      {
        name: `${what}, 1 actor`,
        group: "crowds",
        unit: "/s",
        ...(what === "ask" ? {} : { note: "100k messages at a time, in all; 10k in a quick run" })
      },
      ...largerCrowds.map(({ actors }) => ({
        name: `${what}, ${actors}`,
        group: "crowds",
        floor: `${what}, 1 actor`,
        unit: "/s",
        goals: crowdGoals[`${what}, ${actors}`] ?? []
      }))
    ]),
    { name: "a crash until the next answer, alone", group: "crowds", floor: "ask, 1 actor" },
    ...largerCrowds.map(({ siblings }) => ({
      name: `a crash until the next answer, ${siblings}`,
      group: "crowds",
      floor: "a crash until the next answer, alone"
    })),
    { name: "spawning an actor", group: "actors", unit: "ns" },
    { name: "closing an idle actor", group: "actors", unit: "ns" },
    { name: "an idle actor, never told", group: "actors", unit: "B", goals: [atMost(2048)], note: howMany },
    { name: "an idle actor, told once", group: "actors", unit: "B", goals: [atMost(2048)], note: howMany },
    { name: "xstate: an idle actor", group: "xstate", unit: "B", note: `${howMany}; ${xstateLacks}` },
    { name: "Effect cluster: an idle entity, asked once", group: "cluster", unit: "B", note: "1k of them" }
  ]
}

const hounds: Section = { name: "hounds", title: "Hounds", lines: houndLines }

const host: Section = {
  name: "host",
  title: "An Express host, with Tracehound and without, a minute at 1,000 requests a second",
  lines: hostLines
}

/** All of them, in the order in which they are measured and shown. */
export const catalogue: ReadonlyArray<Section> = [
  gate,
  bytes,
  objects,
  duplicates,
  eviction,
  hostile,
  mix,
  memory,
  chain,
  ledger,
  parts,
  start,
  growth,
  peers,
  actors,
  hounds,
  host
]

/**
 * The lines whose `section: name` fits, and the floors they need. Sections without any are left
 * out.
 */
export const chosen = (only: RegExp | null, from: ReadonlyArray<Section> = catalogue): ReadonlyArray<Section> =>
  from.flatMap((section) => {
    const wanted = section.lines.filter(({ name }) => only === null || only.test(`${section.name}: ${name}`))
    if (wanted.length === 0) return []
    const needed = new Set(wanted.flatMap(({ floor, name }) => floor === undefined ? [name] : [name, floor]))
    return [{ ...section, lines: section.lines.filter(({ name }) => needed.has(name)) }]
  })
