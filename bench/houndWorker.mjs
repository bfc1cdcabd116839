/**
 * What the threads of the peers run: nothing, as the analyzer beside them; or, given a number,
 * nothing for so many ms.
 */
import { setTimeout } from "node:timers/promises"

export default (task) => typeof task === "number" ? setTimeout(task) : undefined
