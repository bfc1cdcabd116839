/**
 * A small view of a TypeScript syntax tree: every node in the order of the text, each identifier
 * with the part it plays.
 *
 * The parser is the one the test runner itself uses; TypeScript 7 publishes no stable JavaScript
 * API for its own.
 */
import { parseAst } from "vitest/node"

/** What an identifier does where it stands: binds a name, uses one, or only labels a member. */
export type Role = "declares" | "refers" | "labels"

export interface Node {
  readonly type: string
  /** Offset of its first character. */
  readonly start: number
  /** Meaningful for identifiers only. */
  readonly role: Role
  readonly field: (name: string) => unknown
}

/** The root of a file's tree. Throws on a syntax error, naming `path`. */
export const parse = (path: string, text: string): Node => {
  try {
    return wrap(parseAst(text, { lang: "ts" }, path), "refers")
  } catch (cause) {
    throw new Error(`${path} does not parse`, { cause })
  }
}

/** The child of that name, if it is a single node. */
export const child = (node: Node, name: string): Node | undefined => {
  const value = node.field(name)
  return isNode(value) ? wrap(value, roleOf(node, name)) : undefined
}

/** The node and all below it, parents first. */
export function* nodes(node: Node): Generator<Node> {
  yield node
  for (const name of fieldNames(node)) {
    const value = node.field(name)
    for (const item of Array.isArray(value) ? value : [value])
      if (isNode(item)) yield* nodes(wrap(item, roleOf(node, name)))
  }
}

/** The line, counted from 1, of an offset. */
export const lineAt = (text: string, offset: number): number => text.slice(0, offset).split("\n").length

interface Raw {
  readonly type: string
  readonly start: number
}

const isNode = (value: unknown): value is Raw =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string" &&
  "start" in value && typeof value.start === "number"

const raws = new WeakMap<Node, Raw>()

const wrap = (raw: Raw, role: Role): Node => {
  const node: Node = {
    type: raw.type,
    start: raw.start,
    role,
    field: (name): unknown => Reflect.get(raw, name)
  }
  raws.set(node, raw)
  return node
}

const fieldNames = (node: Node): ReadonlyArray<string> => Object.keys(raws.get(node) ?? {})

/**
 * Patterns carry the role of the place they stand in, so `const { process } = x` declares
 * `process`.
 */
const roleOf = (parent: Node, name: string): Role => {
  switch (parent.type) {
    case "ObjectPattern":
    case "ArrayPattern":
    case "RestElement":
    case "TSParameterProperty":
      return parent.role
    case "AssignmentPattern":
      return name === "left" ? parent.role : "refers"
    case "Property":
      return name === "value" ? parent.role : computed(parent) ? "refers" : "labels"
    case "MemberExpression":
      return name === "property" && !computed(parent) ? "labels" : "refers"
    case "MethodDefinition":
    case "PropertyDefinition":
    case "AccessorProperty":
    case "TSAbstractMethodDefinition":
    case "TSAbstractPropertyDefinition":
    case "TSPropertySignature":
    case "TSMethodSignature":
      return name === "params" ? "declares" : name === "key" && !computed(parent) ? "labels" : "refers"
    case "ImportSpecifier":
    case "ImportDefaultSpecifier":
    case "ImportNamespaceSpecifier":
      return name === "local" ? "declares" : "labels"
    case "ExportSpecifier":
      return name === "local" ? "refers" : "labels"
    case "ExportAllDeclaration":
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
    case "MetaProperty":
    case "ImportAttribute":
      return name === "body" ? "refers" : "labels"
    case "TSQualifiedName":
      return name === "left" ? "refers" : "labels"
    case "TSNamedTupleMember":
      return name === "label" ? "labels" : "refers"
    case "TSTypePredicate":
      return name === "parameterName" ? "labels" : "refers"
    case "CatchClause":
      return name === "param" ? "declares" : "refers"
    case "TSTypeParameter":
      return name === "name" ? "declares" : "refers"
    case "TSMappedType":
      return name === "key" ? "declares" : "refers"
    case "TSIndexSignature":
      return name === "parameters" ? "declares" : "refers"
    default:
      return name === "id" || name === "params" ? "declares" : "refers"
  }
}

const computed = (node: Node): boolean => node.field("computed") === true
