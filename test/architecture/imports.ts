/**
 * The rules of the house, as pure functions over source texts.
 *
 * `ARCHITECTURE.md` draws the tree as groups of rooms on floors; these functions say where a set of
 * sources breaks that drawing. They take `{ path, text }` pairs and give findings as lines of text,
 * so that a test can feed them the real tree and, just as well, three invented lines that must be
 * refused.
 *
 * **Gotchas**
 *
 * - Type-only imports count: a type from above is knowledge from above, even though it is erased.
 * - A file in a nested folder (`intake/gate/canonical/Text.ts`) belongs to the room that its second
 *   folder names.
 * - An import of a computed name cannot be followed; the core may not have one, elsewhere it is not
 *   seen.
 */
import { builtinModules } from "node:module"
import { posix } from "node:path"
import { child, lineAt, type Node, nodes, parse } from "./syntax.ts"

/** One file; `path` is relative to `src/`, with forward slashes. */
export interface Source {
  readonly path: string
  readonly text: string
}

/** One import or re-export, static or dynamic; `specifier` is undefined where it is computed. */
export interface Import {
  readonly path: string
  readonly line: number
  readonly specifier: string | undefined
}

/** A group of rooms: a folder of `src/`, or a file beside them, which is a group of its own. */
export interface Group {
  /** Imports go to groups of lower floors only. */
  readonly floor: number
  /**
   * The floors within the group, where it has rooms. A file beside the rooms is the room `index`.
   */
  readonly rooms?: Readonly<Record<string, number>>
  /**
   * Groups and `group/room`s that this group may import; every lower floor where this is left out.
   */
  readonly imports?: ReadonlyArray<string>
}

/** The house. A folder that is not here has no place in it. */
export const house: Readonly<Record<string, Group>> = {
  telemetry: { floor: 0 },
  actor: { floor: 1 },
  domain: { floor: 1, imports: [] },
  memory: { floor: 1, imports: [] },
  config: { floor: 2 },
  host: { floor: 3, rooms: { port: 1, node: 2 } },
  safety: { floor: 4, rooms: { alert: 1, devops: 2, failsafe: 2 } },
  scheduler: { floor: 4 },
  custody: {
    floor: 5,
    rooms: { evidence: 1, audit: 2, encryption: 3, ledger: 4, store: 5, coldstorage: 6, quarantine: 7 }
  },
  hound: {
    floor: 6,
    rooms: { index: 1, channel: 1, analyzers: 2, process: 2, sandbox: 3, pool: 4 },
    imports: ["telemetry", "actor", "domain", "memory", "config", "host", "safety", "custody/evidence"]
  },
  intake: {
    floor: 7,
    rooms: { signal: 1, gate: 1, agent: 2 },
    imports: ["telemetry", "actor", "domain", "memory", "config", "host", "safety", "custody/quarantine", "hound/pool"]
  },
  runtime: { floor: 8 },
  "index.ts": { floor: 9 },
  testing: { floor: 9 },
  edge: {
    floor: 10,
    rooms: { probes: 1, cli: 2, otel: 2 },
    imports: ["telemetry", "domain", "config", "host", "custody", "hound", "intake/signal", "runtime", "index.ts"]
  },
  extensions: { floor: 10, imports: ["actor", "domain", "host/port", "index.ts"] }
}

/** Rooms, and single files, that must run wherever JavaScript runs (CONFORMANCE R5). */
export const core: ReadonlyArray<string> = [
  "telemetry/",
  "actor/",
  "domain/",
  "memory/",
  "config/Settings.ts",
  "config/TracehoundConfig.ts",
  "host/port/",
  "safety/alert/",
  "safety/failsafe/",
  "scheduler/",
  "custody/audit/",
  "custody/evidence/",
  "custody/ledger/",
  "custody/quarantine/",
  "intake/",
  "runtime/Watcher.ts"
]

const isCore = (path: string): boolean => core.some((place) => path.startsWith(place))

/**
 * What the core may import beside Effect's modules: of packages that are portable and have no
 * dependency of their own.
 */
const portable: ReadonlySet<string> = new Set([
  "@noble/ed25519",
  "@noble/hashes/sha2.js",
  "@noble/hashes/utils.js",
  "fflate"
])

const nodeGlobals: ReadonlySet<string> = new Set([
  "Buffer",
  "process",
  "global",
  "require",
  "__dirname",
  "__filename",
  "setImmediate",
  "clearImmediate",
  "NodeJS"
])

const builtins: ReadonlySet<string> = new Set(builtinModules)

/**
 * `effect`, `effect/http` and `@effect/platform-node` name whole folders; `effect/http/HttpServer`
 * names a module.
 */
const barrel = /^(effect(\/[a-z-]+)?|@effect\/platform-node)$/

/** The group and the room of a file; the room is empty where the group has none. */
const placeOf = (path: string): readonly [group: string, room: string] => {
  const [group = "", room = "", deeper] = path.split("/")
  if (group === "extensions") return [group, room]
  if (house[group]?.rooms === undefined) return [group, ""]
  return [group, deeper === undefined ? "index" : room]
}

/** Every import of a file, in the order of the text; parses it, so a syntax error throws. */
export const importsOf = (source: Source): ReadonlyArray<Import> => {
  const found: Array<Import> = []
  for (const node of nodes(parse(source.path, source.text))) {
    const target = importTarget(node)
    if (target === undefined) continue
    found.push({
      path: source.path,
      line: lineAt(source.text, node.start),
      specifier: stringIn(target, "value")
    })
  }
  return found
}

/**
 * Files without a place in the house, imports that climb, reach a neighbour or are not the group's
 * to make, and paths that leave `src/` or lead nowhere.
 */
export const misplaced = (sources: ReadonlyArray<Source>): ReadonlyArray<string> => {
  const paths = new Set(sources.map(({ path }) => path))
  const findings: Array<string> = []
  for (const source of sources) {
    const missing = missingPlace(source.path)
    if (missing !== undefined) {
      findings.push(`${source.path}: no floor is drawn for ${missing}`)
      continue
    }
    for (const { line, specifier } of importsOf(source)) {
      if (specifier === undefined || !specifier.startsWith(".")) continue
      const target = posix.join(posix.dirname(source.path), specifier)
      const finding = target.startsWith("..")
        ? `${specifier} leaves src/`
        : !paths.has(target)
        ? `${specifier} is no file of src/`
        : forbidden(source.path, target)
      if (finding !== undefined) findings.push(`${source.path}:${line}: ${finding}`)
    }
  }
  return findings
}

/** The folder of a path that the house does not have. */
const missingPlace = (path: string): string | undefined => {
  const [group, room] = placeOf(path)
  const drawn = house[group]
  if (drawn === undefined) return group
  return drawn.rooms !== undefined && !(room in drawn.rooms) ? `${group}/${room}` : undefined
}

/** Why one file may not import another; undefined where it may. */
const forbidden = (from: string, to: string): string | undefined => {
  const [group, room] = placeOf(from)
  const [toGroup, toRoom] = placeOf(to)
  if (group === toGroup) return room === toRoom ? undefined : forbiddenWithin(group, room, toRoom)
  const floor = house[group]?.floor ?? 0
  const toFloor = house[toGroup]?.floor ?? 0
  if (toGroup === "extensions") {
    return group === "edge" && room === "cli"
      ? undefined
      : `${group} imports the extension ${toRoom}`
  }
  if (toGroup === "edge") return `${group} imports the edge`
  if (toGroup === "testing") return "testing/ is for tests alone"
  if (toFloor === floor) return `${group} (floor ${floor}) imports its neighbour ${toGroup}`
  if (toFloor > floor) return `${group} (floor ${floor}) imports ${toGroup} (floor ${toFloor}) above it`
  const allowed = house[group]?.imports
  return allowed === undefined || allowed.includes(toGroup) || allowed.includes(`${toGroup}/${toRoom}`)
    ? undefined
    : `${group} may not import ${toRoom === "" ? toGroup : `${toGroup}/${toRoom}`}`
}

/** The same within one group. */
const forbiddenWithin = (group: string, room: string, toRoom: string): string | undefined => {
  if (group === "extensions") return `the extension ${room} imports the extension ${toRoom}`
  const floor = house[group]?.rooms?.[room] ?? 0
  const toFloor = house[group]?.rooms?.[toRoom] ?? 0
  if (toFloor === floor) return `${group}/${room} imports its neighbour ${group}/${toRoom}`
  return toFloor > floor ? `${group}/${room} imports ${group}/${toRoom} above it` : undefined
}

/** What ties the core to Node or to anything beside Effect's modules and the portable packages. */
export const hostBound = (sources: ReadonlyArray<Source>): ReadonlyArray<string> => {
  const findings: Array<string> = []
  for (const source of sources) {
    if (!isCore(source.path)) continue
    for (const { line, specifier } of importsOf(source)) {
      const at = `${source.path}:${line}`
      if (specifier === undefined) findings.push(`${at}: the core imports a computed name`)
      else if (specifier.startsWith(".") || specifier.startsWith("effect/") || portable.has(specifier)) continue
      else if (specifier.startsWith("node:") || builtins.has(specifier)) findings.push(`${at}: ${specifier} is Node's`)
      else findings.push(`${at}: the core may not import ${specifier}`)
    }
    for (const [name, node] of freeNames(source))
      if (nodeGlobals.has(name)) findings.push(`${source.path}:${lineAt(source.text, node.start)}: ${name} is Node's`)
    for (const match of source.text.matchAll(/^\s*\/\/\/\s*<reference.*$/gm))
      findings.push(`${source.path}:${lineAt(source.text, match.index)}: a reference directive brings in ambient types`)
  }
  return findings
}

/** Imports of whole folders: Effect's barrel costs 0.5 s at start, platform-node's 1.6 s. */
export const barrels = (sources: ReadonlyArray<Source>): ReadonlyArray<string> =>
  sources.flatMap(importsOf).flatMap(({ line, path, specifier }) =>
    specifier !== undefined && barrel.test(specifier) ? [`${path}:${line}: ${specifier} is a barrel`] : []
  )

/**
 * Effect modules in the core that do not promise stability; `stabilityOf` is asked for
 * `effect/<module>`.
 */
export const unstable = (
  sources: ReadonlyArray<Source>,
  stabilityOf: (specifier: string) => string | undefined
): ReadonlyArray<string> => {
  const findings: Array<string> = []
  for (const source of sources) {
    if (!isCore(source.path)) continue
    for (const { line, specifier } of importsOf(source)) {
      if (specifier === undefined || !specifier.startsWith("effect/")) continue
      const stability = stabilityOf(specifier)
      if (stability !== "stable")
        findings.push(`${source.path}:${line}: ${specifier} is ${stability ?? "of no stated stability"}`)
    }
  }
  return findings
}

/** The `@stability` of a module: of its first doc comment, which must open the file. */
export const headerStability = (text: string): string | undefined =>
  /^(?:\s*\/\/\/[^\n]*\n)*\s*\/\*\*(?<doc>[\s\S]*?)\*\//.exec(text)?.groups?.["doc"]?.match(/@stability\s+(\w+)/)?.[1]

/**
 * Rings of files that import one another, from the first file by name; at least one for each
 * tangle.
 */
export const rings = (sources: ReadonlyArray<Source>): ReadonlyArray<string> => {
  const edges = new Map(sources.map((source) => [
    source.path,
    importsOf(source).flatMap(({ specifier }) =>
      specifier?.startsWith(".") === true ? [posix.join(posix.dirname(source.path), specifier)] : []
    )
  ]))
  const done = new Set<string>()
  const trail: Array<string> = []
  const found = new Set<string>()
  const visit = (path: string): void => {
    const start = trail.indexOf(path)
    if (start >= 0) {
      const ring = trail.slice(start)
      const first = ring.indexOf(ring.reduce((a, b) => a < b ? a : b))
      const turned = [...ring.slice(first), ...ring.slice(0, first)]
      found.add([...turned, turned[0]].join(" -> "))
      return
    }
    if (done.has(path)) return
    trail.push(path)
    for (const target of edges.get(path) ?? []) visit(target)
    trail.pop()
    done.add(path)
  }
  for (const path of edges.keys()) visit(path)
  return [...found]
}

/**
 * Places that read the wall clock by building a Date from nothing, which no lint rule can tell from
 * `new Date(ms)`.
 */
export const clockReads = (sources: ReadonlyArray<Source>): ReadonlyArray<string> => {
  const findings: Array<string> = []
  for (const source of sources) {
    if (source.path.startsWith("host/node/") || source.path.startsWith("testing/")) continue
    for (const node of nodes(parse(source.path, source.text))) {
      const callee = child(node, "callee")
      if (callee === undefined || stringIn(callee, "name") !== "Date") continue
      const given = node.field("arguments")
      const reads = node.type === "CallExpression" ||
        (node.type === "NewExpression" && Array.isArray(given) && given.length === 0)
      if (reads) findings.push(`${source.path}:${lineAt(source.text, node.start)}: reads the clock`)
    }
  }
  return findings
}

/** The node naming what is imported; undefined when `node` imports nothing. */
const importTarget = (node: Node): Node | undefined => {
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportAllDeclaration":
    case "ExportNamedDeclaration":
    case "ImportExpression":
    case "TSImportType":
      return child(node, "source")
    case "TSExternalModuleReference":
      return child(node, "expression")
    default:
      return undefined
  }
}

/**
 * Identifiers that stand for a value or type the file itself does not declare, `globalThis.name`
 * included.
 */
const freeNames = (source: Source): ReadonlyArray<readonly [string, Node]> => {
  const declared = new Set<string>()
  const used: Array<readonly [string, Node]> = []
  for (const node of nodes(parse(source.path, source.text))) {
    const name = stringIn(node, "name")
    if (node.type === "Identifier" && name !== undefined) {
      if (node.role === "declares") declared.add(name)
      else if (node.role === "refers") used.push([name, node])
    }
    const object = child(node, "object")
    const property = child(node, "property")
    if (object !== undefined && property !== undefined && stringIn(object, "name") === "globalThis") {
      const member = stringIn(property, "name") ?? stringIn(property, "value")
      if (member !== undefined) used.push([member, node])
    }
  }
  return used.filter(([name, node]) => node.type === "MemberExpression" || !declared.has(name))
}

const stringIn = (node: Node, name: string): string | undefined => {
  const value = node.field(name)
  return typeof value === "string" ? value : undefined
}
