/**
 * The versions of Node, of this package and of its dependencies, read from their manifests.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"

const Manifest = Schema.fromJsonString(Schema.Struct({ version: Schema.String }))

const dependencies = ["effect", "@effect/platform-node", "fflate"]

const versionAt = Effect.fnUntraced(function*(url: URL) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const text = yield* fs.readFileString(yield* path.fromFileUrl(url))
  const manifest = yield* Schema.decodeEffect(Manifest)(text)
  return manifest.version
})

const orUnknown = <E, R>(version: Effect.Effect<string, E, R>) => Effect.orElseSucceed(version, () => "unknown")

/** This package's version, or `unknown` where its manifest cannot be read. */
export const ownVersion = orUnknown(versionAt(new URL("../../../package.json", import.meta.url)))

const dependencyVersion = (name: string) =>
  orUnknown(Effect.flatMap(
    Effect.try({ try: () => new URL(import.meta.resolve(`${name}/package.json`)), catch: () => "unresolved" as const }),
    versionAt
  ))

/** The versions by name. One that cannot be read is `unknown`. */
export const versions = Effect.gen(function*() {
  const own = yield* ownVersion
  const others = yield* Effect.forEach(
    dependencies,
    (name) => Effect.map(dependencyVersion(name), (v) => [name, v] as const)
  )
  return { tracehound: own, node: process.versions.node, ...Object.fromEntries(others) }
})
