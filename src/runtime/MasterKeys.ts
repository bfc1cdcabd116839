/**
 * The master secret of encryption at rest from settings: a text, or a file that its owner alone may
 * read.
 *
 * **Gotchas**
 *
 * - The file is read each time that somebody asks: a new secret in it is used from the next start
 *   of the store's thread, or the next rotation, on. Keep the former one beside it until then.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { EncryptionError } from "../custody/encryption/EncryptionError.ts"
import { KeyProvider } from "../custody/encryption/KeyProvider.ts"
import { parseSecret } from "../custody/encryption/MasterSecret.ts"

/** Where the secrets are: one of the first two. */
export interface MasterKeySettings {
  /** The master secret in base64 or hexadecimal. */
  readonly key?: Redacted.Redacted
  /** The path of a file that has it. */
  readonly keyFile?: string
  /** The secret before it, until the keys were rotated. */
  readonly formerKey?: Redacted.Redacted
}

/** Larger files are refused before they are read. */
const maxFileBytes = 4_096

/** Gives the secrets of the settings. Nothing that it fails with says anything of a secret. */
export const layer = (
  { formerKey, key, keyFile }: MasterKeySettings
): Layer.Layer<KeyProvider, never, FileSystem.FileSystem> =>
  Layer.effect(
    KeyProvider,
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const text = key !== undefined
        ? Effect.succeed(key)
        : keyFile !== undefined
        ? textIn(fs, keyFile)
        : Effect.fail(refuse("there is no master secret: set encryption.key or encryption.keyFile"))
      return {
        secrets: Effect.gen(function*() {
          const current = yield* Effect.fromResult(parseSecret(yield* text))
          const former = formerKey === undefined ? [] : [yield* Effect.fromResult(parseSecret(formerKey))]
          return { current, former }
        })
      }
    })
  )

const textIn = (fs: FileSystem.FileSystem, path: string): Effect.Effect<Redacted.Redacted, EncryptionError> =>
  Effect.gen(function*() {
    const info = yield* Effect.mapError(fs.stat(path), () => refuse(`${path} cannot be read: check its path`))
    if (info.type !== "File") return yield* refuse(`${path} is no file`)
    // Windows has no such modes: every file of it looks like one that all may read.
    if ((info.mode & 0o077) !== 0 && process.platform !== "win32")
      return yield* refuse(`${path} is open to others than its owner: chmod 600 it, and make a new secret`)
    if (Number(info.size) > maxFileBytes) return yield* refuse(`${path} has more than ${maxFileBytes} bytes`)
    const text = fs.readFileString(path)
    return Redacted.make(yield* Effect.mapError(text, () => refuse(`${path} cannot be read: check its permissions`)))
  })

const refuse = (message: string): EncryptionError => new EncryptionError({ reason: "bad_secret", message })
