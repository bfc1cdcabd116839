import { assert, describe, it } from "@effect/vitest"
import { Redacted, Result } from "effect"
import { inspect } from "node:util"
import { parseSecret } from "../../../src/custody/encryption/MasterSecret.ts"
import { noise } from "../../host/port/contract.ts"

const bytes = noise(32, 3)
const parsed = (text: string) => parseSecret(Redacted.make(text))

describe("a master secret", () => {
  it.each([
    ["base64", Buffer.from(bytes).toString("base64")],
    ["base64 with a line's end, as openssl prints it", `${Buffer.from(bytes).toString("base64")}\n`],
    ["hexadecimal", Buffer.from(bytes).toString("hex")],
    ["hexadecimal in uppercase", Buffer.from(bytes).toString("hex").toUpperCase()]
  ])("SYS L4 is read from %s", (_name, text) => {
    const secret = parsed(text)
    assert.deepStrictEqual(Result.isSuccess(secret) ? [...Redacted.value(secret.success)] : null, [...bytes])
  })

  it.each([
    ["nothing", ""],
    ["a password", "correct horse battery staple"],
    ["31 bytes", Buffer.from(noise(31)).toString("base64")],
    ["62 digits", "ab".repeat(31)],
    ["the same byte again and again", Buffer.alloc(32, 7).toString("base64")],
    ["zeros", "0".repeat(64)],
    ["base64 that is cut", Buffer.from(noise(33)).toString("base64").slice(0, -1)],
    ["more than 1,024 bytes", Buffer.from(noise(1_025)).toString("base64")],
    ["a megabyte", "a".repeat(1_000_000)],
    ["other characters", "é".repeat(64)]
  ])("SYS L4 is not %s, and the error does not repeat it", (_name, text) => {
    const refused = parsed(text)
    assert.isTrue(Result.isFailure(refused))
    if (Result.isSuccess(refused)) return
    assert.strictEqual(refused.failure.reason, "bad_secret")
    assert.include(refused.failure.message, "openssl rand -base64 32")
    if (text.length > 3) assert.notInclude(refused.failure.message, text.slice(0, 40))
  })

  it("SYS L4 is never printed", () => {
    const secret = parsed(Buffer.from(bytes).toString("base64"))
    assert.isTrue(Result.isSuccess(secret))
    if (Result.isFailure(secret)) return
    const printed = [String(secret.success), JSON.stringify(secret.success), inspect(secret.success, { depth: 9 })]
    for (const text of printed) {
      assert.include(text, "redacted")
      assert.notInclude(text, String(bytes[0]) + "," + String(bytes[1]))
    }
  })
})
