/**
 * The packages that the bench compares with: in its own manifest, installed when first needed.
 */
import { assert, describe, it } from "@effect/vitest"
import { copyFileSync, existsSync } from "node:fs"
import { join } from "node:path"
import { catalogue } from "../../bench/catalogue.ts"
import { installPackages, isOfPeer, loadPeer, peerNames } from "../../bench/peers.ts"
import { inTemporaryDirectory } from "../support/command.ts"
import { restOf, sampled } from "../support/tiers.ts"

const bench = join(import.meta.dirname, "../../bench")

describe("the bench's peers", () => {
  sampled(it)("each have a line that is known to be theirs", () => {
    const lines = catalogue.flatMap(({ lines }) => lines.map(({ name }) => name)).filter(isOfPeer)
    for (const peer of peerNames) assert.isTrue(lines.some((line) => line.startsWith(peer)), peer)
    assert.isFalse(isOfPeer("round trip, 1 KiB: p50"))
  })

  sampled(it)("that are missing are told with what installs them", async () => {
    const message = await loadPeer("no-such-peer" as "xstate").then(() => "loaded", String)
    assert.match(message, /no-such-peer is missing: `npm ci` in bench\//)
  })

  restOf(it)("are installed from the lockfile, once", () =>
    inTemporaryDirectory((folder) => {
      for (const file of ["package.json", "package-lock.json", ".npmrc"])
        copyFileSync(join(bench, file), join(folder, file))
      assert.isTrue(installPackages(folder))
      for (const peer of peerNames) assert.isTrue(existsSync(join(folder, "node_modules", peer, "package.json")), peer)
      assert.isFalse(installPackages(folder))
      return Promise.resolve()
    }), 120_000)
})
