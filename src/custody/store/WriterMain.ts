/**
 * The program of the writer's thread. It ends when the store is closed.
 */
import { parentPort, workerData } from "node:worker_threads"
import type { WriterOrders } from "./WriterMessages.ts"
import { runWriter } from "./WriterProgram.ts"

runWriter(workerData as WriterOrders, (report) => parentPort?.postMessage(report))
