/**
 * Runs the command line as users do: a real process, from source, on the Node of the tests.
 */
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** How a process ended. */
export interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Written to standard input, piece by piece. */
  readonly input?: ReadonlyArray<Uint8Array | string>
  /** Closes standard output before anything is written to it. */
  readonly closeEarly?: boolean
  readonly nodeFlags?: ReadonlyArray<string>
}

const bin = fileURLToPath(new URL("../../src/edge/cli/bin.ts", import.meta.url))

/** Runs `tracehound` with these arguments. */
export const tracehound = (args: ReadonlyArray<string>, options: RunOptions = {}): Promise<Ended> =>
  run(process.execPath, [...(options.nodeFlags ?? []), bin, ...args], options)

/** Runs a script of bash, in which `"$@"` is the command line: for redirections. */
export const shell = (script: string, options: RunOptions = {}): Promise<Ended> =>
  run("bash", ["-c", script, "bash", process.execPath, bin], options)

const run = (program: string, args: ReadonlyArray<string>, options: RunOptions): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const { NODE_OPTIONS: _, ...inherited } = process.env
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...inherited, NO_COLOR: "1", ...options.env },
      stdio: ["pipe", "pipe", "pipe"],
      timeout: 60_000
    })
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
    })
    if (options.closeEarly === true) child.stdout.destroy()
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    child.on("error", reject)
    child.on("close", (status) => resolve({ status, stdout, stderr }))
    // A command may end before it has read all of its input.
    child.stdin.on("error", () => child.stdin.destroy())
    for (const piece of options.input ?? []) child.stdin.write(piece)
    child.stdin.end()
  })

/** Runs the test with a temporary directory. */
export const inTemporaryDirectory = async <A>(use: (directory: string) => Promise<A>): Promise<A> => {
  const directory = mkdtempSync(join(tmpdir(), "tracehound-test-"))
  try {
    return await use(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
