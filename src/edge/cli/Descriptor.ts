/**
 * Paths that name an open descriptor of this process.
 *
 * Opening such a path is not the same as using its descriptor: of a socket it fails, and of a
 * regular file it makes a second position.
 */
const paths = /^\/(?:dev|proc\/self)\/fd\/(\d{1,9})$/
const names = ["/dev/stdin", "/dev/stdout", "/dev/stderr"]

/** The descriptor that a path names, as `/dev/stdin` or `/dev/fd/63` do; otherwise undefined. */
export const parse = (path: string): number | undefined => {
  const named = names.indexOf(path)
  if (named >= 0) return named
  const digits = paths.exec(path)?.[1]
  return digits === undefined ? undefined : Number(digits)
}
