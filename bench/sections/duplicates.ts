/**
 * Duplicates. Several pieces of evidence are held and come again in turns, from memory of their
 * own.
 */
import { hashAndCopy, hashCopyStringify } from "../floors.ts"
import { makersOf, type Measure, measureLines } from "../measure.ts"
import { changingBytes, requestObject, scatteredBytes, threatScent } from "../payloads.ts"
import { mustBe, roomyTracehound } from "../tracehounds.ts"

const sizes = [
  { size: "64 B", bytes: 64, count: 1024 },
  { size: "16 KiB", bytes: 16_384, count: 64 },
  { size: "1 MiB", bytes: 1_048_576, count: 4 }
] as const

export const measure: Measure = (context) => {
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
  return measureLines(context, {
    ...makersOf(sizes, ({ bytes, count, size }) => ({
      [`SHA-256 + copy, ${size}`]: () => ({ run: hashAndCopy(changingBytes(bytes), bytes) }),
      [`duplicate bytes, ${size}`]: () => again(Array.from({ length: count }, (_, i) => scatteredBytes(bytes)(i)))
    })),
    "duplicate bytes, 16 KiB, alike but for 4 bytes": () =>
      again(Array.from({ length: 64 }, (_, i) => changingBytes(16_384)(1_000_000 + i))),
    "SHA-256 + copy + JSON.stringify, 1 KiB": () => ({
      run: hashCopyStringify(object, changingBytes(length), length)
    }),
    "duplicate object, 1 KiB": () => again(Array.from({ length: 64 }, (_, id) => ({ ...requestObject(1024), id })))
  })
}
