/**
 * Prints by how many bytes the heap, and what is allocated outside of it, grew over a million mixed
 * calls on a Tracehound that is full.
 */
import { grownOverMix } from "../../bench/mixed.ts"

const { kept } = await grownOverMix(1_250_000)
process.stdout.write(String(kept), () => process.exit(0))
