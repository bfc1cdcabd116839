/**
 * The configuration as a service: every room reads its settings from it.
 */
import * as Context from "effect/Context"
import type { TracehoundConfig } from "./TracehoundConfig.ts"

/** The decoded configuration, defaults included. */
export class Settings extends Context.Service<Settings, TracehoundConfig>()("tracehound/config/Settings") {}

/** Whether custody is durable: by itself where there is a data directory. */
export const isDurable = ({ custody, dataDirectory }: Pick<TracehoundConfig, "custody" | "dataDirectory">): boolean =>
  dataDirectory !== undefined && custody !== "memory"
