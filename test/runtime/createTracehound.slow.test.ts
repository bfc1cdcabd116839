import { assert, describe, it as every } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createTracehound, InvalidConfig } from "tracehound"
import { sampleOf } from "../support/tiers.ts"

const it = sampleOf(every, 2)

const threat = { category: "spam", severity: "low" } as const
const scent = (payload: unknown) => ({ id: "1", source: "192.0.2.1", timestamp: 1, payload, threat })

describe("createTracehound", () => {
  it("is usable at once, before init", async () => {
    const tracehound = createTracehound()
    assert.strictEqual(tracehound.intercept(scent("a")).status, "quarantined")
    assert.strictEqual(tracehound.intercept(scent("a")).status, "ignored")
    assert.strictEqual(tracehound.quarantine.count, 1)
    assert.strictEqual(tracehound.watcher.snapshot().quarantine.bytes, 1)
    assert.strictEqual(tracehound.flush().length, 1)
    assert.isTrue(tracehound.auditChain.verify())
    await tracehound.dispose()
  })

  it("throws for a wrong configuration, with every mistake", () => {
    const wrong = JSON.parse("{\"maxPayloadSize\":-1,\"alerts\":{\"windowMs\":1.5}}")
    try {
      createTracehound(wrong)
      assert.fail("it was accepted")
    } catch (error) {
      assert.instanceOf(error, InvalidConfig)
      assert.strictEqual(error instanceof InvalidConfig ? error.mistakes.length : 0, 2)
    }
  })

  it("RFC R4 has an idempotent init and an idempotent dispose", async () => {
    const tracehound = createTracehound()
    await Promise.all([tracehound.init(), tracehound.init()])
    await tracehound.init()
    await Promise.all([tracehound.dispose(), tracehound.dispose()])
    await tracehound.dispose()
    const after = tracehound.intercept(scent("late"))
    assert.deepStrictEqual(after.status === "error" ? [after.error.code, after.error.recoverable] : after, [
      "disposed",
      false
    ])
    const refused = await tracehound.init().then(() => "accepted", (error: Error) => error.message)
    assert.include(refused, "disposed of")
  })

  it("RFC R4 wipes what is held when it is disposed of", async () => {
    const tracehound = createTracehound()
    const result = tracehound.intercept(scent("secret"))
    if (result.status !== "quarantined") return assert.fail(result.status)
    const view = new Uint8Array(result.handle.bytes ?? new ArrayBuffer(0))
    await tracehound.dispose()
    assert.isTrue(result.handle.disposed)
    assert.strictEqual(view.length, 0)
  })

  it("writes what waited for cold storage once init has run, and lets init be tried again", async () => {
    const directory = mkdtempSync(join(tmpdir(), "tracehound-"))
    const endpoint = join(directory, "evidence")
    writeFileSync(endpoint, "in the way")
    const tracehound = createTracehound({
      hound: { enabled: false },
      quarantine: { maxCount: 1 },
      audit: { coldStorage: { endpoint: `file:${endpoint}` } }
    })
    tracehound.intercept(scent("a"))
    tracehound.intercept(scent("b"))
    assert.strictEqual(tracehound.coldStorage.stats().pending, 1)
    const failed = await tracehound.init().then(() => "opened", (error: Error) => error.message)
    assert.include(failed, "cannot be opened")
    rmSync(endpoint)
    await tracehound.init()
    await tracehound.dispose()
    assert.strictEqual(readdirSync(endpoint).length, 1)
    assert.strictEqual(tracehound.coldStorage.stats().written, 1)
    rmSync(directory, { recursive: true })
  })

  it("counts what cold storage never came to, where it was never started", async () => {
    const directory = mkdtempSync(join(tmpdir(), "tracehound-"))
    const tracehound = createTracehound({
      quarantine: { maxCount: 1 },
      audit: { coldStorage: { endpoint: `file:${directory}` } }
    })
    tracehound.intercept(scent("a"))
    tracehound.intercept(scent("b"))
    await tracehound.dispose()
    assert.strictEqual(tracehound.coldStorage.stats().deadLetters, 1)
    rmSync(directory, { recursive: true })
  })

  it("ends with the block it is declared in", async () => {
    let escaped
    {
      await using tracehound = createTracehound()
      escaped = tracehound
      assert.strictEqual(tracehound.intercept(scent("a")).status, "quarantined")
    }
    assert.strictEqual(escaped.intercept(scent("b")).status, "error")
  })

  it("RFC R4 leaves no handle open, and holds no process up that forgets to dispose of it", () => {
    const directory = mkdtempSync(join(tmpdir(), "tracehound-"))
    const run = (ending: string): { readonly during: Array<string>; readonly after: Array<string> } => {
      const script = `
        import { createTracehound } from ${JSON.stringify(new URL("../../src/index.ts", import.meta.url).href)}
        const before = process.getActiveResourcesInfo()
        const tracehound = createTracehound({
          quarantine: { maxCount: 1 }, audit: { coldStorage: { endpoint: ${JSON.stringify(`file:${directory}`)} } }
        })
        await tracehound.init()
        for (const payload of ["a", "b", "c"]) {
          tracehound.intercept({ id: "1", source: "s", timestamp: 1, payload, threat: { category: "spam", severity: "low" } })
        }
        ${ending}
        const minus = (now, then) => now.filter((name) => !then.includes(name))
        process.stdout.write(JSON.stringify({ after: minus(process.getActiveResourcesInfo(), before) }))`
      return JSON.parse(
        execFileSync(process.execPath, ["--input-type=module-typescript", "-e", script], {
          encoding: "utf8",
          timeout: 20_000,
          stdio: ["ignore", "pipe", "inherit"]
        })
      )
    }
    assert.deepStrictEqual(run("await tracehound.dispose()").after, [])
    run("/* forgets to */")
    rmSync(directory, { recursive: true })
  })
})
