/**
 * Which evidence the commands look at, and which piece of it a user means.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import { loadConfig } from "../../../config/ConfigFiles.ts"
import { directoryOf } from "../../../custody/coldstorage/FileEndpoint.ts"
import { AnswerIsNo, WrongUse } from "../Failure.ts"
import * as ColdDirectory from "./ColdDirectory.ts"
import type { EvidenceItem, EvidenceSource, EvidenceUnavailable } from "./EvidenceSource.ts"
import { isSignaturePrefix } from "./Page.ts"
import { timeText } from "./Shown.ts"

/** The flags that say where evidence is. */
export interface Where {
  readonly data: Option.Option<string>
  readonly config: Option.Option<string>
}

/** The directory that the flags or the configuration name. */
const directoryFrom = Effect.fnUntraced(function*({ config, data }: Where) {
  const path = yield* Path.Path
  if (Option.isSome(data)) {
    if (data.value === "") return yield* new WrongUse({ message: "--data has no directory: name one, such as ./data" })
    return path.resolve(data.value, "evidence")
  }
  const { audit: { coldStorage } } = yield* loadConfig({ file: Option.getOrUndefined(config) })
  const endpoint = coldStorage?.endpoint
  if (endpoint === undefined) {
    const message = "no cold storage is configured: name a data directory by --data DIR, or a configuration by --config"
    return yield* new WrongUse({ message })
  }
  if (!endpoint.startsWith("file:"))
    return yield* new WrongUse({ message: "cold storage is no directory here: only `file:` endpoints can be read" })
  return yield* Effect.mapError(directoryOf(endpoint, path), ({ message }) => new WrongUse({ message }))
})

/** The evidence that the flags name. Fails where its directory is not there. */
export const sourceAt = Effect.fnUntraced(function*(where: Where) {
  const fs = yield* FileSystem.FileSystem
  const directory = yield* directoryFrom(where)
  const info = yield* Effect.option(fs.stat(directory))
  if (Option.isNone(info) || info.value.type !== "Directory") {
    const message = `${directory} is no directory that can be read: check --data, whose folder evidence is meant`
    return yield* new WrongUse({ message })
  }
  return ColdDirectory.make(directory)
})

/** Says why there is no evidence; the answer is no. */
export const sayNo = ({ message }: EvidenceUnavailable): Effect.Effect<never, AnswerIsNo> =>
  Effect.andThen(Console.error(message), Effect.fail(new AnswerIsNo()))

/** The fewest digits of a signature that may stand for it. */
const leastDigits = 4

/** Pieces that are named where a signature is of several. */
const maxNamed = 8

const describe = ({ id, severity, signature, time }: EvidenceItem): string =>
  `  ${id}  ${timeText(time)}  ${severity ?? "-"}  ${signature}`

/**
 * The id of the piece that a user means, by its id or by the beginning of its signature. Fails
 * where it is neither, where nothing has it, and where several pieces do, of which it names some.
 */
export const idOf = Effect.fnUntraced(function*(source: EvidenceSource, text: string) {
  if (ColdDirectory.isId(text)) return text
  const digits = text.slice(text.indexOf(":") + 1)
  if (!isSignaturePrefix(text) || digits.length < leastDigits) {
    const message = `name evidence by its id, or by the first ${leastDigits} digits or more of its signature`
    return yield* new WrongUse({ message })
  }
  const found: Array<EvidenceItem> = []
  let count = 0
  yield* Stream.runForEach(source.batches, ({ items }) =>
    Effect.sync(() => {
      for (const item of items) {
        const { category, signature } = item
        if (!signature.startsWith(text) && !signature.startsWith(text, category.length + 1)) continue
        count += 1
        if (found.length < maxNamed) found.push(item)
      }
    }))
  const [only] = found
  if (only !== undefined && count === 1) return only.id
  if (only === undefined) {
    yield* Console.error("no evidence has a signature that begins so: `evidence list` shows what there is")
    return yield* new AnswerIsNo()
  }
  const more = count > found.length ? [`  and ${count - found.length} more`] : []
  const message = [`${count} pieces have such a signature: name one by its id`, ...found.map(describe), ...more]
  return yield* new WrongUse({ message: message.join("\n") })
})
