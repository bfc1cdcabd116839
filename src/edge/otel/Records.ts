/**
 * A logger of Effect that writes OpenTelemetry log records.
 *
 * **Details**
 *
 * A record has the line as its body, its annotations as attributes, and the trace of the span that
 * the line was written in. It never takes the span that happens to be active: an actor writes what
 * many callers caused in one turn, and the active span is that of the one who woke it.
 *
 * Of a cause it has the class and the stack's frames, and not the message: that can be text of an
 * attacker.
 */
import type { Context as OtelContext, SpanContext } from "@opentelemetry/api"
import type * as LogsApiModule from "@opentelemetry/api-logs"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Formatter from "effect/Formatter"
import * as Logger from "effect/Logger"
import type * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import { Api, LogsApi } from "./Peers.ts"

const { SeverityNumber } = LogsApi

const severityNumbers: Record<LogLevel.LogLevel, LogsApiModule.SeverityNumber> = {
  All: SeverityNumber.UNSPECIFIED,
  None: SeverityNumber.UNSPECIFIED,
  Trace: SeverityNumber.TRACE,
  Debug: SeverityNumber.DEBUG,
  Info: SeverityNumber.INFO,
  Warn: SeverityNumber.WARN,
  Error: SeverityNumber.ERROR,
  Fatal: SeverityNumber.FATAL
}

/** Writes each line to a logger of the SDK, which may fail: the line is then lost to it alone. */
export const make = (logger: LogsApiModule.Logger): Logger.Logger<unknown, void> =>
  Logger.make(({ cause, date, fiber, logLevel, message }) => {
    const span = Context.getOrUndefined(fiber.context, Tracer.ParentSpan)
    const attributes: Record<string, LogsApiModule.AnyValue> = { ...causeAttributes(cause) }
    for (const [key, value] of Object.entries(fiber.getRef(References.CurrentLogAnnotations))) {
      // For readers of plain lines: here the record has them itself.
      if (key !== "traceId" && key !== "spanId") attributes[key] = anyValue(value)
    }
    try {
      logger.emit({
        body: (Array.isArray(message) ? message : [message]).map(text).join(" "),
        severityText: logLevel,
        severityNumber: severityNumbers[logLevel],
        timestamp: date,
        attributes,
        context: contextOf(span)
      })
    } catch {
      // The SDK's mistake: the other loggers have the line.
    }
  })

/** The class of what went wrong and where, in the semantic conventions' words. */
const causeAttributes = (cause: Cause.Cause<unknown>): Record<string, LogsApiModule.AnyValue> => {
  const [error] = Cause.prettyErrors(cause)
  if (error === undefined) return {}
  const frames = framesOf(error)
  return { "exception.type": error.name, ...(frames === "" ? {} : { "exception.stacktrace": frames }) }
}

/**
 * The frames of a stack, which begin behind the message: lines of a message can look like frames.
 * None where the message cannot be found.
 */
const framesOf = ({ message, stack = "" }: Error): string => {
  const start = stack.indexOf(message)
  if (start < 0) return ""
  return stack.slice(start + message.length).split("\n").filter((line) => /^\s+at /.test(line)).join("\n")
}

const contextOf = (span: Tracer.AnySpan | undefined): OtelContext =>
  span === undefined ? Api.ROOT_CONTEXT : Api.trace.setSpanContext(Api.ROOT_CONTEXT, spanContextOf(span))

const spanContextOf = ({ sampled, spanId, traceId }: Tracer.AnySpan): SpanContext => ({
  traceId,
  spanId,
  traceFlags: sampled ? Api.TraceFlags.SAMPLED : Api.TraceFlags.NONE
})

const text = (value: unknown): string => typeof value === "string" ? value : Formatter.format(value)

const anyValue = (value: unknown): LogsApiModule.AnyValue =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : Array.isArray(value)
    ? value.map(text)
    : Formatter.format(value)
