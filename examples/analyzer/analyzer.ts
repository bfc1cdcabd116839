/**
 * An analyzer: it profiles the structure of JSON evidence. `bundle.mjs` makes one module out of it
 * and what it imports.
 *
 * docs/analyzers.md explains where it runs, and what it can use there.
 */
import type { Analyze } from "tracehound/hound"
import { scan } from "./scanner.ts"
import { isExamined } from "./shape.ts"

export const analyze: Analyze = (bytes) => (isExamined(scan(new Uint8Array(bytes))) ? "complete" : "error")
