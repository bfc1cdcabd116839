/** What Effect's registry knows of a series, as an instrument of OpenTelemetry needs it. */
import type { Attributes, MetricOptions } from "@opentelemetry/api"
import * as Context from "effect/Context"
import type * as Metric from "effect/Metric"

export type Metadata = Metric.MetricRegistry extends Map<string, infer M> ? M : never

/** What a series says now; undefined where its reader fails, as the others are to be exported. */
export const stateOf = ({ hooks }: Metadata): unknown => {
  try {
    return hooks.get(Context.empty())
  } catch {
    return undefined
  }
}

/** In UCUM; `1` where the metric says none. */
export const unitOf = ({ attributes }: Metadata): string => attributes?.["unit"] ?? "1"

export const optionsOf = (metadata: Metadata): MetricOptions => ({
  unit: unitOf(metadata),
  ...(metadata.description === undefined ? {} : { description: metadata.description })
})

/** The attributes of a series without the unit, which is its instrument's. */
export const attributesOf = ({ attributes }: Metadata): Attributes => {
  const { unit: _, ...others } = attributes ?? {}
  return others
}
