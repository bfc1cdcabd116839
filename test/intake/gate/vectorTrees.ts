/**
 * Values as trees, in which values that spec/canonical.md calls equal are the same: made from a
 * vector's description, and parsed from canonical bytes by the grammar alone.
 */
import { assert } from "@effect/vitest"
import { doubleOf, hexOf } from "./doubles.ts"
import { keyOf, kinds, spread, type Value } from "./vectorValues.ts"

/** The bytes of a raw payload, from its description; undefined for any other value. */
export function rawOf(value: Value): Buffer | undefined {
  if ("bytes" in value) return value.detached ? Buffer.alloc(0) : Buffer.from(value.hex ?? "", "hex")
  const tree = treeOf(value)
  return tree[0] === "string" ? wtf8(String(tree[1])) : undefined
}

/** A value up to the equalities: its kind and its parts, sorted where their order means nothing. */
export interface Tree extends ReadonlyArray<string | Tree> {
  readonly 0: string
}

const unordered = (name: string, parts: ReadonlyArray<Tree>): Tree => [
  name,
  ...parts.toSorted((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)
]
const numberTree = (number: number): Tree => ["number", Number.isNaN(number) ? "NaN" : hexOf(number)]
const literal = (token: string): Tree => ["literal", token]
const opaque = (token: string): Tree => ["opaque", token]

/** The tree of a description. */
export function treeOf(value: Value): Tree {
  if ("json" in value) return jsonTree(JSON.parse(value.json))
  else if ("string" in value || "text" in value)
    return ["string", "text" in value ? value.text.repeat(value.times) : keyOf(value)]
  else if ("number" in value || "double" in value)
    return numberTree("number" in value ? Number(value.number) : doubleOf(BigInt(`0x${value.double}`)))
  else if ("bigint" in value) return ["bigint", value.bigint]
  else if ("date" in value) return ["date", `${value.date ?? "NaN"}`]
  else if ("undefined" in value || "hole" in value) return literal("!u")
  else if ("function" in value) return opaque("!f")
  else if ("symbol" in value) return opaque("!y")
  else if ("accessor" in value) return opaque("!g")
  else if ("proxy" in value || "revoked" in value) return opaque("!p")
  else if ("array" in value) {
    const items = spread(value.array).map(treeOf)
    const holes = Array.from({ length: (value.length ?? items.length) - items.length }, () => literal("!u"))
    return ["array", ...items, ...holes]
  } else if ("object" in value)
    return unordered("object", value.object.map(([key, item]) => ["member", keyOf(key), treeOf(item)]))
  else if ("keys" in value)
    return unordered("object", Array.from({ length: value.keys }, (_, i) => ["member", `${i}`, treeOf(value.of)]))
  else if ("map" in value) return unordered("map", value.map.map(([key, item]) => ["pair", treeOf(key), treeOf(item)]))
  else if ("set" in value) return unordered("set", value.set.map(treeOf))
  else if ("bytes" in value) return [`bytes ${value.bytes}`, value.detached ? "" : value.hex ?? ""]
  else if ("boxed" in value) return ["boxed", treeOf(value.boxed)]
  else if ("regexp" in value) return ["regexp", ["string", value.regexp], value.flags]
  else if ("error" in value) {
    const members = value.own.map(([key, item]): Tree => ["member", key, treeOf(item)])
    return ["error", ["string", value.error], unordered("object", members)]
  } else if ("url" in value) return ["url", ["string", value.url]]
  else if ("params" in value) return ["params", ...value.params.map(textPair)]
  else if ("headers" in value)
    return [
      "headers",
      ...value.headers.toSorted(([a], [b]) => a < b ? -1 : a > b ? 1 : 0).map(textPair)
    ]
  else if ("temporal" in value) return ["temporal", ["string", value.temporal]]
  else if ("unreadable" in value)
    return ["unreadable", ["string", value.unreadable], "1".padStart(32, "0"), ["object"]]
  else if ("nest" in value) {
    let tree = treeOf(value.of)
    for (let depth = value.nest; depth > 0; depth--) {
      const kind = value.in[(depth - 1) % value.in.length] ?? "array"
      tree = kind === "object"
        ? [kind, ["member", "a", tree]]
        : kind === "map"
        ? [kind, ["pair", literal("null"), tree]]
        : [kind, tree]
    }
    return tree
  }
  return assert.fail("a cycle has no tree")
}

const textPair = ([name, text]: readonly [string, string]): Tree => ["pair", ["string", name], ["string", text]]

function jsonTree(value: unknown): Tree {
  return typeof value === "string"
    ? ["string", value]
    : typeof value === "number"
    ? numberTree(value)
    : Array.isArray(value)
    ? ["array", ...value.map(jsonTree)]
    : typeof value === "object" && value !== null
    ? unordered("object", Object.entries(value).map(([key, item]) => ["member", key, jsonTree(item)]))
    : literal(String(value))
}

/** One way to read the bytes from a position on, and the position where it ends. */
type Parse = readonly [tree: Tree, end: number]

/**
 * All ways to read the bytes as one `value`: every alternative of the grammar is tried at every
 * position, and a part that may have several lengths is tried at each. Nothing is concluded from
 * the bytes behind.
 */
export function parses(bytes: Uint8Array): ReadonlyArray<Tree> {
  let text = ""
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return []
  }
  return valueAt(0).filter(([, end]) => end === text.length).map(([tree]) => tree)

  function valueAt(at: number): ReadonlyArray<Parse> {
    return [
      ...["null", "true", "false", "!u"].flatMap((token) => tokenAt(at, token, literal(token))),
      ...["!f", "!y", "!g", "!p"].flatMap((token) => tokenAt(at, token, opaque(token))),
      ...[-0, NaN, Infinity, -Infinity].flatMap((number) =>
        tokenAt(at, Object.is(number, -0) ? "!-0" : `!${number}`, numberTree(number))
      ),
      ...spelled(at, "", /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:e[+-]\d+)?$/, (spelling) => numberTree(Number(spelling)))
        .filter(
          ([, end]) => `${Number(text.slice(at, end))}` === text.slice(at, end)
        ),
      ...spelled(at, "!n", /^-?(?:0|[1-9a-f][0-9a-f]*)$/, (hex) => ["bigint", hex]),
      ...spelled(at, "!d", /^(?:0|-?[1-9]\d*|NaN)$/, (milliseconds) => ["date", milliseconds]),
      ...kinds.flatMap((kind) => spelled(at, `!b${kind}:`, /^(?:[0-9a-f]{2})*$/, (hex) => [`bytes ${kind}`, hex])),
      ...tagged(at, "!v", valueAt).map(([tree, end]): Parse => [["boxed", tree], end]),
      ...tagged(at, "!r", stringAt).flatMap(([tree, end]) =>
        spelled(end, "", /^d?g?i?m?s?(?:u|v)?y?$/, (flags): Tree => ["regexp", tree, flags])
      ),
      ...tagged(at, "!l", stringAt).map(([tree, end]): Parse => [["url", tree], end]),
      ...tagged(at, "!t", stringAt).map(([tree, end]): Parse => [["temporal", tree], end]),
      ...tagged(at, "!e", valueAt).flatMap(([name, end]) =>
        objectAt(end).map(([members, last]): Parse => [["error", name, members], last])
      ),
      ...tagged(at, "!o", stringAt).flatMap(([tag, end]) =>
        spelled(end, "", /^[0-9a-f]{32}$/, (nonce): Tree => [nonce]).flatMap(([[nonce], next]) =>
          objectAt(next).map(([members, last]): Parse => [["unreadable", tag, nonce, members], last])
        )
      ),
      ...listAt(at, "!q[", "]", textPairAt, () => true).map(([items, end]): Parse => [["params", ...items], end]),
      ...listAt(at, "!h[", "]", textPairAt, () => true).map(([items, end]): Parse => [["headers", ...items], end]),
      ...stringAt(at),
      ...listAt(at, "[", "]", valueAt, () => true).map(([items, end]): Parse => [["array", ...items], end]),
      ...objectAt(at),
      ...listAt(at, "!m[", "]", pairAt, inOrder).map(([items, end]): Parse => [unordered("map", items), end]),
      ...listAt(at, "!s[", "]", valueAt, inOrder).map(([items, end]): Parse => [unordered("set", items), end])
    ]
  }

  function objectAt(at: number): ReadonlyArray<Parse> {
    return listAt(at, "{", "}", memberAt, (a, b) => String(a[0][1]) < String(b[0][1])).map(([items, end]): Parse => [
      unordered("object", items),
      end
    ])
  }

  /** What follows a prefix. */
  function tagged(at: number, prefix: string, next: (at: number) => ReadonlyArray<Parse>): ReadonlyArray<Parse> {
    return text.startsWith(prefix, at) ? next(at + prefix.length) : []
  }

  /** A pair of strings. */
  function textPairAt(at: number): ReadonlyArray<Parse> {
    return pairAt(at).filter(([[, name, value]]) => name?.[0] === "string" && value?.[0] === "string")
  }

  function tokenAt(at: number, token: string, tree: Tree): ReadonlyArray<Parse> {
    return text.startsWith(token, at) ? [[tree, at + token.length]] : []
  }

  /** Every length at which what follows the prefix is of the pattern. */
  function spelled(
    at: number,
    prefix: string,
    pattern: RegExp,
    tree: (spelling: string) => Tree
  ): ReadonlyArray<Parse> {
    if (!text.startsWith(prefix, at)) return []
    const found: Array<Parse> = []
    const start = at + prefix.length
    for (let end = start; end <= text.length && /^[-+.\w]*$/.test(text.slice(end - 1, end)) || end === start; end++) {
      const spelling = text.slice(start, end)
      if (pattern.test(spelling)) found.push([tree(spelling), end])
    }
    return found
  }

  function stringAt(at: number): ReadonlyArray<Parse> {
    // A lone surrogate is an escape; one that another escape follows to make a pair would have been
    // a character.
    const own = /"((?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\[btnfr"\\]|\\u00[01][0-9a-f]|\\ud[89a-f][0-9a-f]{2})*)"/uy
    own.lastIndex = at
    const [quoted] = own.exec(text) ?? []
    return quoted === undefined || JSON.stringify(JSON.parse(quoted)) !== quoted
      ? []
      : [[["string", String(JSON.parse(quoted))], at + quoted.length]]
  }

  function memberAt(at: number): ReadonlyArray<Parse> {
    return stringAt(at).flatMap(([key, end]) =>
      text[end] === ":"
        ? valueAt(end + 1).map(([item, last]): Parse => [["member", String(key[1]), item], last])
        : []
    )
  }

  function pairAt(at: number): ReadonlyArray<Parse> {
    return listAt(at, "[", "]", valueAt, () => true).flatMap(([items, end]): ReadonlyArray<Parse> =>
      items.length === 2 ? [[["pair", ...items], end]] : []
    )
  }

  /** By their bytes, where equal ones may follow one another. */
  function inOrder([, [fromA, toA]]: Item, [, [fromB, toB]]: Item): boolean {
    return Buffer.compare(Buffer.from(text.slice(fromA, toA)), Buffer.from(text.slice(fromB, toB))) <= 0
  }

  function listAt(
    at: number,
    open: string,
    close: string,
    itemAt: (at: number) => ReadonlyArray<Parse>,
    ordered: (a: Item, b: Item) => boolean
  ): ReadonlyArray<readonly [items: ReadonlyArray<Tree>, end: number]> {
    if (!text.startsWith(open, at)) return []
    const start = at + open.length
    const found: Array<readonly [ReadonlyArray<Tree>, number]> = text[start] === close ? [[[], start + 1]] : []
    const pending: Array<readonly [items: ReadonlyArray<Item>, at: number]> = [[[], start]]
    for (let state = pending.pop(); state !== undefined; state = pending.pop()) {
      const [items, from] = state
      for (const [tree, end] of itemAt(from)) {
        const item: Item = [tree, [from, end]]
        const last = items.at(-1)
        if (last !== undefined && !ordered(last, item)) continue
        if (text[end] === close) found.push([[...items, item].map(([each]) => each), end + 1])
        else if (text[end] === ",") pending.push([[...items, item], end + 1])
      }
    }
    return found
  }
}

type Item = readonly [tree: Tree, place: readonly [from: number, to: number]]

/** The UTF-8 of a text; of a lone surrogate what its scheme gives (WTF-8). */
export function wtf8(text: string): Buffer {
  return Buffer.concat(
    [...text].map((point) => {
      const code = point.codePointAt(0) ?? 0
      return code >= 0xd800 && code <= 0xdfff
        ? Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)])
        : Buffer.from(point)
    })
  )
}
