/**
 * The catalogue of attacks (CONFORMANCE H2): the 124 of the table and its 5 controls, in the order
 * of the table, and further ones.
 */
import { fsProbes } from "./FsProbes.ts"
import { genProbes } from "./GenProbes.ts"
import { intProbes } from "./IntProbes.ts"
import { allowProbes, jsProbes } from "./JsProbes.ts"
import { modProbes } from "./ModProbes.ts"
import { netProbes } from "./NetProbes.ts"
import type { Probe } from "./Probe.ts"
import { procProbes } from "./ProcProbes.ts"

export { furtherProbes } from "./FurtherProbes.ts"

/** The table: all must fail, except the group `allow`. */
export const probes: ReadonlyArray<Probe> = [
  ...genProbes,
  ...modProbes,
  ...intProbes,
  ...fsProbes,
  ...netProbes,
  ...procProbes,
  ...jsProbes,
  ...allowProbes
]
