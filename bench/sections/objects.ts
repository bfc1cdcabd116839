/**
 * New evidence of objects, with room. One object a size is built before, and one number of it
 * changes from call to call.
 */
import { objectSizes } from "../catalogue.ts"
import { hashCopyStringify } from "../floors.ts"
import { makersOf, type Measure, measureLines } from "../measure.ts"
import { changingBytes, requestObject, threatScent } from "../payloads.ts"
import { mustBe, roomyTracehound } from "../tracehounds.ts"

export const measure: Measure = (context) => {
  const { flush, intercept } = roomyTracehound()
  return measureLines(
    context,
    makersOf(objectSizes, ({ bytes, size }) => {
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
            maxCalls: Math.min(50_000, Math.floor(67_108_864 / length)),
            after: flush,
            run: (i) => {
              object.id = i
              return intercept(scent)
            }
          }
        }
      }
    })
  )
}
