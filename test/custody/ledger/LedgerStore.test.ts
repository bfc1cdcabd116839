import { Effect } from "effect"
import { genesis } from "../../../src/custody/ledger/Entry.ts"
import { makeMemoryStore } from "./memoryStore.ts"
import { storeContract } from "./storeContract.ts"

storeContract(
  "a store in memory",
  Effect.sync(() => {
    const { commit, store } = makeMemoryStore({ size: 0, head: genesis })
    return { ...store, wakeUnsafe: commit }
  })
)
