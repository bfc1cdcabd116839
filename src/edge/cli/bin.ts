#!/usr/bin/env node
/**
 * The executable. It checks the version of Node before it loads anything else: an older one would
 * fail while loading.
 */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `tracehound needs Node 22.19 or newer; this is ${process.versions.node}. Node 24 or newer is advised.\n`
  )
  process.exitCode = 2
} else {
  const { main } = await import("./main.ts")
  main()
}
