/**
 * Bundles the analyzer into one ES module without imports, and prints what to put into the
 * configuration.
 *
 *     node examples/analyzer/bundle.mjs [DIRECTORY]
 *
 * The SHA-256 is that of the bundle: Tracehound refuses to start a bundle that was changed
 * afterwards, by as little as a byte.
 */
import { build } from "esbuild"
import { createHash } from "node:crypto"
import { mkdirSync, readFileSync, realpathSync } from "node:fs"
import { join, resolve } from "node:path"

const directory = resolve(process.argv[2] ?? join(import.meta.dirname, "dist"))
mkdirSync(directory, { recursive: true })
// Without symbolic links: this very file is pinned.
const path = join(realpathSync(directory), "analyzer.mjs")

await build({
  entryPoints: [join(import.meta.dirname, "analyzer.ts")],
  outfile: path,
  bundle: true,
  format: "esm",
  // A hound has ECMAScript and little else: `neutral` assumes nothing of Node's or a browser's.
  platform: "neutral",
  target: "es2022",
  // The same sources give the same bytes, wherever they are.
  absWorkingDir: import.meta.dirname,
  legalComments: "none",
  logLevel: "warning"
})

const sha256 = createHash("sha256").update(readFileSync(path)).digest("hex")
console.log(`path    ${path}
SHA-256 ${sha256}

${JSON.stringify({ hound: { analyzer: { path, sha256 } } }, null, 2)}`)
