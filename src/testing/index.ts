/**
 * `tracehound/testing`: a whole Tracehound under a test's control, arbitraries of its inputs and
 * outputs, a reference model to compare it with, and the contracts of parts that a program gives.
 */
export { AlertRecorder } from "./AlertRecorder.ts"
export * as Arbitraries from "./Arbitraries.ts"
export * as Contracts from "./Contracts.ts"
export { type Examined, type HoundBehaviour, InProcessHounds } from "./InProcessHounds.ts"
export { type ManualClock, make as makeManualClock } from "./ManualClock.ts"
export { MemoryColdStorage, type Written } from "./MemoryColdStorage.ts"
export * as ReferenceModel from "./ReferenceModel.ts"
export * as SeededRandomness from "./SeededRandomness.ts"
export { TracehoundTest, type TracehoundTestOptions, type TracehoundTestServices } from "./TracehoundTest.ts"
