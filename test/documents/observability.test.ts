/** docs/observability.md: what it says of versions is what is tested. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../support/programs.ts"
import { documentAt } from "./documents.ts"

const { text } = documentAt("docs/observability.md")
const { devDependencies, peerDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  readonly devDependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

describe("docs/observability.md", () => {
  it("names the versions that are tested", () => {
    for (const name of ["@effect/opentelemetry", "@opentelemetry/sdk-metrics", "@opentelemetry/sdk-logs"])
      assert.include(text, devDependencies[name] ?? "no version", name)
  })

  it("installs every peer of tracehound/otel", () => {
    const install = /^npm install (.*opentelemetry.*)$/m.exec(text)?.[1] ?? ""
    const peers = Object.keys(peerDependencies).filter((name) => name.includes("opentelemetry"))
    assert.isAbove(peers.length, 2)
    for (const name of peers) assert.include(install, `${name}@`)
  })
})
