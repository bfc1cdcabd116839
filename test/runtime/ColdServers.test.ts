import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createTracehound, openEnvelope, type TracehoundConfigInput } from "../../src/index.ts"
import { bucket, credentials, objectStore, receiver, region } from "../custody/coldstorage/servers.ts"

const key = "k".repeat(32)
const threat = (payload: string) => ({
  id: payload,
  source: "192.0.2.1",
  timestamp: 0,
  payload,
  threat: { category: "spam" as const, severity: "low" as const }
})

/** Sends evidence to cold storage at this endpoint, by a Tracehound that is gone afterwards. */
const evacuateTo = (coldStorage: NonNullable<NonNullable<TracehoundConfigInput["audit"]>["coldStorage"]>) =>
  Effect.promise(async () => {
    const tracehound = createTracehound({ hound: { enabled: false }, audit: { coldStorage } })
    await tracehound.init()
    const results = ["one", "two"].map((payload) => tracehound.intercept(threat(payload)))
    const records = results.map((result) => result.status === "quarantined" ? result.handle.evacuate() : null)
    await tracehound.dispose()
    return { records, stats: tracehound.coldStorage.stats() }
  })

describe("a Tracehound whose cold storage is a server", () => {
  it.effect("RFC C1 sends evidence to http: and to s3: by the URL alone, and records name it so", () =>
    Effect.gen(function*() {
      const server = yield* receiver(key)
      const store = yield* objectStore
      const s3 = { endpoint: store.origin, region, pathStyle: true, ...credentials }
      const places = [
        { endpoint: `${server.origin}/evidence`, http: { key }, stored: server.stored },
        { endpoint: `s3://${bucket}/evidence`, s3, stored: store.stored }
      ]
      for (const { stored, ...coldStorage } of places) {
        const { records, stats } = yield* evacuateTo(coldStorage)
        assert.deepStrictEqual(records.map((record) => record?.destination), [
          coldStorage.endpoint,
          coldStorage.endpoint
        ])
        assert.deepStrictEqual([stats.written, stats.unconfirmed, stats.deadLetters], [2, 0, 0])
        const opened = [...(yield* stored).values()].map((bytes) =>
          new TextDecoder().decode(openEnvelope(bytes).content)
        )
        assert.sameMembers(opened, ["one", "two"])
      }
    }))
})
