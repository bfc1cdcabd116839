import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import vm from "node:vm"
import { TOO_LARGE, UNREADABLE } from "../../../src/intake/gate/Canonical.ts"
import { bytesFrom, canonicalBytes, canonicalText, nodeWriter, portableWriter } from "./writers.ts"

/** Counts what is run. Every trap a Proxy can have is one look-up on its handler. */
const tripwire = () => {
  let runs = 0
  const run = (): never => {
    runs++
    throw new Error("code of the payload ran")
  }
  const handler = new Proxy({}, { get: run })
  return { run, proxyOf: <A extends object>(target: A): A => new Proxy(target, handler), runs: () => runs }
}

describe("canonical bytes run no code of the payload", () => {
  it("RFC D4 touches no proxy, wherever it stands", () => {
    const wire = tripwire()
    const { proxy: revoked, revoke } = Proxy.revocable([], {})
    revoke()
    const target = Object.assign(() => 1, { a: 1 })
    for (const proxy of [wire.proxyOf({}), wire.proxyOf([]), wire.proxyOf(target), wire.proxyOf(new Map()), revoked]) {
      assert.strictEqual(canonicalText(proxy), "!p")
      assert.strictEqual(canonicalText([proxy, { a: proxy }]), "[!p,{\"a\":!p}]")
      assert.strictEqual(canonicalText(new Map([[proxy, proxy]])), "!m[[!p,!p]]")
      assert.strictEqual(canonicalText(new Set([proxy])), "!s[!p]")
      assert.strictEqual(canonicalText(Object.create(null, { a: { value: proxy, enumerable: true } })), "{\"a\":!p}")
    }
    assert.strictEqual(wire.runs(), 0)
  })

  it("RFC D4 touches no proxy that is a prototype", () => {
    const wire = tripwire()
    const prototype = wire.proxyOf({})
    const withPrototype = <A extends object>(value: A): A => Object.setPrototypeOf(value, prototype)
    const child = Object.create(Object.create(Object.create(prototype)), { a: { value: 1, enumerable: true } })
    assert.strictEqual(canonicalText(child), "{\"a\":1}")
    assert.strictEqual(canonicalText(withPrototype({ b: 1, a: [] })), "{\"a\":[],\"b\":1}")
    assert.strictEqual(canonicalText(withPrototype([1, , 2])), "[1,!u,2]")
    assert.strictEqual(canonicalText(withPrototype(new Map([[1, 2]]))), "!m[[1,2]]")
    assert.strictEqual(canonicalText(withPrototype(new Set([1]))), "!s[1]")
    assert.strictEqual(canonicalText(withPrototype(new Date(5))), "!d5")
    assert.strictEqual(canonicalText([withPrototype(new Uint8Array([5]))]), "[!bu8:05]")
    assert.strictEqual(canonicalText([withPrototype(new DataView(new ArrayBuffer(1)))]), "[!bdv:00]")
    assert.strictEqual(canonicalText([withPrototype(new ArrayBuffer(1))]), "[!bab:00]")
    assert.strictEqual(canonicalText([withPrototype(new SharedArrayBuffer(1))]), "[!bsab:00]")
    assert.strictEqual(canonicalText(withPrototype(() => 1)), "!f")
    assert.strictEqual(wire.runs(), 0)
  })

  it("RFC D4 calls no getter, no toJSON, no iterator and no conversion", () => {
    const { run, runs } = tripwire()
    const names = [
      "toJSON",
      "toString",
      "valueOf",
      "length",
      "constructor",
      "inspect",
      "a",
      "then",
      "size",
      "byteLength",
      "buffer"
    ]
    const symbols = [
      Symbol.iterator,
      Symbol.toPrimitive,
      Symbol.toStringTag,
      Symbol.hasInstance,
      Symbol.species,
      Symbol.asyncIterator,
      Symbol.isConcatSpreadable
    ]
    const arm = <A extends object>(value: A, accessor: boolean): A => {
      for (const key of [...names, ...symbols, "forEach", "entries", "getTime", "keys", "__proto__"]) {
        if (key !== "length" || !Array.isArray(value)) {
          Object.defineProperty(value, key, {
            ...(accessor ? { get: run, set: run } : { value: run }),
            configurable: true
          })
        }
      }
      return value
    }
    for (const accessor of [true, false]) {
      class Armed {}
      arm(Armed.prototype, accessor)
      arm(Armed, accessor)
      const values: ReadonlyArray<readonly [object, string]> = [
        [{ b: 1 }, "{\"b\":1}"],
        [[1], "[1]"],
        [new Map([[1, 2]]), "!m[[1,2]]"],
        [new Set([1]), "!s[1]"],
        [new Date(1), "!d1"],
        [new Armed(), "{}"],
        [new (class extends Map<number, number> {})([[1, 2]]), "!m[[1,2]]"],
        [() => 1, "!f"]
      ]
      for (const [value, expected] of values) assert.strictEqual(canonicalText(arm(value, accessor)), expected)
      for (
        const bytes of [
          new Uint8Array([1]),
          new DataView(new ArrayBuffer(1)),
          new ArrayBuffer(1),
          new SharedArrayBuffer(1)
        ]
      ) {
        const before = canonicalBytes([bytes])
        assert.deepStrictEqual(canonicalBytes([arm(bytes, accessor)]), before)
        assert.strictEqual(canonicalBytes(bytes).length, 1)
      }
    }
    assert.strictEqual(runs(), 0)
  })

  it("RFC D4 writes an accessor as such, with or without a getter, in objects and arrays", () => {
    const { run, runs } = tripwire()
    const armed = { a: 1 }
    Object.defineProperty(armed, "b", { get: run, enumerable: true })
    Object.defineProperty(armed, "c", { set: run, enumerable: true })
    const nothing = Object.assign<PropertyDescriptor, object>({ enumerable: true }, { get: undefined })
    Object.defineProperty(armed, "d", nothing)
    Object.defineProperty(armed, "__proto__", { get: run, enumerable: true })
    assert.strictEqual(canonicalText(armed), "{\"__proto__\":!g,\"a\":1,\"b\":!g,\"c\":!g,\"d\":!g}")
    const array: Array<unknown> = [1, 2, 3, undefined]
    Object.defineProperty(array, 0, { get: run })
    Object.defineProperty(array, 1, { set: run })
    Object.defineProperty(array, 7, nothing)
    assert.strictEqual(canonicalText(array), "[!g,!g,3,!u,!u,!u,!u,!g]")
    assert.strictEqual(runs(), 0)
  })

  it("RFC D4 calls no getter behind the global of another context, whatever its prototype", () => {
    const { run, runs } = tripwire()
    const sandbox = Object.defineProperty({ a: 1, c: 3 }, "b", { get: run, enumerable: true })
    const global: object = vm.runInContext("globalThis", vm.createContext(sandbox))
    const expected = "{\"a\":1,\"b\":!g,\"c\":3}"
    for (const prototype of [Object.getPrototypeOf(global), Object.prototype, null]) {
      Object.setPrototypeOf(global, prototype)
      // From the third time on its shape would be known.
      for (let time = 0; time < 4; time++) {
        assert.strictEqual(canonicalText(global), expected)
        assert.strictEqual(canonicalText({ a: 1, b: 2, c: time }), `{"a":1,"b":2,"c":${time}}`)
      }
    }
    assert.strictEqual(canonicalText(JSON.parse("{\"NaN\":[1],\"a\":null}")), "{\"NaN\":[1],\"a\":null}")
    assert.strictEqual(runs(), 0)
  })

  it("RFC D4 touches no proxy behind an object that answers for the environment", () => {
    const wire = tripwire()
    const prototype: object = Object.getPrototypeOf(process.env)
    const before = canonicalText({ ...process.env })
    try {
      for (const other of [null, Object.prototype, wire.proxyOf({})]) {
        Object.setPrototypeOf(process.env, other)
        assert.strictEqual(canonicalText(process.env), before)
      }
    } finally {
      Object.setPrototypeOf(process.env, prototype)
    }
    assert.strictEqual(wire.runs(), 0)
  })

  it("RFC D4 writes own keys only: additions to the prototypes of the language do not leak in", () => {
    const { run, runs } = tripwire()
    const polluted: ReadonlyArray<readonly [object, PropertyKey]> = [
      [Object.prototype, "evil"],
      [Object.prototype, "writable"],
      [Object.prototype, "value"],
      [Object.prototype, "get"],
      [Object.prototype, "0"],
      [Array.prototype, "1"],
      [Object.prototype, "toJSON"],
      [String.prototype, "toJSON"],
      [Number.prototype, "toJSON"]
    ]
    const payload = { a: [, , 3], b: Object.create(null), c: new (class A {})(), d: "s", e: "x".repeat(80), f: 1 }
    Object.defineProperty(payload, "g", { get: run, enumerable: true })
    const expected = `{"a":[!u,!u,3],"b":{},"c":{},"d":"s","e":"${"x".repeat(80)}","f":1,"g":!g}`
    for (const property of [{ value: 9, writable: true }, { get: run }]) {
      for (const [target, key] of polluted) {
        const writer = nodeWriter()
        let written = 0
        // Under --frozen-intrinsics nobody can, and what is written is looked at nevertheless.
        const added = Reflect.defineProperty(target, key, { ...property, enumerable: true, configurable: true })
        try {
          written = writer.write(payload)
        } finally {
          Reflect.deleteProperty(target, key)
        }
        assert.strictEqual(added, Object.isExtensible(target))
        assert.strictEqual(
          Buffer.from(writer.buffer.subarray(0, Math.max(written, 0))).toString(),
          expected,
          String(key)
        )
      }
    }
    assert.strictEqual(runs(), 0)
  })

  it("RFC D4 recognises objects of another realm", () => {
    const make = (source: string): unknown => vm.runInNewContext(source)
    assert.strictEqual(canonicalText(make("new Map([[1, new Set([2])]])")), "!m[[1,!s[2]]]")
    assert.strictEqual(
      canonicalText(make("({ b: [1, new Date(3)], a: new (class A { x = 1 }) })")),
      "{\"a\":{\"x\":1},\"b\":[1,!d3]}"
    )
    assert.strictEqual(
      canonicalText(make("[new Uint8Array([1]), new ArrayBuffer(1), new DataView(new ArrayBuffer(1))]")),
      "[!bu8:01,!bab:00,!bdv:00]"
    )
    assert.strictEqual(canonicalText(make("[new Proxy({}, {}), () => 1, Symbol()]")), "[!p,!f,!y]")
  })

  it("RFC D4 an object that hides its class is an ordinary one, and one that pretends to a class is none", () => {
    const hidden = <A extends object>(value: A, prototype: object | null): A => Object.setPrototypeOf(value, prototype)
    for (const prototype of [null, Object.prototype, class A {}.prototype]) {
      for (const value of [new Map([[1, 2]]), new Set([1]), new Date(1), new ArrayBuffer(1)])
        assert.strictEqual(canonicalText(hidden(value, prototype)), "{}")
    }
    for (
      const prototype of [Map.prototype, Set.prototype, Date.prototype, ArrayBuffer.prototype, Uint8Array.prototype]
    ) {
      assert.strictEqual(canonicalText(Object.create(prototype, { a: { value: 1, enumerable: true } })), "{\"a\":1}")
    }
    assert.strictEqual(canonicalText(hidden(new Map([[1, 2]]), Set.prototype)), "{}")
  })

  it("RFC D4 works under the flags that the runtime asks for", () => {
    const script = `
      import { makeCanonicalWriter } from ${
      JSON.stringify(fileURLToPath(new URL("../../../src/intake/gate/Canonical.ts", import.meta.url)))
    }
      import { introspection } from ${
      JSON.stringify(fileURLToPath(new URL("../../../src/host/node/NodeIntrospection.ts", import.meta.url)))
    }
      const writer = makeCanonicalWriter({ maxPayloadSize: 2000, maxDepth: 9, maxKeys: 9 }, introspection)
      const payload = [JSON.parse('{"__proto__":{"x":1}}'), new Map([[2, 1], [1, new Date(1)]]), new Set(["b", "a"]), Buffer.from("a"),
        1n << 1500n, "\\ud800", "y".repeat(70), { get a() { throw 1 } }, -0, new Proxy({}, {}), new (class A { x = [,] }),
        new TypeError("x"), /x/g, Object("a"), new Headers({ a: "1" }), new URL("http://h/"), Promise.resolve(1), [].values()]
      const written = writer.write(payload)
      process.stdout.write(written < 0 ? String(written) : writer.buffer.subarray(0, written))
    `
    const output = execFileSync(
      process.execPath,
      [
        "--frozen-intrinsics",
        "--disable-proto=throw",
        "--disallow-code-generation-from-strings",
        "--input-type=module",
        "--eval",
        script
      ],
      { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }
    )
    assert.strictEqual(
      output,
      `[{"__proto__":{"x":1}},!m[[1,!d1],[2,1]],!s["a","b"],!bu8:61,!n${(1n << 1500n).toString(16)},"\\ud800",`
        + `"${"y".repeat(70)}",{"a":!g},!-0,!p,{"x":[!u]},!e"TypeError"{"message":"x"},!r"x"g,!v"a",!h[["a","1"]],`
        + `!l"http://h/",!o"Promise"${"1".padStart(32, "0")}{},!o"Array Iterator"${"2".padStart(32, "0")}{}]`
    )
  })
})

describe("a host that cannot tell a proxy", () => {
  it("RFC D4 never throws, and stays within its bounds", () => {
    const own = portableWriter({ maxPayloadSize: 1000 })
    const wire = tripwire()
    const { proxy: revoked, revoke } = Proxy.revocable({}, {})
    revoke()
    for (const proxy of [wire.proxyOf({}), wire.proxyOf([]), revoked]) {
      assert.strictEqual(own.write(proxy), UNREADABLE)
      assert.strictEqual(own.write([{ a: proxy }]), UNREADABLE)
    }
    assert.strictEqual(own.write(wire.proxyOf(() => 1)), 2)
    assert.deepStrictEqual(bytesFrom(own, new Proxy({ a: [1] }, {})).toString(), "{\"a\":[1]}")
    let lookups = 0
    const endless: object = new Proxy([], {
      get: (_, key) => {
        lookups++
        return key === "length" ? { valueOf: () => Infinity } : endless
      },
      getOwnPropertyDescriptor: () => ({ value: endless, configurable: true, writable: true, enumerable: true })
    })
    assert.strictEqual(own.write(endless), TOO_LARGE)
    assert.isBelow(lookups, 10)
    const shrinking = new Proxy([1, 2, 3], { get: (_, key) => key === "length" ? NaN : 1 })
    assert.strictEqual(own.write(shrinking), TOO_LARGE)
    const chain: object = new Proxy({}, { getPrototypeOf: () => chain })
    assert.isBelow(own.write(chain), 1000)
    let depth = 0
    const deep = (): object =>
      new Proxy({}, {
        ownKeys: () => ["a"],
        getOwnPropertyDescriptor: () => ({
          value: (depth++, deep()),
          configurable: true,
          enumerable: true,
          writable: true
        })
      })
    assert.strictEqual(own.write(deep()), TOO_LARGE)
    assert.isBelow(depth, 1000)
  })

  it("RFC D4 refuses a write that a trap begins in the middle of another", () => {
    const own = portableWriter()
    const inner: Array<number> = []
    const trap = new Proxy({}, {
      ownKeys: () => {
        inner.push(own.write("something else"))
        return []
      }
    })
    assert.deepStrictEqual(bytesFrom(own, ["before", trap, "after"]).toString(), "[\"before\",{},\"after\"]")
    assert.deepStrictEqual(inner, [UNREADABLE])
    assert.strictEqual(own.write("now"), 3)
  })
})
