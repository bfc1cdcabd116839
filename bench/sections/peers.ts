/**
 * Side by side with what one would reach for without Tracehound. None of them does the same; the
 * notes in the catalogue say what they leave out.
 */
import canonicalize from "canonicalize"
import { hash } from "node:crypto"
import { holding } from "../held.ts"
import { type Measure, measureLines } from "../measure.ts"
import { changingBytes, requestObject, sources, threatScent } from "../payloads.ts"
import { loadPeer } from "../peers.ts"
import { roomyTracehound } from "../tracehounds.ts"

const many = sources(8192)
const source = (i: number): string => many[i & 8191] ?? ""
const held = 10_000

export const measure: Measure = (context) =>
  measureLines(context, {
    "rate check, a known source": () => {
      const { rateLimiter } = roomyTracehound()
      return { run: (i) => rateLimiter.check(source(i)) }
    },
    "rate-limiter-flexible RateLimiterMemory.consume": async () => {
      const { RateLimiterMemory } = await loadPeer("rate-limiter-flexible")
      const limiter = new RateLimiterMemory({ points: 1_000_000_000, duration: 3600 })
      return { run: (i) => limiter.consume(source(i)) }
    },
    "express-rate-limit MemoryStore.increment": async () => {
      const { MemoryStore } = await loadPeer("express-rate-limit")
      const store = new MemoryStore()
      store.init({ windowMs: 3_600_000 })
      return { run: (i) => store.increment(source(i)) }
    },
    "canonical bytes, 1 KiB object": async () => {
      const { makeCanonicalWriter } = await import("../../src/intake/gate/Canonical.ts")
      const { services } = await import("../services.ts")
      const { introspection } = await services()
      const writer = makeCanonicalWriter({ maxPayloadSize: 1_000_000, maxDepth: 256, maxKeys: 4096 }, introspection)
      const object = requestObject(1024)
      return {
        run: (i) => {
          object.id = i
          return writer.write(object)
        }
      }
    },
    "canonicalize, 1 KiB object": () => {
      const object = requestObject(1024)
      return {
        run: (i) => {
          object.id = i
          return canonicalize(object)
        }
      }
    },
    "fast-json-stable-stringify, 1 KiB object": async () => {
      const { default: stableStringify } = await loadPeer("fast-json-stable-stringify")
      const object = requestObject(1024)
      return {
        run: (i) => {
          object.id = i
          return stableStringify(object)
        }
      }
    },
    "new evidence of 1 KiB, 10k held": () => {
      const { tracehound: { intercept } } = holding(held, held)
      const bytes = changingBytes(1024)
      const scent = threatScent(bytes(0))
      return {
        run: (i) => {
          bytes(i)
          return intercept(scent)
        }
      }
    },
    "lru-cache by hex SHA-256, 10k held": async () => {
      const { LRUCache } = await loadPeer("lru-cache")
      const cache = new LRUCache<string, Uint8Array>({
        max: held,
        maxSize: 1_000_000_000,
        sizeCalculation: (bytes) => bytes.length
      })
      const bytes = changingBytes(1024)
      const keep = (i: number): boolean => {
        const key = hash("sha256", bytes(i), "hex")
        if (cache.get(key) !== undefined) return false
        cache.set(key, bytes(i).slice())
        return true
      }
      for (let i = -held; i < 0; i++) keep(i)
      return { run: keep }
    },
    "Map by hex SHA-256, 10k held": () => {
      const map = new Map<string, Uint8Array>()
      const bytes = changingBytes(1024)
      const keep = (i: number): boolean => {
        const key = hash("sha256", bytes(i), "hex")
        if (map.has(key)) return false
        if (map.size === held) {
          for (const oldest of map.keys()) {
            map.delete(oldest)
            break
          }
        }
        map.set(key, bytes(i).slice())
        return true
      }
      for (let i = -held; i < 0; i++) keep(i)
      return { run: keep }
    }
  })
