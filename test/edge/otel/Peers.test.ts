import { assert, describe, it } from "@effect/vitest"
import { createRequire } from "node:module"
import { peer } from "../../../src/edge/otel/Peers.ts"

describe("the peers of tracehound/otel", () => {
  it("are named, with what to install, where one is missing", () => {
    const nowhere = createRequire("/nowhere/index.js")
    assert.throws(
      () => peer("@opentelemetry/api", nowhere),
      /^tracehound\/otel needs @opentelemetry\/api, which is not installed: npm install @opentelemetry\/api@1\.9 /
    )
  })

  it("fail with their own error where they are there and broken", () => {
    const broken = new Error("broken")
    assert.throws(
      () =>
        peer("x", () => {
          throw broken
        }),
      broken
    )
  })
})
