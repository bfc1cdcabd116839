/**
 * Duplicates. Several pieces of evidence are held and come again in turns, from memory of their
 * own.
 */
import { leastBytes } from "../allocation.ts"
import { beyondKeys } from "../catalogue.ts"
import { hashAndCopy, hashCopyStringify, keysOf } from "../floors.ts"
import { type Line, type Row, rowOf } from "../goals.ts"
import { makersOf, type Measure, rowsOf, type Timed, timeLines } from "../measure.ts"
import { changingBytes, requestObject, scatteredBytes, threatScent } from "../payloads.ts"
import { mustBe, roomyTracehound } from "../tracehounds.ts"

const sizes = [
  { size: "64 B", bytes: 64, count: 1024 },
  { size: "16 KiB", bytes: 16_384, count: 64 },
  { size: "1 MiB", bytes: 1_048_576, count: 4 }
] as const

/** The two lines of which the one beyond V8's own keys is the difference. */
const objectLine: Line = { name: "duplicate object, 1 KiB" }
const keysLine: Line = { name: "Object.keys of each object in it" }

/** Bytes that a call of the one allocates and a call of the other does not. */
const beyond = ({ variants }: Timed, calls: number): number => {
  const each = [objectLine, keysLine].map(({ name }) => {
    const variant = variants.get(name)
    return (variant === undefined ? null : leastBytes(variant, calls, 3)) ?? Number.NaN
  })
  const [taken = Number.NaN, keys = Number.NaN] = each
  return Math.max(0, Math.round((taken - keys) / calls))
}

export const measure: Measure = async (context): Promise<ReadonlyArray<Row>> => {
  const { intercept } = roomyTracehound()
  /** Holds the payloads and sends them again. `count` is a power of two. */
  const again = (payloads: ReadonlyArray<unknown>) => {
    const scent = threatScent(payloads[0])
    for (const payload of payloads) mustBe("quarantined", intercept(threatScent(payload)))
    mustBe("ignored", intercept(scent))
    const mask = payloads.length - 1
    return {
      run: (i: number) => {
        scent.payload = payloads[i & mask]
        return intercept(scent)
      }
    }
  }
  const object = requestObject(1024)
  const length = JSON.stringify(object).length
  const isAsked = ({ name }: Line): boolean => context.lines.some((line) => line.name === name)
  // The derived line needs both, whether or not they are to be shown.
  const needed = isAsked({ name: beyondKeys }) ? [objectLine, keysLine].filter((line) => !isAsked(line)) : []
  const timing = [...context.lines.filter(({ unit }) => unit === undefined), ...needed]
  const timed = await timeLines(context, timing, {
    ...makersOf(sizes, ({ bytes, count, size }) => ({
      [`SHA-256 + copy, ${size}`]: () => ({ run: hashAndCopy(changingBytes(bytes), bytes) }),
      [`duplicate bytes, ${size}`]: () => again(Array.from({ length: count }, (_, i) => scatteredBytes(bytes)(i)))
    })),
    "duplicate bytes, 16 KiB, alike but for 4 bytes": () =>
      again(Array.from({ length: 64 }, (_, i) => changingBytes(16_384)(1_000_000 + i))),
    "SHA-256 + copy + JSON.stringify, 1 KiB": () => ({
      run: hashCopyStringify(object, changingBytes(length), length)
    }),
    "duplicate object, 1 KiB": () => again(Array.from({ length: 64 }, (_, id) => ({ ...requestObject(1024), id }))),
    "Object.keys of each object in it": () => ({ run: () => keysOf(object) })
  })
  return context.lines.flatMap((line) =>
    line.name === beyondKeys
      ? [rowOf(line, { value: beyond(timed, context.quick ? 2000 : 50_000) })]
      : rowsOf(context, [line], timed)
  )
}
