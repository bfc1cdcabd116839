/**
 * What a devops endpoint, as somebody configured it, means for a request: where to, as whom, and
 * what it is called in texts.
 *
 * Promises that `name` holds the origin and nothing else of the endpoint: webhooks keep their
 * secret in the path or the query, others in the user's name. Never throws; what cannot be posted
 * to is undefined.
 *
 * **Gotchas**
 *
 * - The fragment is dropped: it is never sent.
 * - A percent sign that encodes nothing is taken as it stands.
 */

/** Where alerts are posted. */
export interface Target {
  /** Without credentials and fragment: fetch refuses a URL that holds credentials. */
  readonly url: string
  /** What the URL held as `user:password@`, decoded. */
  readonly credentials: { readonly username: string; readonly password: string } | undefined
  /** The origin: what messages may hold of it. */
  readonly name: string
}

/** The target that `endpoint` names; undefined where it is no URL, or none of http: or https:. */
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
