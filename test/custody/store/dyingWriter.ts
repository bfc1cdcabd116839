/** A writer whose first thread dies between its second commit and the release of its frames. */
import { parentPort, workerData } from "node:worker_threads"
import { RingConsumer } from "../../../src/custody/store/Ring.ts"
import type { WriterOrders } from "../../../src/custody/store/WriterMessages.ts"
import { runWriter } from "../../../src/custody/store/WriterProgram.ts"

const orders = workerData as WriterOrders

class DyingRing extends RingConsumer {
  #commits = 0

  override release(): void {
    this.#commits += 1
    if (orders.isFirst && this.#commits === 2) process.exit(1)
    super.release()
  }
}

runWriter(orders, (report) => parentPort?.postMessage(report), new DyingRing(orders.shared))
