/**
 * A simple rate table to compare with: an array of sources, searched from end to end, at any cost.
 */
import type { RateTableOptions } from "../../../src/intake/gate/RateTable.ts"

interface Source {
  readonly key: string
  windowStart: number
  count: number
  /** When the block began, and when it ends; absent when there is none. */
  block: { readonly began: number; readonly ends: number } | undefined
}

/** `reset` is true where the source's next request could have been answered differently. */
export const naiveRateTable = (options: RateTableOptions) => {
  /** Least recently seen first. */
  let sources: Array<Source> = []
  let time = 0
  let order = 0

  const isBlocked = (source: Source, at: number): boolean => source.block !== undefined && at < source.block.ends
  const isSpent = (source: Source, at: number): boolean =>
    source.block === undefined ? at >= source.windowStart + options.windowMs : at >= source.block.ends
  const remove = (source: Source | undefined): void => {
    sources = sources.filter((other) => other !== source)
  }
  const victim = (at: number): Source | undefined =>
    sources.find((source) => source.block !== undefined && !isBlocked(source, at))
      ?? sources.find((source) => source.block === undefined)
      ?? sources.toSorted((a, b) => (a.block?.began ?? 0) - (b.block?.began ?? 0))[0]

  return {
    check: (key: string, now: number): number => {
      const at = time = now
      let source = sources.find((other) => other.key === key)
      if (source === undefined || isSpent(source, at)) {
        remove(source ?? (sources.length === options.maxSources ? victim(at) : undefined))
        source = { key, windowStart: at, count: 0, block: undefined }
        sources.push(source)
      }
      if (source.block !== undefined) return source.block.ends - at
      remove(source)
      sources.push(source)
      if (++source.count <= options.maxRequests) return 0
      const ends = options.blockDurationMs > 0 ? at + options.blockDurationMs : source.windowStart + options.windowMs
      source.block = { began: order++, ends }
      return ends - at
    },
    reset: (key: string): boolean => {
      const source = sources.find((other) => other.key === key)
      if (source !== undefined) remove(source)
      return source !== undefined && !isSpent(source, time)
    },
    blocked: (now: number): number => {
      const at = time = now
      return sources.filter((source) => isBlocked(source, at)).length
    }
  }
}
