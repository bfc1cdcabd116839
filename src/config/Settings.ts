/**
 * The configuration as a service: the one place where a room looks up what it was told.
 */
import * as Context from "effect/Context"
import type { TracehoundConfig } from "./TracehoundConfig.ts"

/** A whole, valid configuration. */
export class Settings extends Context.Service<Settings, TracehoundConfig>()("tracehound/config/Settings") {}
