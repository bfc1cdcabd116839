/**
 * The messages between a host and its fork server. Both programs are Tracehound's own; of a hound
 * there is never more in a message than its pipe and how its process ended.
 */
import type { LaunchPlan, ProcessExit } from "./Spawner.ts"

/** A plan as JSON has it: the feed in base64, and null for a memory bound that is infinite. */
export type WrittenPlan = Omit<LaunchPlan, "feed" | "maxRss"> & {
  readonly feed: string | null
  readonly maxRss: number | null
}

/** From the host. The plan comes first, and once. */
export type Order =
  | { readonly op: "plan"; readonly plan: WrittenPlan }
  | { readonly op: "launch"; readonly id: number }
  | { readonly op: "watch"; readonly id: number; readonly isOn: boolean }
  | { readonly op: "kill"; readonly id: number }
  | { readonly op: "close" }

/**
 * From the fork server. `up` brings the hound's pipe with it, unless the hound has ended meanwhile.
 */
export type Report =
  | { readonly op: "ready" }
  | { readonly op: "up"; readonly id: number; readonly pid: number }
  | { readonly op: "down"; readonly id: number; readonly exit: ProcessExit }

export const writtenPlan = (plan: LaunchPlan): WrittenPlan => ({
  ...plan,
  feed: plan.feed === null ? null : Buffer.from(plan.feed).toString("base64"),
  maxRss: Number.isFinite(plan.maxRss) ? plan.maxRss : null
})

export const readPlan = (plan: WrittenPlan): LaunchPlan => ({
  ...plan,
  feed: plan.feed === null ? null : Buffer.from(plan.feed, "base64"),
  maxRss: plan.maxRss ?? Number.POSITIVE_INFINITY
})
