/**
 * Converts between doubles and their 64 bits.
 */

export function doubleOf(bits: bigint): number {
  return new Float64Array(new BigUint64Array([bits]).buffer)[0] ?? 0
}

export function hexOf(number: number): string {
  return (new BigUint64Array(new Float64Array([number]).buffer)[0] ?? 0n).toString(16)
}
