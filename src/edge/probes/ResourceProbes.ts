/**
 * Attacks on a machine's resources (CONFORMANCE H4): time, memory, descriptors, processes. The host
 * must end the hound, and nothing else may suffer from it.
 */

/** An analyzer that wants too much. */
export interface ResourceProbe {
  /** `resource/name`. */
  readonly name: string
  readonly source: string
  /** Whether it reaches a limit of memory if it has the time. */
  readonly isOfMemory: boolean
}

const make = (isOfMemory: boolean) => (name: string, body: string): ResourceProbe => ({
  name: `resource/${name}`,
  source: `export const analyze = async (bytes) => {\n${body}\n}\n`,
  isOfMemory
})
const probe = make(false)
const hoard = make(true)

const endless = "await new Promise(() => {})"

/** All of them would go on for ever. */
export const resourceProbes: ReadonlyArray<ResourceProbe> = [
  probe("loop", "for (;;);"),
  probe("loopAsync", "for (;;) await null"),
  probe("loopTimers", "for (;;) await new Promise((resolve) => setTimeout(resolve, 0))"),
  probe("microtasks", `const again = () => queueMicrotask(again)\nagain()\n${endless}`),
  probe("never", endless),
  probe(
    "reDoS",
    "for (;;) /^(a+)+$/.test('a'.repeat(40) + 'b')"
  ),
  hoard(
    "regExps",
    "const kept = []\nfor (let i = 0;; i++) { const r = new RegExp('(a|b){' + (i % 900) + '}'); r.test('ab'.repeat(900)); kept.push(r) }"
  ),
  hoard("heap", "const kept = []\nfor (;;) kept.push({ a: new Array(100).fill({}) })"),
  hoard(
    "string",
    "let s = 'x'.repeat(1 << 20)\nconst kept = []\nfor (;;) { kept.push((s + kept.length).split('').join('y')); s += s.slice(0, 1 << 20) }"
  ),
  hoard("buffer", "const kept = []\nfor (;;) kept.push(new Uint8Array(8 << 20).fill(7))"),
  hoard(
    "bufferHuge",
    "for (let n = 2 ** 33;; n = n > 1 << 24 ? n / 2 : n) try { const b = new Uint8Array(n); for (let i = 0; i < n; i += 4096) b[i] = 1 } catch {}"
  ),
  hoard(
    "bufferGrow",
    "const b = new ArrayBuffer(1, { maxByteLength: 2 ** 31 })\nfor (let n = 1;; n = Math.min(n + (4 << 20), 2 ** 31)) { b.resize(n); new Uint8Array(b, Math.max(0, n - (4 << 20))).fill(7) }"
  ),
  probe(
    "digest",
    "const b = new Uint8Array(16 << 20)\nfor (;;) await Promise.all([crypto.subtle.digest('SHA-512', b), crypto.subtle.digest('SHA-512', b)])"
  ),
  probe(
    "deriveKey",
    "const key = await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits']).catch(() => null)\n" +
      "for (;;) { try { await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(8), iterations: 2 ** 31 - 1 }, key, 512) } catch { await null } }"
  ),
  probe(
    "generateKey",
    "for (;;) { try { await crypto.subtle.generateKey({ name: 'RSA-PSS', modulusLength: 16384, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-512' }, true, ['sign']) } catch { await null } }"
  ),
  probe("random", "const b = new Uint8Array(65536)\nfor (;;) { crypto.getRandomValues(b); crypto.randomUUID() }"),
  probe(
    "sort",
    "for (;;) Array.from({ length: 1 << 21 }, (_, i) => (i * 2654435761) % 4294967296).sort((a, b) => (a * b) % 3 - 1)"
  ),
  probe(
    "json",
    "let o = []\nfor (;;) { o = [o, o.length, 'x'.repeat(1000)]; JSON.parse(JSON.stringify(Array.from({ length: 200000 }, () => ({ a: [1, 2, 3] })))) }"
  ),
  hoard("bigInt", "let n = 3n\nfor (;;) n *= n"),
  probe("bigIntText", "const n = 7n ** 2000000n\nfor (;;) void n.toString()"),
  hoard("map", "const m = new Map()\nfor (let i = 0;; i++) m.set(i, { i })"),
  hoard("array", "const a = []\nfor (;;) a.push(1.5, 2.5, 3.5, 4.5)"),
  probe(
    "recursion",
    "const f = () => { try { return f() + f() } catch { return f() } }\nfor (;;) try { f() } catch {}"
  ),
  hoard(
    "generators",
    "const kept = []\nfor (;;) { const g = (function* () { yield new Array(50) })(); g.next(); kept.push(g) }"
  ),
  hoard("promises", "const kept = []\nfor (;;) kept.push(new Promise(() => {}).then(() => kept))"),
  hoard("timers", `const again = () => { for (let i = 0; i < 1000; i++) setTimeout(again, 0) }\nagain()\n${endless}`),
  probe(
    "descriptors",
    "for (;;) { try { const m = await import('node:fs'); for (;;) m.openSync('/dev/null') } catch { await null } }"
  ),
  probe(
    "forks",
    "for (;;) { try { const m = await import('node:child_process'); m.spawn('/bin/sleep', ['9']) } catch { await null } }"
  ),
  hoard(
    "normalize",
    "const s = '\\u0344\\u1e9b\\u0323'.repeat(1 << 16)\nconst kept = []\nfor (;;) kept.push(s.normalize('NFD') + kept.length)"
  ),
  hoard(
    "finalizers",
    "const r = new FinalizationRegistry(() => { for (let i = 0; i < 1e6; i++) r.register({}, i) })\nfor (let i = 0;; i++) { r.register({}, i); if (i % 10000 === 0) await null }"
  )
]
