/**
 * The cold storage that docs/embedding.md shows: its very text, run against an object store on the
 * loopback, under the contract of every endpoint.
 */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import { join } from "node:path"
import { buffer } from "node:stream/consumers"
import { pathToFileURL } from "node:url"
import { type ColdStorageEndpoint, openEnvelope, Tracehound } from "tracehound"
import { endpointContract } from "../custody/coldstorage/endpointContract.ts"
import { programsOf, root } from "../support/programs.ts"
import { documentAt } from "./documents.ts"

const program = programsOf(documentAt("docs/embedding.md").text).find((code) => code.includes("ColdStorageEndpoint")) ??
  ""

// Below the repository, so that packages and the tsconfig's paths are found; `reports` is not part
// of it.
mkdirSync(join(root, "reports"), { recursive: true })
const directory = mkdtempSync(join(root, "reports", "embedding-"))
afterAll(() => rmSync(directory, { recursive: true }))
writeFileSync(join(directory, "tsconfig.json"), JSON.stringify({ extends: "../../tsconfig.json", include: ["*.ts"] }))
writeFileSync(join(directory, "store.ts"), program)
const { storeAt }: { readonly storeAt: (url: string) => ColdStorageEndpoint["Service"] } = await import(
  pathToFileURL(join(directory, "store.ts")).href
)

/** A store of objects that are put once, on the loopback, until the scope closes. */
const store = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly stored: Map<string, Uint8Array>; readonly close: () => void }>(
    (resume) => {
      const stored = new Map<string, Uint8Array>()
      const server = createServer((request, response) => {
        const take = async () => {
          const body = await buffer(request)
          const name = (request.url ?? "").slice(1)
          const isTaken = stored.has(name) && request.headers["if-none-match"] === "*"
          if (request.method === "PUT" && !isTaken) stored.set(name, new Uint8Array(body))
          response.writeHead(request.method !== "PUT" ? 405 : isTaken ? 412 : 201).end()
        }
        void take()
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = address !== null && typeof address === "object" ? address.port : 0
        const close = () => {
          server.close()
          server.closeAllConnections()
        }
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, stored, close }))
      })
    }
  ),
  ({ close }) => Effect.sync(close)
)

endpointContract(
  "the object store of docs/embedding.md",
  Effect.map(
    store,
    ({ stored, url }) => ({ endpoint: storeAt(url), configured: url, stored: Effect.sync(() => stored) })
  )
)

describe("docs/embedding.md", () => {
  it("shows a cold storage of at most fifteen lines", () => {
    assert.isAtMost(program.slice(program.indexOf("export const storeAt")).trim().split("\n").length, 15)
  })

  it.live("RFC R7 the cold storage that it shows keeps evidence that can be opened", () =>
    Effect.gen(function*() {
      const { stored, url } = yield* store
      const layer = Tracehound.layerWith({ config: { hound: { enabled: false } }, coldStorage: storeAt(url) })
      yield* Effect.gen(function*() {
        const { intercept, settled } = yield* Tracehound
        const threat = { category: "injection", severity: "high" } as const
        const held = yield* intercept({ id: "1", source: "192.0.2.1", timestamp: 1, payload: "evidence", threat })
        if (held.status !== "quarantined") return assert.fail(held.status)
        assert.strictEqual(held.handle.evacuate()?.destination, url)
        yield* settled
      }).pipe(Effect.provide(layer))
      const contents = [...stored.values()].map((bytes) => new TextDecoder().decode(openEnvelope(bytes).content))
      assert.deepStrictEqual(contents, ["evidence"])
    }).pipe(Effect.scoped))
})
