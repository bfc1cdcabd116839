/**
 * `tracehound evidence show`: one piece, what is proven of it, and what is in it.
 */
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { escaped } from "../../../telemetry/Escaped.ts"
import type { EvidenceItem, OpenedEvidence } from "./EvidenceSource.ts"
import { idOf, sayNo, sourceAt, type Where } from "./Place.ts"
import { hexLines, jsonLine, type Paint, paintOf, partText, sizeText, textLines, timeText } from "./Shown.ts"

export interface ShowFlags extends Where {
  readonly evidence: string
  readonly all: boolean
  readonly json: boolean
}

/** Bytes that are shown, as a dump and as text, where not all are asked for. */
const usualDump = 96
const usualText = 512
/** The most that are shown. */
const maxShown = 1_048_576
const maxText = 300

/** A check that opening the envelope has made. */
interface Proof {
  /** False where nothing here can tell. */
  readonly holds: boolean
  readonly what: string
}

/** What opening has proven of the piece: it fails where one of the first two does not hold. */
const proofsOf = ({ record: { category, hash, signature } }: OpenedEvidence): ReadonlyArray<Proof> => [
  { holds: true, what: "the file is as it was sealed" },
  { holds: true, what: `the content has the hash ${hash} (sha256)` },
  signature === `${category}:${hash}`
    ? { holds: true, what: "the content has this signature" }
    : { holds: false, what: "the signature has a key: only its holder can compare it" }
]

const facts = (item: EvidenceItem): ReadonlyArray<readonly [string, string]> => {
  const { codec, id, isSealed, scentId, severity, size, source, stored, time, where } = item
  const place = `${where === "cold" ? "in cold storage" : where}${isSealed ? ", encrypted" : ""}`
  return [
    ["severity", severity ?? "-"],
    ["source", source === null ? "-" : escaped(source, maxText)],
    ["id", scentId === null ? "-" : escaped(scentId, maxText)],
    [isSealed ? "left" : "received", `${timeText(time)} UTC`],
    [
      "size",
      `${size === null ? "" : `${sizeText(size)}, `}${sizeText(stored)} on disk${codec === null ? "" : ` (${codec})`}`
    ],
    ["held", `${place}, ${id}`]
  ]
}

const headText = (item: EvidenceItem, paint: Paint): ReadonlyArray<string> => [
  paint.bold(item.signature),
  "",
  ...facts(item).map(([name, value]) =>
    `${name.padEnd(8)}   ${name === "severity" ? paint.severity(value, value) : value}`
  )
]

const wholeText = (item: EvidenceItem, opened: OpenedEvidence, all: boolean, paint: Paint): string => {
  const { content } = opened
  const dumped = content.subarray(0, all ? maxShown : usualDump)
  const text = content.subarray(0, all ? maxShown : usualText)
  const rest = dumped.length === content.length
    ? ""
    : `; ${all ? "" : "more: --all; "}raw to a file: evidence export ${item.id} FILE`
  return [
    ...headText(item, paint),
    "",
    paint.bold("proof"),
    ...proofsOf(opened).map(({ holds, what }) => `  ${holds ? "holds" : "-    "}  ${what}`),
    "",
    `${paint.bold("text")}  ${paint.dim(partText(text.length, content.length))}`,
    ...textLines(text),
    "",
    `${paint.bold("content")}  ${paint.dim(`${partText(dumped.length, content.length)}${rest}`)}`,
    ...hexLines(dumped, paint)
  ].join("\n")
}

/**
 * Prints the piece. The answer is no where it is not what it says it is, and where it is encrypted:
 * then what it says is printed, and none of it is proven.
 */
export const show = Effect.fn("evidence.show")(function*(flags: ShowFlags) {
  const source = yield* sourceAt(flags)
  const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
  const paint = paintOf(canColor)
  yield* Effect.gen(function*() {
    const item = yield* source.find(yield* idOf(source, flags.evidence))
    if (item.isSealed) yield* Console.log(flags.json ? jsonLine(item) : headText(item, paint).join("\n"))
    yield* Effect.acquireUseRelease(
      source.open(item.id),
      (opened) => {
        const { content } = opened
        const shown = content.subarray(0, flags.all ? maxShown : usualDump)
        return Console.log(
          flags.json
            ? jsonLine({
              ...item,
              proof: proofsOf(opened),
              shown: shown.length,
              hex: Buffer.from(shown).toString("hex")
            })
            : wholeText(item, opened, flags.all, paint)
        )
      },
      ({ content }) => Effect.sync(() => content.fill(0))
    )
  }).pipe(Effect.catchTag("EvidenceUnavailable", sayNo))
})
