/**
 * Parses a configured devops endpoint into the parts of a request: its URL, its credentials, and
 * the name that messages give it.
 *
 * Promises that `name` holds the origin and nothing else of the endpoint: webhooks keep their
 * secret in the path or the query, others in the user name. Never throws; gives undefined for what
 * cannot be posted to.
 *
 * **Gotchas**
 *
 * - The fragment is dropped: it is never sent.
 * - A user name or password with a percent sign that encodes nothing is taken as it stands.
 */

/** An endpoint that alerts can be posted to. */
export interface Target {
  /** Without credentials and fragment: fetch refuses a URL that holds credentials. */
  readonly url: string
  /** The URL's `user:password@`, decoded. */
  readonly credentials: { readonly username: string; readonly password: string } | undefined
  /** The origin, the only part that messages may hold. */
  readonly name: string
}

/** Undefined where `endpoint` is no http: or https: URL. */
export const targetOf = (endpoint: string): Target | undefined => {
  const url = URL.parse(endpoint)
  if (url === null || !["http:", "https:"].includes(url.protocol)) return undefined
  const { password, username } = url
  url.username = ""
  url.password = ""
  url.hash = ""
  return {
    url: url.href,
    credentials: username === "" && password === ""
      ? undefined
      : { username: decoded(username), password: decoded(password) },
    name: url.origin
  }
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
