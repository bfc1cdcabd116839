/**
 * New evidence of objects, with room. One object a size is built before, and one number of it
 * changes from call to call.
 */
import { leastBytes } from "../allocation.ts"
import { allocatedPerByte, objectSizes } from "../catalogue.ts"
import { hashCopyStringify } from "../floors.ts"
import { type Line, type Row, rowOf } from "../goals.ts"
import { type Context, makersOf, type Measure, rowsOf, type Timed, timeLines } from "../measure.ts"
import { changingBytes, requestObject, threatScent } from "../payloads.ts"
import { mustBe, roomyTracehound } from "../tracehounds.ts"

const smallest = objectSizes[0]
const largest = objectSizes[3]

/** The objects of these sizes are held until the end of a turn, 64 MiB at the most. */
const mostCalls = (length: number): number => Math.min(10_000, Math.floor(67_108_864 / length))

const perCall = ({ variants }: Timed, { bytes, size }: typeof objectSizes[number]): number => {
  const variant = variants.get(`new object, ${size}`)
  const calls = mostCalls(bytes)
  const taken = variant === undefined ? null : leastBytes(variant, calls, 3)
  return taken === null ? Number.NaN : taken / calls
}

/**
 * Counts over as many calls as are held at once: a block more or less is 4 thousandths of a byte
 * for each byte of the largest.
 */
const furtherByte = (timed: Timed): number =>
  (perCall(timed, largest) - perCall(timed, smallest)) / (largest.bytes - smallest.bytes)

export const measure: Measure = async (context: Context): Promise<ReadonlyArray<Row>> => {
  const { flush, intercept } = roomyTracehound()
  const makers = makersOf(objectSizes, ({ bytes, size }) => {
    const object = requestObject(bytes)
    const length = JSON.stringify(object).length
    return {
      [`SHA-256 + copy + JSON.stringify, ${size}`]: () => ({
        run: hashCopyStringify(object, changingBytes(length), length)
      }),
      [`new object, ${size}`]: () => {
        const scent = threatScent(object)
        object.id = -1
        mustBe("quarantined", intercept(scent))
        flush()
        return {
          maxCalls: mostCalls(length),
          after: flush,
          run: (i) => {
            object.id = i
            return intercept(scent)
          }
        }
      }
    }
  })
  const isAsked = ({ name }: Line): boolean => context.lines.some((line) => line.name === name)
  // The derived line needs both of its sizes, whether or not they are to be shown.
  const needed = isAsked({ name: allocatedPerByte })
    ? [smallest, largest].map(({ size }): Line => ({ name: `new object, ${size}` })).filter((line) => !isAsked(line))
    : []
  const timing = [...context.lines.filter(({ unit }) => unit === undefined), ...needed]
  const timed = await timeLines(context, timing, makers)
  return context.lines.flatMap((line) =>
    line.name === allocatedPerByte ? [rowOf(line, { value: furtherByte(timed) })] : rowsOf(context, [line], timed)
  )
}
