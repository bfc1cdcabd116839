/**
 * New evidence of bytes and of text, with room. What a turn brought is neutralized after it,
 * untimed.
 */
import { byteSizes, textSizes } from "../catalogue.ts"
import { hashAndCopy } from "../floors.ts"
import { makersOf, type Measure, measureLines } from "../measure.ts"
import { changingBytes, texts, threatScent } from "../payloads.ts"
import { mustBe, roomyTracehound } from "../tracehounds.ts"

/** No turn holds more than this: 64 MiB of evidence. */
const mostBytes = 67_108_864

export const measure: Measure = (context) => {
  const { flush, intercept } = roomyTracehound()
  return measureLines(context, {
    ...makersOf(byteSizes, ({ bytes, size }) => ({
      [`SHA-256 + copy, ${size}`]: () => ({ run: hashAndCopy(changingBytes(bytes), bytes) }),
      [`new bytes, ${size}`]: () => {
        const payload = changingBytes(bytes)
        const scent = threatScent(payload(0))
        mustBe("quarantined", intercept(scent))
        flush()
        return {
          maxCalls: Math.min(100_000, Math.floor(mostBytes / bytes)),
          after: flush,
          run: (i) => {
            payload(i)
            return intercept(scent)
          }
        }
      }
    })),
    ...makersOf(textSizes, ({ bytes, size }) => ({
      [`new text, ${size}`]: () => {
        const pool = texts(bytes, Math.floor(mostBytes / bytes))
        const scent = threatScent(pool[0])
        mustBe("quarantined", intercept(scent))
        flush()
        let at = 0
        return {
          maxCalls: pool.length,
          after: flush,
          run: () => {
            at = at + 1 === pool.length ? 0 : at + 1
            scent.payload = pool[at]
            return intercept(scent)
          }
        }
      }
    }))
  })
}
