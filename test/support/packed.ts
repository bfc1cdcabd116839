/**
 * The package as a stranger gets it: packed from a copy of this tree, and installed by npm.
 */
import { execFile } from "node:child_process"
import { chmodSync, existsSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { promisify } from "node:util"
import { root } from "./programs.ts"

/** Nothing of the test runner around: some of what runs is a test runner itself. */
export const strangersEnvironment: Readonly<Record<string, string | undefined>> = Object.fromEntries([
  ...Object.entries(process.env).filter(([name]) =>
    !/^(?:NODE_(?!EXTRA_CA_CERTS)|VITEST|TEST_|FORCE_|TRACEHOUND_)/.test(name)
  ),
  ["NO_COLOR", "1"]
])

/** What a program said, and that it ended well: it throws where it did not. */
export interface Said {
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a program in a stranger's project, for at most `timeout` ms. Fails with all it said when it
 * fails.
 */
export const runAsStranger = (
  project: string,
  program: string,
  args: ReadonlyArray<string>,
  env: Readonly<Record<string, string>> = {},
  timeout: number = 110_000
): Promise<Said> =>
  promisify(execFile)(program, args, {
    cwd: project,
    env: { ...strangersEnvironment, ...env },
    timeout,
    maxBuffer: 100_000_000
  })

/**
 * Makes a directory a project that has the package and others, each given as npm takes it. What
 * npm has not in its cache it fetches.
 */
export const installPacked = async (project: string, others: ReadonlyArray<string> = []): Promise<void> => {
  // Hounds run as nobody where the host is root, and read the package.
  chmodSync(project, 0o755)
  const pack = [join(root, ".ci/pack.mjs"), "tarball", project]
  const { stdout } = await runAsStranger(root, process.execPath, pack, {}, 240_000)
  const manifest = join(project, "package.json")
  if (!existsSync(manifest))
    writeFileSync(manifest, JSON.stringify({ name: "stranger", private: true, type: "module" }))
  const tarball = `./${basename(stdout.trim())}`
  const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", tarball, ...others]
  await runAsStranger(project, "npm", install, {}, 240_000)
}
