/**
 * `npm start`: an HTTP service on loopback, with custody at work behind it. PORT chooses another
 * port.
 */
import { NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { ByteSize, Config, Console, Effect, Layer } from "effect"
import { HttpIncomingMessage, HttpRouter, HttpServer } from "effect/http"
import { createServer } from "node:http"
import { Tracehound } from "tracehound"
import { maxBodyBytes, routes } from "./app.ts"

const host = "127.0.0.1"

const greeting = Effect.gen(function*() {
  const { address } = yield* HttpServer.HttpServer
  const at = `http://${host}:${address._tag === "UnixPathAddress" ? "" : address.port}`
  yield* Console.log(`Tracehound's example server listens on ${at}

  A clean request, which passes:
    curl ${at}/search?q=shoes
  An attack, which is quarantined, and the same again, which is ignored since its evidence is held:
    curl -d "user=admin' OR 1=1 --" ${at}/login
    curl -d "user=admin' OR 1=1 --" ${at}/login
  Another, less severe:
    curl -d '<script>alert(1)</script>' ${at}/comments
  What is in custody now:
    curl ${at}/snapshot

  Stop it with Ctrl+C.`)
})

const serve = Effect.gen(function*() {
  const port = yield* Config.withDefault(Config.Int("PORT"), 4100)
  return HttpRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.merge(Layer.effectDiscard(greeting)),
    Layer.provide(NodeHttpServer.layer(createServer, { host, port })),
    Layer.provide(Layer.succeed(HttpIncomingMessage.MaxBodySize, ByteSize.fromInputUnsafe(maxBodyBytes))),
    Layer.provide(Tracehound.layer({ quarantine: { maxCount: 1000, maxBytes: 10_000_000 } }))
  )
})

NodeRuntime.runMain(
  Layer.launch(Layer.unwrap(serve)).pipe(
    Effect.tapError((error) =>
      Console.error(
        error._tag === "ServeError"
          ? "the port is not free: choose another one, as in PORT=4200 npm start"
          : error.message
      )
    )
  ),
  { disableErrorReporting: true }
)
