// Emits src/ as JavaScript and declarations into a dist/ that holds nothing older. What runs inside
// a hound is plain JavaScript and is copied byte for byte.
import { execFileSync } from "node:child_process"
import { cpSync, globSync, rmSync } from "node:fs"
import { join } from "node:path"

const root = join(import.meta.dirname, "..")

rmSync(join(root, "dist"), { recursive: true, force: true })
execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json"], {
  cwd: root,
  stdio: "inherit"
})
for (const file of globSync("**/*.mjs", { cwd: join(root, "src") }))
  cpSync(join(root, "src", file), join(root, "dist", file))
