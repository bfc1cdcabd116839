/**
 * What is said of a failure: no text of whoever provoked it gets through unescaped, and nothing
 * throws.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Exit } from "effect"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { ColdStorageError } from "../../src/custody/coldstorage/Endpoint.ts"
import { make } from "../../src/telemetry/Caller.ts"
import { classOf, escapedCause, escapedExit, framesOf, messageOf } from "../../src/telemetry/Causes.ts"

const broken = (): never => {
  throw new Error("on purpose")
}

/** What was thrown through a function of ours. */
const thrownThrough = (throws: () => never): unknown => {
  try {
    return make().within(undefined, throws)
  } catch (thrown) {
    return thrown
  }
}

const evil = "x\u001b[31m\n    at Writer (file:///evil.ts:1:1)\u2028"

/** Values that say nothing, lie or throw wherever they are asked. */
const hostile: ReadonlyArray<readonly [name: string, thrown: unknown]> = [
  [
    "a Proxy that throws at everything",
    new Proxy(new Error("m"), { get: broken, getPrototypeOf: broken, has: broken })
  ],
  ["an object without a prototype", Object.create(null)],
  ["an error whose message is a function", Object.assign(new Error("m"), { message: broken })],
  ["an error whose stack is a getter", Object.defineProperty(new Error("m"), "stack", { get: broken })],
  ["an error whose stack is another's", Object.assign(new Error("m"), { stack: evil })],
  ["an error with a name of its own", Object.assign(new Error("m"), { name: evil })],
  ["a class with the name of a text", new (Object.defineProperty(class {}, "name", { value: evil }))()],
  ["an error of a huge text", new Error(evil.repeat(100_000))],
  ["a text", evil],
  ["null", null],
  ["undefined", undefined],
  ["a symbol", Symbol(evil)],
  ["an object whose text is none", { toString: broken }]
]

const isSafe = (text: string): boolean => /^[ -~]*$/.test(text)

describe("of anything that can be thrown", () => {
  it.each(hostile)("RFC W6 nothing is said but escaped text of bounded length: %s", (_, thrown) => {
    assert.match(classOf(thrown), /^[A-Za-z_$][A-Za-z0-9_$]{0,63}$/)
    assert.isTrue(isSafe(messageOf(thrown)))
    assert.isAtMost(messageOf(thrown).length, 203)
    for (const frame of framesOf(thrown)) assert.notInclude(frame, "evil")
    const [error] = Cause.prettyErrors(escapedCause(Cause.die(thrown)))
    assert.isDefined(error)
    for (const line of [error.name, error.message, ...(error.stack ?? "").split("\n")])
      assert.isTrue(isSafe(line), line)
    assert.notMatch(error.stack ?? "", /^ +at Writer/m, "no frame can be forged")
    assert.isAtMost((error.stack ?? "").length, 64 * 410)
  })
})

describe("the class", () => {
  it("is that of the error, whatever its name says, or the type", () => {
    assert.deepStrictEqual(
      [new TypeError("m"), new ColdStorageError({ reason: "write", message: "m" }), {}, "text", 7, null, undefined].map(
        classOf
      ),
      ["TypeError", "ColdStorageError", "Object", "string", "number", "null", "undefined"]
    )
  })
})

describe("frames", () => {
  it("are those of Tracehound's own files, and no others", () => {
    const frames = framesOf(thrownThrough(broken))
    assert.isAtLeast(frames.length, 1)
    for (const frame of frames) assert.match(frame, /^(.+ \()?telemetry\/Caller\.ts:\d+\)?$/)
  })

  it("are none of the lines of a message", () => {
    const home = new URL("../../src/", import.meta.url).href
    const thrown = thrownThrough(() => {
      throw new Error(`m\n    at forged (${home}custody/Forged.ts:1:1)`)
    })
    assert.notInclude(framesOf(thrown).join(), "Forged")
    assert.include(framesOf(thrown).join(), "telemetry/Caller.ts")
  })

  it("are none where the stack does not begin with the message", () => {
    const thrown = thrownThrough(broken) as Error
    assert.include(thrown.stack, "on purpose")
    thrown.message = "another one"
    assert.deepStrictEqual(framesOf(thrown), [])
  })
})

describe("an escaped cause", () => {
  it("has the same reasons, with their classes and frames, and the exporters' view of them", () => {
    const cause = Cause.fromReasons([
      Cause.makeFailReason("a\nb"),
      Cause.makeDieReason(thrownThrough(() => {
        throw new TypeError("c\nd")
      })),
      Cause.makeInterruptReason(7)
    ])
    const { reasons } = escapedCause(cause)
    assert.deepStrictEqual(reasons.map(({ _tag }) => _tag), ["Fail", "Die", "Interrupt"])
    const [failed, died] = Cause.prettyErrors(escapedCause(cause))
    assert.deepStrictEqual([failed?.message, died?.name, died?.message], ["a\\u{a}b", "TypeError", "c\\u{a}d"])
    assert.include(died?.stack, "Caller.ts")
  })

  it("is made where a host has frozen what all errors inherit", async () => {
    const causes = new URL("../../src/telemetry/Causes.ts", import.meta.url).href
    const program = `import * as Cause from "effect/Cause"
      import { escapedCause } from "${causes}"
      Object.freeze(Error.prototype)
      console.log(String(Cause.squash(escapedCause(Cause.die(new TypeError("a\\nb"))))))`
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program])
    assert.strictEqual(stdout, "TypeError: a\\u{a}b\n")
  })

  it("leaves a success as it is", () => {
    const exit = Exit.succeed({ n: 1 })
    assert.strictEqual(escapedExit(exit), exit)
    assert.isTrue(Exit.isFailure(escapedExit(Exit.fail("a"))))
  })
})
