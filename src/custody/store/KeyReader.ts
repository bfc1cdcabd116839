/**
 * Opens sealed envelopes by the keys of a directory, beside whoever writes there: for commands that
 * read. Nothing is changed, and no lock of the owner is needed.
 *
 * **Gotchas**
 *
 * - It knows the slots as they were when it was opened. A key that is destroyed after that is
 *   `slot_damaged` to it, in place of `key_destroyed`.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { join } from "node:path"
import { nodeAead } from "../../host/node/NodeAead.ts"
import { EncryptionError } from "../encryption/EncryptionError.ts"
import type { EvidenceCipher } from "../encryption/EvidenceCipher.ts"
import type { KeyProvider } from "../encryption/KeyProvider.ts"
import { Keyring } from "../encryption/Keyring.ts"
import { open } from "../encryption/Sealed.ts"
import { openKeyFileToRead } from "./KeyFile.ts"
import { wordsOf } from "./StoreErrors.ts"
import { pathsOf } from "./StoreOptions.ts"

/** The reading half of a cipher, until the scope closes. */
export const keysToRead = Effect.fnUntraced(function*(
  directory: string,
  provider: KeyProvider["Service"]
): Effect.fn.Return<Pick<EvidenceCipher["Service"], "open">, EncryptionError, Scope.Scope> {
  const fileOf = (name: string) =>
    Effect.acquireRelease(
      Effect.try({
        try: () => openKeyFileToRead(join(pathsOf(directory).keys, name)),
        catch: (cause) => new EncryptionError({ reason: "io", message: `no keys can be read: ${wordsOf(cause)}` })
      }),
      (file) => Effect.sync(() => file.close())
    )
  const slots = yield* fileOf("slots")
  const epochs = yield* fileOf("epochs")
  const { current, former } = yield* provider.secrets
  const opening = Effect.suspend(() =>
    Effect.fromResult(
      Keyring.open(
        { slots, epochs, aead: nodeAead, randomness: { fill: refuse } },
        [Redacted.value(current), ...former.map((secret) => Redacted.value(secret))]
      )
    )
  )
  const keyring = yield* Effect.acquireRelease(opening, (keyring) => Effect.sync(() => keyring.close()))
  return {
    open: (sealed) =>
      Effect.suspend(() => Effect.fromResult(open(sealed, "envelope", (name) => keyring.find(name), nodeAead)))
  }
})

/** Nobody makes a key here: where there is no epoch, it is not begun. */
const refuse = (): never => {
  throw new Error("there are none")
}
