#!/usr/bin/env node
/**
 * The executable. It checks the version of Node before it loads anything else: an older one would
 * fail while loading. It loads the command line only for what has no answer that is ready.
 */
import { surviveOutput } from "./Output.ts"
import { readyAnswer } from "./ReadyAnswers.ts"

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

const answerAtOnce = (answer: string): void => {
  const isPrinted = surviveOutput()
  process.stdout.write(answer, () => {
    if (!isPrinted()) process.exitCode = 2
  })
}

if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `tracehound needs Node 22.19 or newer; this is ${process.versions.node}. Node 24 or newer is advised.\n`
  )
  process.exitCode = 2
} else {
  const terminal = { env: process.env, isTerminal: process.stdout.isTTY }
  const answer = readyAnswer(process.argv.slice(2), terminal)
  if (answer === null) {
    const { main } = await import("./main.ts")
    main()
  } else {
    answerAtOnce(answer)
  }
}
