/**
 * Finds code that asks an object of the payload's: by `instanceof`, which walks prototypes that may
 * be proxies, or by a method or a property that the object may have of its own. The rooms that meet
 * such objects use functions that were captured when their module was loaded.
 */
import { child, lineAt, type Node, nodes, parse } from "./syntax.ts"

interface Source {
  /** From `src/` on. */
  readonly path: string
  readonly text: string
}

/** The rooms that meet objects of a payload: past the store's ring there are bytes alone. */
export const meetsPayloads = (path: string): boolean =>
  /^(?:intake\/gate|custody|memory)\//.test(path) && !path.startsWith("custody/store/")

/** What a payload, a part of it or its memory is called there. */
const names: ReadonlySet<string> = new Set(["buffer", "payload", "value"])

/** What only the memory of a view has, and a payload's may have of its own. */
const ofMemory: ReadonlySet<string> = new Set([
  "detached",
  "maxByteLength",
  "resizable",
  "resize",
  "transferToFixedLength"
])

/** Each place that asks an object of the payload's, as `path:line: what`. */
export const asked = ({ path, text }: Source): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (const node of nodes(parse(path, text))) {
    const what = asks(node)
    if (what !== undefined) found.push(`${path}:${lineAt(text, node.start)}: ${what}`)
  }
  return found
}

const asks = (node: Node): string | undefined => {
  if (node.type === "BinaryExpression" && node.field("operator") === "instanceof") {
    // An exception is of a class of ours or of the language; a payload is no exception.
    const right = nameOf(child(node, "right"))
    return right?.endsWith("Error") === true ? undefined : `instanceof ${right}`
  }
  if (node.type === "MemberExpression") {
    const property = propertyOf(node)
    return property !== undefined && ofMemory.has(property) && !isPrototype(child(node, "object"))
      ? `.${property}`
      : undefined
  }
  if (node.type !== "CallExpression") return undefined
  const callee = child(node, "callee")
  if (callee?.type !== "MemberExpression") return undefined
  const method = propertyOf(callee)
  const object = child(callee, "object")
  const name = object?.type === "MemberExpression" ? propertyOf(object) : nameOf(object)
  if (name !== undefined && names.has(name)) return `${name}.${method}()`
  // Of a handle, `transfer` takes a slot.
  const [first] = node.field("arguments") as ReadonlyArray<{ readonly type: string }>
  return method === "transfer" && (first === undefined || first.type === "Literal") && nameOf(object) !== undefined
    ? `${nameOf(object)}.transfer()`
    : undefined
}

const nameOf = (node: Node | undefined): string | undefined =>
  node?.type === "Identifier" ? String(node.field("name")) : undefined

const propertyOf = (node: Node): string | undefined =>
  node.field("computed") === true ? undefined : nameOf(child(node, "property"))

const isPrototype = (node: Node | undefined): boolean =>
  node?.type === "MemberExpression" && propertyOf(node) === "prototype"
