/**
 * Calls back after the turn of the event loop that is going on, or soon after it. A turn that is
 * only waited for keeps no process alive; one that is about to come does.
 */

/** Milliseconds that soon is. */
const soonMs = 5

export const afterTurnUnsafe = (act: () => void): void => void setImmediate(act)

export const soonUnsafe = (act: () => void): void => void setTimeout(act, soonMs).unref()
