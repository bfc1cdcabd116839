/**
 * The program of the peers' threads: it does nothing, as the analyzer beside it; or, given a
 * number, nothing for so many ms.
 */
import { setTimeout } from "node:timers/promises"

export default (task) => typeof task === "number" ? setTimeout(task) : undefined
