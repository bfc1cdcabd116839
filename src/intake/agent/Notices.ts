/**
 * The alert of the Agent: a fixed object, so that no attacker's text is in it.
 */
import { notice } from "../../safety/alert/Notice.ts"

/**
 * A scent was answered `unexpected`. Where that comes to every scent the host is broken, and all
 * hostile traffic passes: so the limiter never holds it back. The Agent raises it once in a window.
 */
export const interceptFailure = notice({
  type: "intercept.failure",
  severity: "critical",
  message:
    "a scent could not be handled: nothing of it is in custody, and adapters let it pass; `tracehound doctor` tries out this host",
  alwaysPasses: true
})
