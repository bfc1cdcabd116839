/**
 * The packages that the bench measures Tracehound beside, or in, each loaded by the lines that need
 * it.
 *
 * They are no packages of the project: `bench/package.json` has them, so that a fresh `npm ci`
 * brings none of them and the checks need none. Hence what the bench uses of each is typed here,
 * and a name that only this module resolves is imported.
 */
import { execFileSync } from "node:child_process"
import { existsSync, readFileSync, statSync } from "node:fs"
import type { Server } from "node:http"
import { join } from "node:path"

/** What the bench uses of each. */
export interface Peers {
  readonly express: {
    readonly default: {
      (): ExpressApplication
      /** The whole body as a Buffer, whatever its type; past the limit the answer is 413. */
      readonly raw: (options: { readonly type: () => boolean; readonly limit: number }) => ExpressHandler
    }
  }
  readonly "express-rate-limit": {
    readonly MemoryStore: new() => {
      readonly init: (options: { readonly windowMs: number }) => void
      readonly increment: (key: string) => Promise<unknown>
    }
  }
  readonly "fast-json-stable-stringify": { readonly default: (value: unknown) => string }
  readonly "lru-cache": {
    readonly LRUCache: new<Key, Value>(options: {
      readonly max: number
      readonly maxSize: number
      readonly sizeCalculation: (value: Value) => number
    }) => {
      readonly get: (key: Key) => Value | undefined
      readonly set: (key: Key, value: Value) => unknown
    }
  }
  readonly piscina: {
    readonly Piscina: new(options: ThreadOptions) => {
      readonly run: (task: unknown) => Promise<unknown>
      readonly destroy: () => Promise<void>
    }
    readonly move: (value: Uint8Array<ArrayBuffer>) => unknown
  }
  readonly "rate-limiter-flexible": {
    readonly RateLimiterMemory: new(options: { readonly points: number; readonly duration: number }) => {
      readonly consume: (key: string) => Promise<unknown>
    }
  }
  readonly tinypool: {
    readonly Tinypool: {
      new(options: ThreadOptions): {
        readonly run: (task: unknown) => Promise<unknown>
        readonly destroy: () => Promise<void>
      }
      readonly move: (value: Uint8Array<ArrayBuffer>) => unknown
    }
  }
  readonly xstate: {
    readonly createActor: <Context, Event>(logic: Logic<Context, Event>) => Machine<Context, Event>
    readonly fromTransition: <Context, Event>(
      transition: (context: Context, event: Event) => Context,
      initial: Context
    ) => Logic<Context, Event>
    readonly waitFor: <Context, Event>(
      machine: Machine<Context, Event>,
      isThere: (snapshot: { readonly context: Context }) => boolean
    ) => Promise<unknown>
  }
}

/** What the bench uses of an Express application. */
export interface ExpressApplication {
  readonly disable: (setting: string) => void
  readonly set: (setting: string, value: unknown) => void
  readonly use: (handler: ExpressHandler) => void
  readonly post: (path: string, handler: ExpressHandler) => void
  readonly listen: (port: number, host: string, listening: () => void) => Server
}

/** The middleware of Express. */
export type ExpressHandler = (request: ExpressRequest, response: ExpressResponse, next: () => void) => void

/** What the bench uses of a request. */
export interface ExpressRequest {
  /** The client's address, by the settings about proxies. */
  readonly ip?: string
  readonly body?: unknown
}

/** What the bench uses of a response. */
export interface ExpressResponse {
  readonly status: (code: number) => ExpressResponse
  readonly set: (header: string, value: string) => ExpressResponse
  readonly json: (value: unknown) => void
  readonly end: () => void
}

interface ThreadOptions {
  readonly filename: string
  readonly minThreads: number
  readonly maxThreads: number
}

interface Logic<Context, Event> {
  readonly transition: (snapshot: never, event: Event) => unknown
  readonly getInitialSnapshot: (...args: ReadonlyArray<never>) => { readonly context: Context }
}

interface Machine<Context, Event> {
  readonly start: () => Machine<Context, Event>
  readonly send: (event: Event) => void
  readonly getSnapshot: () => { readonly context: Context }
}

const here = import.meta.dirname

/** The names of them all. */
export const peerNames: ReadonlyArray<string> = Object.keys(
  (JSON.parse(readFileSync(join(here, "package.json"), "utf8")) as { readonly dependencies: object }).dependencies
)

/** Loads one. Fails with what installs it where it is not there. */
export const loadPeer = async <Name extends keyof Peers>(name: Name): Promise<Peers[Name]> => {
  try {
    return await import(name) as Peers[Name]
  } catch (cause) {
    throw new Error(`${name} is missing: \`npm ci\` in bench/ installs what the bench compares with`, { cause })
  }
}

/** Whether a line is one of a peer's: its name begins with the package's. */
export const isOfPeer = (line: string): boolean => peerNames.some((name) => line.startsWith(name))

/** npm's own record of what it has installed from the lockfile. */
const record = "node_modules/.package-lock.json"

/**
 * Installs the packages of a folder's package.json and lockfile, where that was not done since the
 * lockfile changed: the peers, or what else is no package of the project. Takes a network, or npm's
 * cache. Gives whether it had to.
 */
export const installPackages = (folder: string = here): boolean => {
  const installed = join(folder, record)
  const lock = join(folder, "package-lock.json")
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return false
  // What npm says is no figure: standard output has those alone.
  execFileSync("npm", ["ci", "--prefer-offline"], {
    cwd: folder,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32"
  })
  return true
}
