import { assert, describe, it } from "@effect/vitest"
import { Redacted, Result } from "effect"
import { configNotes, describeNotes } from "../../src/config/ConfigNotes.ts"
import { resolveArgument } from "./configs.ts"

const notesOn = (argument: object) => configNotes(Result.getOrThrow(resolveArgument(argument)))
const pathsOn = (argument: object): ReadonlyArray<string> => notesOn(argument).map(({ path }) => path)
const endpoint = "file:./evidence"

describe("configNotes", () => {
  it("RFC R2 has none on the defaults, nor on what is ordinary", () => {
    for (
      const argument of [
        {},
        { audit: { coldStorage: { endpoint } } },
        { audit: { coldStorage: { endpoint: "s3://bucket" } } },
        { audit: { coldStorage: { endpoint: "https://a", http: { key: "k".repeat(32) } } } },
        { quarantine: { maxBytes: 1_000_000 } },
        { signature: { key: "0123456789abcdef".repeat(4) } },
        { failSafe: { onSystemError: "panic", onHoundError: "quarantine", panic: { threshold: { min: 1, max: 1 } } } },
        { failSafe: { panic: { threshold: { min: 1, max: 2 } } } }
      ]
    )
      assert.deepStrictEqual(notesOn(argument), [])
  })

  const cases: ReadonlyArray<readonly [name: string, argument: object, paths: ReadonlyArray<string>]> = [
    ["a quarantine smaller than a payload", { quarantine: { maxBytes: 10 } }, ["quarantine.maxBytes"]],
    ["a payload larger than the quarantine", { maxPayloadSize: 268_435_456 }, ["quarantine.maxBytes"]],
    ["cold storage smaller than a payload", { audit: { coldStorage: { endpoint, maxPendingBytes: 999_999 } } }, [
      "audit.coldStorage.maxPendingBytes"
    ]],
    ["a server that knows nobody", { audit: { coldStorage: { endpoint: "https://a" } } }, [
      "audit.coldStorage.http.key"
    ]],
    ["a server in the clear", { audit: { coldStorage: { endpoint: "http://a", http: { key: "k".repeat(32) } } } }, [
      "audit.coldStorage.endpoint"
    ]],
    ["a store in the clear", { audit: { coldStorage: { endpoint: "s3://bucket", s3: { endpoint: "http://a" } } } }, [
      "audit.coldStorage.s3.endpoint"
    ]],
    ["a key of one character", { signature: { key: "k".repeat(32) } }, ["signature.key"]],
    ["a key of few", { signature: { key: Redacted.make("secret".repeat(8)) } }, ["signature.key"]],
    ...["onTimeout", "onEncodeError", "onQuarantineFull", "onHoundError"].map((setting) =>
      [`${setting} that is panic`, { failSafe: { [setting]: "panic" } }, [`failSafe.${setting}`]] as const
    ),
    ["one escalation that is a panic", { failSafe: { panic: { threshold: { min: 1, max: 1 } } } }, [
      "failSafe.panic.threshold.max"
    ]],
    ["all of it", {
      maxPayloadSize: 2,
      quarantine: { maxBytes: 1 },
      signature: { key: "k".repeat(32) },
      audit: { coldStorage: { endpoint, maxPendingBytes: 1 } },
      failSafe: { onTimeout: "panic", onQuarantineFull: "escalate", panic: { threshold: { min: 1, max: 1 } } }
    }, [
      "quarantine.maxBytes",
      "signature.key",
      "audit.coldStorage.maxPendingBytes",
      "failSafe.onTimeout",
      "failSafe.panic.threshold.max"
    ]]
  ]
  it.each(cases)("RFC R2 says so: %s", (_name, argument, paths) => {
    assert.deepStrictEqual(pathsOn(argument), [...paths])
    const lines = describeNotes(notesOn(argument)).join("\n")
    assert.match(lines, /^note {5}/)
    for (const secret of ["kkkk", "secretsecret"]) assert.notInclude(lines, secret)
  })
})
