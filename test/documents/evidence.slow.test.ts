/**
 * docs/evidence.md: its commands run, one after the other, and print what stands beneath them.
 */
import { assert, describe } from "@effect/vitest"
import { it } from "vitest"
import { inTemporaryDirectory, shell } from "../support/command.ts"
import { sampled } from "../support/tiers.ts"
import { documentAt } from "./documents.ts"

const { text } = documentAt("docs/evidence.md")

/** Each script, and what is shown beneath it; undefined where nothing is. */
const scripts = Array.from(
  text.matchAll(/^```sh\n([\s\S]*?)^```\n(?:\n```\n([\s\S]*?)^```$)?/gm),
  ([, script = "", shown]) => ({ script, shown })
)

/**
 * Ids end at random, of which the document has what comes of the recorded time; and hosts compress
 * differently.
 */
const withoutChance = (printed: string): string =>
  printed.replaceAll(/(019ad52d-)[0-9a-f-]{36}/g, "$1…").replaceAll(/\d+ B on disk/g, "… on disk")

describe("docs/evidence.md", () => {
  sampled(it)("SYS L12 has commands that print what it shows", () =>
    inTemporaryDirectory(async (cwd) => {
      assert.isAtLeast(scripts.length, 5)
      for (const { script, shown } of scripts) {
        const { status, stderr, stdout } = await shell(
          `tracehound() { command "$NODE" "$BIN" "$@"; }\nNODE=$1 BIN=$2\n${script}`,
          { cwd }
        )
        assert.deepStrictEqual([status, stderr], [0, ""], script)
        assert.strictEqual(withoutChance(stdout), withoutChance(shown ?? ""), script)
      }
    }))
})
