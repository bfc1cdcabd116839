// Packs what npm publishes: a fresh build under a manifest without the development tree.
//
//     node .ci/pack.mjs before       prepack: build, keep package.json aside, put the clean one there
//     node .ci/pack.mjs after        postpack, and by hand after a crash: put package.json back
//     node .ci/pack.mjs refuse       prepublishOnly: stop `npm publish` in this directory
//     node .ci/pack.mjs tarball DIR  pack a copy of the tree, leaving this one alone; print its path
//
// `npm publish` of a directory sends the registry the manifest it reads after postpack, so the one
// with Node's binaries among its optionalDependencies. `npm publish FILE.tgz` reads it from the
// tarball. Hence `refuse`.
import { execFileSync } from "node:child_process"
import {
  constants,
  copyFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

const root = join(import.meta.dirname, "..")
const manifest = join(root, "package.json")
const backup = join(root, ".package.json.backup")

// A list of what goes out, not of what stays: a field added tomorrow is private until it is named
// here.
const published = [
  "name",
  "version",
  "description",
  "keywords",
  "homepage",
  "bugs",
  "repository",
  "license",
  "author",
  "type",
  "sideEffects",
  "bin",
  "exports",
  "files",
  "engines",
  "publishConfig",
  "dependencies",
  "peerDependencies",
  "peerDependenciesMeta"
]

const before = () => {
  if (existsSync(backup))
    throw new Error("an earlier pack did not finish: `node .ci/pack.mjs after` puts package.json back")
  execFileSync(process.execPath, [join(root, ".ci/build.mjs")], { stdio: "inherit" })
  const full = JSON.parse(readFileSync(manifest, "utf8"))
  const clean = Object.fromEntries(published.filter((name) => name in full).map((name) => [name, full[name]]))
  const next = join(root, ".package.json.next")
  writeFileSync(next, `${JSON.stringify(clean, undefined, 2)}\n`)
  // From here a crash leaves the backup behind, and the next pack says so. Either rename is atomic.
  copyFileSync(manifest, backup, constants.COPYFILE_EXCL)
  renameSync(next, manifest)
}

const after = () => {
  if (existsSync(backup)) renameSync(backup, manifest)
}

const refuse = () => {
  throw new Error("publish the tarball, not the directory: `npm pack`, then `npm publish ./tracehound-VERSION.tgz`")
}

const tarball = (destination) => {
  const target = resolve(destination)
  const copy = mkdtempSync(join(realpathSync(tmpdir()), "tracehound-pack-"))
  try {
    const left = new Set([
      ".git",
      "dist",
      "node_modules",
      "reports",
      ".package.json.backup",
      ".package.json.next",
      "test",
      "bench",
      "examples"
    ])
    cpSync(root, copy, { recursive: true, filter: (path) => !left.has(path.slice(root.length + 1)) })
    symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "junction")
    // npm's own chatter goes to stderr, so that stdout is the path alone.
    execFileSync("npm", ["pack", "--pack-destination", target], {
      cwd: copy,
      stdio: ["ignore", 2, 2],
      shell: process.platform === "win32"
    })
    const { name, version } = JSON.parse(readFileSync(manifest, "utf8"))
    process.stdout.write(`${join(target, `${name}-${version}.tgz`)}\n`)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

const [command, argument] = process.argv.slice(2)
const commands = { before, after, refuse, tarball: () => tarball(argument ?? ".") }
try {
  const run = commands[command]
  if (run === undefined) throw new Error("say before, after, refuse or tarball DIR")
  run()
} catch (error) {
  process.stderr.write(`pack: ${error.message}\n`)
  process.exitCode = 1
}
