/**
 * The rules of the repository for its packages and its texts, as pure functions over manifest,
 * lockfile and text.
 */

/** The parts of package.json that name other packages. */
export interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** One package of a lockfile of version 3, under the path it is installed at. */
export interface Locked extends Manifest {
  readonly version?: string
  readonly resolved?: string
  readonly integrity?: string
  readonly license?: string
  readonly dev?: boolean
  readonly optional?: boolean
  readonly os?: ReadonlyArray<string>
  readonly hasInstallScript?: boolean
}

export type Lock = Readonly<Record<string, Locked>>

const exact = /^\d+\.\d+\.\d+(?:-[\w.]+)?$/

/** Dependencies whose version is a range. */
export const unpinned = (manifest: Manifest): ReadonlyArray<string> =>
  [manifest.dependencies, manifest.devDependencies, manifest.optionalDependencies]
    .flatMap((named) => Object.entries(named ?? {}))
    .filter(([, version]) => !exact.test(version))
    .map(([name, version]) => `${name}@${version}`)

/**
 * Locked packages that name a host, or whose bytes nothing vouches for.
 *
 * One exception: the build of a development tool for another platform than Linux on x64 may lack
 * integrity, as its entry is written by hand where the registry at hand does not serve it. Nobody
 * who installs the library ever installs one.
 */
export const unverified = (lock: Lock): ReadonlyArray<string> =>
  Object.entries(lock).flatMap(([path, { dev, integrity, optional, os, resolved }]) => {
    if (path === "") return []
    if (resolved !== undefined) return [`${path} names where it came from`]
    if (integrity?.startsWith("sha512-") === true) return []
    const foreign = os !== undefined && !/linux-x64(?:-gnu|-glibc)?$/.test(path)
    return integrity === undefined && dev === true && optional === true && foreign ? [] : [`${path} has no integrity`]
  })

/**
 * The paths of all packages that installing the library for use would bring, given the names it
 * starts from.
 */
export const production = (lock: Lock, names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const found = new Set<string>()
  const follow = (from: string, name: string): void => {
    const path = locate(lock, from, name)
    if (path === undefined || found.has(path)) return
    found.add(path)
    const { dependencies, optionalDependencies, peerDependencies } = lock[path] ?? {}
    for (const next of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }))
      follow(path, next)
  }
  for (const name of names) follow("", name)
  return [...found].toSorted()
}

/**
 * Node's own search: in the package's folder, then in each one that holds it. An absent (optional)
 * one is undefined.
 */
const locate = (lock: Lock, from: string, name: string): string | undefined => {
  for (let folder = from;;) {
    const path = folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`
    if (path in lock) return path
    if (folder === "") return undefined
    const outer = folder.lastIndexOf("/node_modules/")
    folder = outer < 0 ? "" : folder.slice(0, outer)
  }
}

const permissive: ReadonlySet<string> = new Set([
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CC0-1.0",
  "ISC",
  "MIT",
  "Unlicense"
])

/**
 * Whether an SPDX expression lets everybody use the code: one of several offered, or all of several
 * joined.
 */
export const isPermissive = (expression: string | undefined): boolean => {
  const bare = (expression ?? "").replaceAll(/[()]/g, "")
  const known = (name: string): boolean => permissive.has(name.trim())
  return bare.includes(" AND ") ? bare.split(/ AND | OR /).every(known) : bare.split(" OR ").some(known)
}

const traces: ReadonlyArray<readonly [string, RegExp]> = [
  ["a registry's host", /\bregistry\.(?:npmjs|yarnpkg|npmmirror)\b|\bnpm\.pkg\.github\b|\bdeb\.debian\b/],
  [
    "a home folder",
    /(?:\/home\/[\w.-]+|\/Users\/[\w.-]+|\/root)\/(?:\.npm|\.cache|\.nvm|\.config|[\w.-]*node_modules)\b/
  ],
  ["a path of one machine", /(?<![\w.~-])\/work\/[\w.]/],
  ["a file address", /\bfile:\/\/\/(?:home|Users|root|work)\//]
]

/**
 * What in a text tells on the machine it was written on; `checkout` is the absolute path of this
 * working copy.
 */
export const machineTraces = (path: string, text: string, checkout: string): ReadonlyArray<string> => [
  ...text.includes(checkout) ? [`${path}: the path of this checkout`] : [],
  ...traces.flatMap(([what, pattern]) => {
    const match = pattern.exec(text)
    return match === null ? [] : [`${path}: ${what}: ${match[0]}`]
  })
]

/**
 * Test files whose name and tiers disagree: a slow one that shares nothing out would run twice in
 * CI, and a fast one that shares tests out would lose the rest of them.
 */
export const mistiered = (path: string, text: string): ReadonlyArray<string> => {
  const sharesOut = /\b(?:sampleOf|restOf|shareOf|lengthy)\b|\bsampled\(/.test(text) || /\bhunt\(/.test(text)
  const isWholeHunt = /\bisFast: true\b/.test(text)
  if (path.endsWith(".slow.test.ts")) return sharesOut || /\bamount\(/.test(text) ? [] : [`${path} shares nothing out`]
  return path.endsWith(".test.ts") && sharesOut && !isWholeHunt ? [`${path} shares out and is not named slow`] : []
}

const marks: ReadonlyArray<RegExp> = [
  /\b(?:TOD[O]|FIXM[E])\b/,
  /@ts-(?:ignore|expect-error|nocheck)\b/,
  /\b(?:eslint|oxlint)-(?:disable|enable)\b/,
  /@effect-(?:diagnostics|expect-leaking)\b/,
  /\b(?:it|test|describe)(?:\.\w+)*\.(?:skip|only|todo|fails)\b/
]

/** Marks of work put off and of checks switched off, each with its line. */
export const putOff = (path: string, text: string): ReadonlyArray<string> =>
  text.split("\n").flatMap((line, index) =>
    marks.some((mark) => mark.test(line)) ? [`${path}:${index + 1}: ${line.trim()}`] : []
  )
