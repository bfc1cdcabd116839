/**
 * Stores of tests: in a directory that goes with the scope, and signed by a key of zeros.
 */
import { Effect, type Scope } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { LedgerStore } from "../../../src/custody/ledger/LedgerStore.ts"
import { open, type StoreOptions } from "../../../src/custody/store/Store.ts"
import type { StoreOpenError } from "../../../src/custody/store/StoreErrors.ts"

type Store = LedgerStore["Service"]

/** The key of all tests: what it signs proves nothing to anybody. */
export const testSigner = { name: "tracehound.test/ledger", seed: new Uint8Array(32) } as const

/** A directory that is removed when the scope closes. */
export const temporaryDirectory: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "tracehound-store-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

/** Opens a store with a small ring and no reserve. */
export const openIn = (
  directory: string,
  options: Partial<StoreOptions> = {}
): Effect.Effect<Store, StoreOpenError, Scope.Scope> =>
  open({ directory, signer: testSigner, ringBytes: 2 ** 20, reserveBytes: 0, ...options })

const utf8 = new TextEncoder()

/** The text that tests give to an entry. */
export const bodyOf = (sequence: number): string => `{"sequence":${sequence},"text":"é😀"}`

/** Pushes entries until there is no room; gives the sequence of the one that comes next. */
export const pushTo = ({ pushUnsafe, wakeUnsafe }: Store, from: number, to: number): number => {
  let next = from
  while (next < to && pushUnsafe(next, utf8.encode(bodyOf(next)))) next += 1
  wakeUnsafe()
  return next
}

/** Appends entries, and waits until they are on disk. */
export const append = Effect.fnUntraced(function*(store: Store, from: number, to: number) {
  for (let next = from; next < to;) {
    next = pushTo(store, next, to)
    yield* store.durable(next - 1)
  }
})
