/**
 * `tracehound/otel`: Tracehound beside an OpenTelemetry SDK. Needs `@opentelemetry/api`,
 * `@opentelemetry/api-logs` and `@effect/opentelemetry`, and says so where they are missing.
 */
export * as OpenTelemetry from "./OpenTelemetry.ts"
