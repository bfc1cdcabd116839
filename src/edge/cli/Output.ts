/**
 * Standard output and standard error, which a reader may close early and a device may refuse. It
 * imports nothing, so that an answer that is ready needs nothing else.
 */

const isClosedPipe = (error: Error): boolean => "code" in error && error.code === "EPIPE"

/** What is told of an error of standard output: nothing of the error but its code. */
const explain = (error: Error): string =>
  isClosedPipe(error)
    ? "standard output was closed early: the rest of the answer was not printed"
    : `standard output takes no more (${
      "code" in error ? String(error.code) : error.name
    }): the answer was not printed whole`

/**
 * Lets work go on whatever becomes of standard output and standard error, and says so once of
 * standard output. The function that it gives says whether the answer was printed, as far as its
 * reader wanted it.
 */
export const surviveOutput = (): () => boolean => {
  let first: Error | null = null
  const tell = (error: Error): void => {
    if (first !== null) return
    first = error
    process.stderr.write(`${explain(error)}\n`)
  }
  process.stdout.on("error", tell)
  process.stderr.on("error", () => undefined)
  return () => {
    // The event of an error comes a turn after the error, and takes it from the stream.
    const { errored } = process.stdout
    if (errored !== null) tell(errored)
    return first === null || isClosedPipe(first)
  }
}
