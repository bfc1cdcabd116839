/**
 * A crawler with a limit on its rate: a frontier that knows every address it has seen, and a pool
 * of fetchers in which each host has one fetcher, so that no host gets two requests at once.
 *
 * - The pool routes by key: the same host, the same fetcher. A fetcher takes its time between two
 *   requests to its hosts; what waits for it waits in its mailbox.
 * - The frontier is bounded: it keeps a set of what it has seen, up to a limit, and counts what it
 *   leaves out.
 * - A page that fails is tried again once, later; a fetcher that crashes over a page costs that
 *   page.
 */
import { Clock, Console, Deferred, Effect, Request } from "effect"
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import * as Actor from "tracehound/actor"

/** A small site: each page links to others, one is broken now and then, one is missing. */
const startSite = Effect.acquireRelease(
  Effect.promise(async () => {
    const times: Array<number> = []
    let isFirst = true
    const server = createServer((request, response) => {
      times.push(performance.now())
      const page = Number((request.url ?? "").slice(1))
      if (page === 5 && isFirst) {
        isFirst = false
        response.writeHead(503).end()
      } else if (!(page < 20)) response.writeHead(404).end()
      else response.end(`<a href="/${2 * page + 1}"></a><a href="/${2 * page + 2}"></a><a href="/0"></a>`)
    }).listen(0, "127.0.0.1")
    await once(server, "listening")
    return { server, times }
  }),
  ({ server }) =>
    Effect.promise(async () => {
      server.closeAllConnections()
      server.close()
      await once(server, "close")
    })
)

class Fetch extends Request.TaggedClass("Fetch")<{ readonly url: URL }, ReadonlyArray<URL>, FetchFailed> {}
class FetchFailed {
  readonly _tag = "FetchFailed"
  readonly isWorthAnotherTry: boolean
  constructor(isWorthAnotherTry: boolean) {
    this.isWorthAnotherTry = isWorthAnotherTry
  }
}

const pauseMs = 10
const maxPageBytes = 100_000

/** The page's links, as addresses of the same site. */
const linksOf = (html: string, base: URL): ReadonlyArray<URL> =>
  Array.from(html.matchAll(/<a href="([^"]*)"/g), ([, href = ""]) => new URL(href, base))
    .filter(({ host }) => host === base.host)

const Fetcher = Actor.define<Fetch>()("fetcher", {
  mailbox: Actor.fifo({ capacity: 256 }),
  drain: "1 second",
  behaviour: () =>
    Effect.sync(() => {
      /** When each host may be asked again. */
      const free = new Map<string, number>()
      return {
        Fetch: ({ url }) =>
          Effect.gen(function*() {
            const now = yield* Clock.currentTimeMillis
            yield* Effect.sleep(Math.max(0, (free.get(url.host) ?? 0) - now))
            // Counted from the answer on: one that was slow to arrive is not followed at once.
            const response = yield* Effect.tryPromise({
              try: (signal) => fetch(url, { signal }),
              catch: () => new FetchFailed(true)
            }).pipe(Effect.ensuring(Effect.map(Clock.currentTimeMillis, (now) => free.set(url.host, now + pauseMs))))
            const html = yield* Effect.promise(() => response.text())
            if (!response.ok) return yield* Effect.fail(new FetchFailed(response.status >= 500))
            return linksOf(html.slice(0, maxPageBytes), url)
          })
      }
    })
})

class Visit extends Request.TaggedClass("Visit")<{ readonly url: URL; readonly isAgain: boolean }, void> {}
class Visited extends Request.TaggedClass("Visited")<
  { readonly url: URL; readonly links: ReadonlyArray<URL>; readonly outcome: "fetched" | "again" | "failed" },
  void
> {}

interface Summary {
  readonly fetched: number
  readonly failed: number
  readonly retried: number
  readonly leftOut: number
}

const maxSeen = 1_000

const makeFrontier = (fetchers: Actor.Pool<Fetch>, finished: Deferred.Deferred<Summary>) =>
  Actor.define<Visit | Visited>()("frontier", {
    behaviour: (self) =>
      Effect.sync(() => {
        const seen = new Set<string>()
        const triedAgain = new Set<string>()
        let [fetched, failed, leftOut, open] = [0, 0, 0, 0]
        const visit = (url: URL) => {
          open += 1
          return Effect.asVoid(self.pipe(fetchers.ask(new Fetch({ url }), { timeout: "10 seconds" }), (exit) => {
            if (exit._tag === "Success") return new Visited({ url, links: exit.value, outcome: "fetched" })
            const isWorthIt = exit.cause.reasons.some((reason) =>
              reason._tag === "Fail" && reason.error._tag === "FetchFailed" && reason.error.isWorthAnotherTry
            )
            return new Visited({ url, links: [], outcome: isWorthIt ? "again" : "failed" })
          }))
        }
        const visitNew = (url: URL) => {
          if (seen.has(url.href)) return Effect.void
          if (seen.size === maxSeen) {
            leftOut += 1
            return Effect.void
          }
          seen.add(url.href)
          return visit(url)
        }
        return {
          Visit: ({ isAgain, url }) => {
            if (!isAgain) return visitNew(url)
            open -= 1
            return visit(url)
          },
          Visited: ({ links, outcome, url }) =>
            Effect.gen(function*() {
              if (outcome === "again" && !triedAgain.has(url.href)) {
                triedAgain.add(url.href)
                // It stays open until its second try begins.
                return yield* self.timers.once(url.href, "20 millis", new Visit({ url, isAgain: true }))
              }
              open -= 1
              if (outcome === "fetched") fetched += 1
              else failed += 1
              yield* Effect.forEach(links, visitNew, { discard: true })
              if (open === 0) yield* Deferred.succeed(finished, { fetched, failed, leftOut, retried: triedAgain.size })
            })
        }
      })
  })

const program = Effect.gen(function*() {
  const { root } = yield* Actor.ActorSystem
  const { server, times } = yield* startSite
  const { port } = server.address() as AddressInfo
  const fetchers = yield* root.pool(Fetcher, { size: 4, route: ({ url }) => url.host })
  const finished = yield* Deferred.make<Summary>()
  const frontier = yield* root.spawn(makeFrontier(fetchers, finished))
  yield* frontier.tell(new Visit({ url: new URL(`http://127.0.0.1:${port}/0`), isAgain: false }))
  const { failed, fetched, leftOut, retried } = yield* Deferred.await(finished)
  yield* Console.log(`fetched: ${fetched}, failed: ${failed}, retried: ${retried}, left out: ${leftOut}`)
  const gaps = times.slice(1).map((time, n) => time - (times[n] ?? 0))
  // A timer may come a millisecond early, by the clock of another thread.
  yield* Console.log(`never faster than allowed: ${Math.min(...gaps) > pauseMs - 5}`)
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(Actor.ActorSystem.layer())))
