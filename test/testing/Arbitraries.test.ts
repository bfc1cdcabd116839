import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Result, Schema } from "effect"
import { isIPv4, isIPv6 } from "node:net"
import { fitsUtf8 } from "../../src/domain/Text.ts"
import { alertTypes, createTracehound } from "../../src/index.ts"
import { sourceKey } from "../../src/intake/gate/SourceKey.ts"
import * as Arbitraries from "../../src/testing/Arbitraries.ts"
import { all, sample, spelt } from "./arbitraries.ts"

/** The value to which a property shrinks that is false for every value, or unless it `holds`. */
const shrunk = <A>(arbitrary: Arbitrary.Arbitrary<A>, holds: (value: A) => boolean = () => false, seed = 7) =>
  Effect.gen(function*() {
    const result = yield* Arbitrary.checkEffect(arbitrary, holds, { runs: 500, seed, maxShrinks: 5_000 })
    if (result._tag !== "Falsified") return yield* Effect.die(new Error("nothing falsified it"))
    return result.shrunkInput
  })

describe("every arbitrary", () => {
  it.each(all)(
    "%s generates only values that its schema accepts, without excess properties",
    (_, arbitrary, schema) => {
      const decode = Schema.decodeUnknownResult(schema, { onExcessProperty: "error" })
      return Effect.runPromise(Effect.gen(function*() {
        for (const value of yield* sample(arbitrary, 300, 2)) {
          // Do not print the value or the answer without need: a payload may be a tripwire.
          if (Result.isFailure(decode(value))) assert.fail(spelt(value))
        }
      }))
    }
  )

  it.each(all)(
    "RFC S5 %s gives the same values for the same seed, and others for another",
    (_, arbitrary) =>
      Effect.runPromise(Effect.gen(function*() {
        const of = (seed: number) => Effect.map(sample(arbitrary, 60, seed), (values) => values.map(spelt))
        const first = yield* of(3)
        assert.deepStrictEqual(yield* of(3), first)
        assert.notDeepEqual(yield* of(4), first)
      }))
  )

  it.each(all)(
    "%s shrinks to its simplest value",
    (_, arbitrary, _schema, simplest) =>
      Effect.runPromise(Effect.gen(function*() {
        for (const seed of [1, 2, 3, 4, 5])
          assert.deepStrictEqual(yield* shrunk(arbitrary, () => false, seed), simplest)
      }))
  )
})

describe("severities and categories", () => {
  it.effect("are all equally likely", () =>
    Effect.gen(function*() {
      for (const [arbitrary, members] of [[Arbitraries.severity, 4], [Arbitraries.threatCategory, 6]] as const) {
        const values: ReadonlyArray<string> = yield* sample(arbitrary as Arbitrary.Arbitrary<string>, 6_000)
        const counts = Object.values(Object.groupBy(values, (value) => value)).map((same) => same?.length ?? 0)
        assert.lengthOf(counts, members)
        for (const count of counts) assert.closeTo(count, 6_000 / members, 150)
      }
    }))

  it.effect("a threat, its scent and its signature agree", () =>
    Effect.gen(function*() {
      for (const { category, scent, severity, signature } of yield* sample(Arbitraries.threat, 100)) {
        assert.deepStrictEqual(scent.threat, { category, severity })
        assert.isTrue(signature.startsWith(`${category}:`))
      }
    }))
})

describe("identifiers", () => {
  it.effect("are empty, of exactly 256 bytes of UTF-8 in each width of character, or with lone surrogates", () =>
    Effect.gen(function*() {
      const ids = yield* sample(Arbitraries.identifier)
      const full = ids.filter((id) => Buffer.byteLength(id) === 256)
      assert.isAbove(full.length, 30)
      for (const width of [/^[\0-\x7f]+$/, /[\x80-\u07ff]/, /[\u0800-\uffff]/u, /[\u{10000}-\u{10ffff}]/u])
        assert.isTrue(full.some((id) => width.test(id)), String(width))
      assert.isTrue(full.some((id) => /[\u0800-\u{10ffff}]$/u.test(id)), "one that a character of many bytes ends")
      assert.isTrue(ids.includes(""))
      assert.isTrue(ids.some((id) => !id.isWellFormed()))
      assert.isTrue(ids.some((id) => id.isWellFormed() && id.length > 40 && Buffer.byteLength(id) < 256))
    }))

  it.effect("of 256 bytes shrink to 256 letters", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* shrunk(Arbitraries.identifier, (id) => fitsUtf8(id, 255)), "a".repeat(256))
    }))

  it.effect("textOfBytes gives text of exactly so many bytes", () =>
    Effect.gen(function*() {
      for (const bytes of [0, 1, 2, 3, 32, 1_024]) {
        for (const text of yield* sample(Arbitraries.textOfBytes(bytes), 50)) {
          assert.strictEqual(Buffer.byteLength(text), bytes)
          assert.isTrue(text.isWellFormed())
        }
      }
    }))
})

describe("numbers", () => {
  it.effect("times are current, negative, fractions, -0, and as large as doubles get", () =>
    Effect.gen(function*() {
      const times = yield* sample(Arbitraries.timestamp)
      const at = (is: (time: number) => boolean) => times.filter(is).length
      assert.isAbove(at((time) => time > 0 && time < 4_102_444_800_000 && Number.isInteger(time)), 150)
      assert.isAbove(at((time) => time < 0), 50)
      assert.isAbove(at((time) => !Number.isInteger(time)), 50)
      for (const edge of [0, -0, -1, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, 8.64e15])
        assert.isAbove(at((time) => Object.is(time, edge)), 0, String(edge))
      assert.isAbove(at((time) => Math.abs(time) > 1e100), 10)
      assert.isAbove(at((time) => time !== 0 && Math.abs(time) < 1e-100), 10)
    }))

  it.effect("sizes are zero, small, near the limits of buffers and as large as integers get", () =>
    Effect.gen(function*() {
      const sizes = yield* sample(Arbitraries.size)
      for (const edge of [0, 1, 64_512, 65_536, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER]) assert.include(sizes, edge)
      assert.isAbove(sizes.filter((size) => size > 0 && size <= 2_000).length, 100)
      assert.isAbove(sizes.filter((size) => size > 2 ** 40).length, 50)
    }))
})

describe("sources", () => {
  it.effect("IPv4 addresses are addresses and their own key", () =>
    Effect.gen(function*() {
      for (const address of yield* sample(Arbitraries.ipv4, 200)) {
        assert.isTrue(isIPv4(address), address)
        assert.strictEqual(sourceKey(address), address)
      }
    }))

  it.effect("IPv6 addresses are addresses in every spelling, and none maps an IPv4 address", () =>
    Effect.gen(function*() {
      const addresses = yield* sample(Arbitraries.ipv6)
      for (const address of addresses) {
        assert.isTrue(isIPv6(address.replace(/^\[(.*)\](?::443)?$/, "$1")), address)
        assert.match(sourceKey(address), /::\/64$/, address)
      }
      for (
        const spelling of [/^::/, /::$/, /^[^:]+(?::[^:]+){7}$/, /\b0{4}\b/, /[A-F]/, /%eth0/, /^\[.*\]$/, /\]:443$/]
      ) {
        assert.isTrue(addresses.some((address) => spelling.test(address)), String(spelling))
      }
    }))

  it.effect("mapped addresses count as the IPv4 address that they are paired with, in every spelling", () =>
    Effect.gen(function*() {
      const pairs = yield* sample(Arbitraries.mappedPair)
      for (const { ipv4, mapped } of pairs) {
        assert.notStrictEqual(mapped, ipv4)
        assert.strictEqual(sourceKey(mapped), ipv4, mapped)
      }
      for (const spelling of [/^::ffff:\d+\./, /FFFF/, /^::ffff:[0-9a-f]+:/, /^0:0:/, /^0000:/, /^\[/])
        assert.isTrue(pairs.some(({ mapped }) => spelling.test(mapped)), String(spelling))
    }))

  it.effect("names are not addresses, however much they look like one", () =>
    Effect.gen(function*() {
      const names = yield* sample(Arbitraries.sourceName)
      for (const name of names) assert.strictEqual(sourceKey(name), name)
      for (const name of ["", "1.2.3.4:443", "01.2.3.4", ":::"]) assert.include(names, name)
    }))

  it.effect("sources are of all kinds", () =>
    Effect.gen(function*() {
      const keys = (yield* sample(Arbitraries.source)).map((source) => ({ source, key: sourceKey(source) }))
      const at = (is: (of: { readonly source: string; readonly key: string }) => boolean) => keys.filter(is).length
      assert.isAbove(at(({ source }) => isIPv4(source)), 100)
      assert.isAbove(at(({ key }) => key.endsWith("::/64")), 50)
      assert.isAbove(at(({ key, source }) => isIPv4(key) && key !== source), 50)
      assert.isAbove(at(({ source }) => source.startsWith("tenant-")), 20)
      assert.isAbove(at(({ source }) => Buffer.byteLength(source) === 256), 0)
    }))
})

describe("records and answers", () => {
  it.effect("every way out of custody, lost evidence, and the first record of a chain come up", () =>
    Effect.gen(function*() {
      const records = yield* sample(Arbitraries.auditRecord)
      for (const { entry, previousHash, sequence } of records) {
        assert.strictEqual(entry.previousHash, previousHash)
        if (sequence === 0) assert.strictEqual(previousHash, "0".repeat(64))
      }
      const entries = records.map(({ entry }) => entry)
      for (const status of ["neutralized", "evacuated", "transferred", "evicted", "purged"])
        assert.isAbove(entries.filter((entry) => entry.status === status).length, 70, status)
      for (const status of ["evicted", "purged"]) {
        const destinations = entries.flatMap((entry) =>
          entry.status === status && "destination" in entry ? [entry.destination] : []
        )
        assert.isTrue(destinations.includes(null), status)
        assert.isTrue(destinations.some((destination) => destination !== null), status)
      }
      for (const reason of ["timeout", "error", "abort", "panic"])
        assert.isTrue(entries.some((entry) => entry.status === "purged" && entry.reason === reason), reason)
      assert.isTrue(records.some(({ sequence }) => sequence === 0))
      assert.isTrue(records.some(({ sequence }) => sequence > 2 ** 32))
    }))

  it.effect("the signature of evidence is its hash, or keyed", () =>
    Effect.gen(function*() {
      const records = yield* sample(Arbitraries.evidenceRecord, 200)
      for (const { category, signature } of records) assert.isTrue(signature.startsWith(`${category}:`))
      const plain = records.filter(({ category, hash, signature }) => signature === `${category}:${hash}`)
      assert.isAbove(plain.length, 60)
      assert.isBelow(plain.length, 140)
    }))

  it.effect("alerts of every type and severity come up, and only a flood counts", () =>
    Effect.gen(function*() {
      const alerts = yield* sample(Arbitraries.alert)
      assert.strictEqual(
        new Set(alerts.map(({ severity, type }) => `${severity} ${type}`)).size,
        3 * alertTypes.length
      )
      assert.isTrue(alerts.some(({ alertCount }) => alertCount !== undefined))
      for (const { alertCount, type } of alerts) assert.isTrue(alertCount === undefined || type === "alert.flood")
      assert.isTrue(alerts.some((alert) => "signature" in alert))
      assert.isTrue(alerts.some((alert) => !("signature" in alert)))
    }))

  it.effect("hounds of every state come up, and a dormant one was never activated", () =>
    Effect.gen(function*() {
      const hounds = yield* sample(Arbitraries.hound)
      const kinds = new Set(hounds.map(({ activatedAt, state }) => `${state} ${activatedAt === null}`))
      assert.sameMembers([...kinds], ["dormant true", "active false", "disposing true", "disposing false"])
    }))

  it.effect("a snapshot adds up, is sometimes empty, and has up to 32 errors", () =>
    Effect.gen(function*() {
      const snapshots = yield* sample(Arbitraries.watcherSnapshot, 300)
      for (const { quarantine: { bySeverity, bytes, count }, rateLimit } of snapshots) {
        assert.strictEqual(count, bySeverity.low + bySeverity.medium + bySeverity.high + bySeverity.critical)
        if (count === 0) assert.strictEqual(bytes, 0)
        assert.isAtMost(rateLimit.blocked, rateLimit.sources)
      }
      assert.isTrue(snapshots.some(({ rateLimit }) => rateLimit.blocked < rateLimit.sources))
      assert.isTrue(snapshots.some(({ errors }) => errors.length === 0))
      assert.isTrue(snapshots.some(({ errors }) => errors.length === 32))
      assert.isTrue(snapshots.some(({ quarantine }) => quarantine.count === 0))
    }))

  it.effect("the five answers without a handle come up equally often, and retryAfter is more than 0", () =>
    Effect.gen(function*() {
      const answers = yield* sample(Arbitraries.answerWithoutHandle)
      for (const status of ["clean", "rate_limited", "payload_too_large", "ignored", "error"])
        assert.isAbove(answers.filter((answer) => answer.status === status).length, 60, status)
      for (const answer of answers) if (answer.status === "rate_limited") assert.isAbove(answer.retryAfter, 0)
      assert.isTrue(answers.some((answer) => answer.status === "payload_too_large" && answer.bound === undefined))
      assert.isTrue(answers.some((answer) => answer.status === "payload_too_large" && answer.bound === "maxKeys"))
    }))
})

describe("configurations", () => {
  it.effect("start a Tracehound that takes threats into custody", () =>
    Effect.gen(function*() {
      let held = 0
      const configs = yield* sample(Arbitraries.configInput, 40)
      for (const [i, config] of configs.entries()) {
        const tracehound = createTracehound(config)
        const answer = tracehound.intercept({
          id: "a",
          payload: i,
          source: "192.0.2.7",
          timestamp: 1,
          threat: { category: "spam", severity: "low" }
        })
        assert.notStrictEqual(answer.status, "error")
        if (answer.status === "quarantined") held += 1
        yield* Effect.promise(() => tracehound.dispose())
      }
      assert.isAbove(held, 30)
    }))

  it.effect("leave parts out, reach the bounds of a key, and use nothing outside the process", () =>
    Effect.gen(function*() {
      const configs = yield* sample(Arbitraries.configInput)
      for (const { alerts, audit, runtime } of configs) {
        assert.isUndefined(alerts?.devopsEndpoint)
        assert.isUndefined(audit?.coldStorage)
        assert.isNotTrue(runtime?.strict)
      }
      for (const part of ["maxPayloadSize", "rateLimit", "quarantine", "signature", "audit"] as const) {
        assert.isTrue(configs.some((config) => part in config), part)
        assert.isTrue(configs.some((config) => !(part in config)), part)
      }
      const keys = configs.map(({ signature }) => signature?.key).filter((key) => typeof key === "string")
      assert.isTrue(keys.some((key) => Buffer.byteLength(key) === 32))
      assert.isTrue(keys.some((key) => Buffer.byteLength(key) === 1_024))
      assert.isTrue(configs.some(({ signature }) => typeof signature?.key === "object"))
    }))

  it.effect("with cold storage all have the endpoint that they were given", () =>
    Effect.gen(function*() {
      const configs = yield* sample(Arbitraries.configInputTo("file:./here"), 100)
      const endpoints = configs.map(({ audit }) => audit?.coldStorage?.endpoint)
      assert.isTrue(endpoints.every((endpoint) => endpoint === "file:./here"))
      assert.isTrue(configs.some(({ audit }) => audit?.coldStorage?.codec === "stored"))
    }))
})
