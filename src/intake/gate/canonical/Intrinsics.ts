/**
 * What the writer asks of objects, captured before a payload exists: nothing that it brings along
 * can stand in for them.
 */

export const { getOwnPropertyDescriptor, hasOwn, keys: ownKeys } = Object
export const { isArray } = Array
export const objectPrototype: object = Object.prototype
interface Legacy {
  readonly __lookupGetter__: (key: PropertyKey) => unknown
}
// Read as a property: under --frozen-intrinsics it is itself an accessor, whose descriptor has no
// value.
export const lookupGetter: (self: object, key: PropertyKey) => unknown = Function.prototype.call.bind(
  (Object.prototype as object & Legacy).__lookupGetter__
)
