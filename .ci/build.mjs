// Emits src/ as JavaScript and declarations into a dist/ that holds nothing older. What runs inside a hound is plain JavaScript and is
// copied byte for byte.
import { execFileSync } from "node:child_process"
import { cpSync, rmSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")

rmSync(join(root, "dist"), { recursive: true, force: true })
execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit"
})

cpSync(join(root, "src/hound"), join(root, "dist/hound"), {
  recursive: true,
  filter: (path) => path.endsWith(".mjs") || !path.includes(".")
})
