import { Effect } from "effect"
import { endpointContract } from "./endpointContract.ts"
import { makeFakeEndpoint } from "./fakeEndpoint.ts"

endpointContract(
  "the fake",
  Effect.sync(() => {
    const { endpoint, stored } = makeFakeEndpoint("file:somewhere")
    return { endpoint, configured: "file:somewhere", stored: Effect.succeed(stored) }
  })
)
