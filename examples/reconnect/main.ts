/**
 * A connection as an actor: it connects to a server over TCP, answers one request after the other,
 * and connects again with a backoff when the connection is lost.
 *
 * - The connection is a resource of the incarnation: the behaviour opens it, and its Scope closes
 *   it. A connection that breaks is the actor's crash (`self.fork`), and the supervisor's backoff
 *   is the backoff of the reconnection.
 * - Requests that come while there is no connection wait in the mailbox. The one in hand is lost,
 *   and its asker told so: whether the server did it nobody knows.
 * - Somebody else watches the address, and hears of each reconnection and of the end.
 */
import { Console, Data, Deferred, Effect, Request } from "effect"
import { once } from "node:events"
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net"
import { createInterface } from "node:readline"
import * as Actor from "tracehound/actor"

/** Answers each line with the same in capitals, and breaks off over "break". */
const startServer = Effect.acquireRelease(
  Effect.promise(async () => {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket)
      socket.on("close", () => sockets.delete(socket)).on("error", () => socket.destroy())
      createInterface({ input: socket }).on("line", (line) => {
        if (line === "break") socket.destroy()
        else socket.write(`${line.toUpperCase()}\n`)
      })
    }).listen(0, "127.0.0.1")
    await once(server, "listening")
    return { server, sockets }
  }),
  ({ server, sockets }) =>
    Effect.promise(async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, "close")
    })
)

/** The connection is gone. */
class Disconnected extends Data.TaggedError("Disconnected")<{ readonly message: string }> {}

/** A connection that is closed with its scope: sends a line, and gives the next line that comes. */
const connect = (port: number) =>
  Effect.gen(function*() {
    const socket = yield* Effect.acquireRelease(
      Effect.tryPromise({
        try: async () => {
          const socket = createConnection({ port, host: "127.0.0.1" })
          await once(socket, "connect")
          return socket
        },
        catch: () => new Disconnected({ message: "nobody listens" })
      }),
      (socket) => Effect.sync(() => socket.destroy())
    )
    const waiting: Array<(line: string) => void> = []
    createInterface({ input: socket }).on("line", (line) => waiting.shift()?.(line))
    return {
      closed: Effect.callback<never, Disconnected>((resume) => {
        const end = () => resume(Effect.fail(new Disconnected({ message: "the connection broke" })))
        if (socket.destroyed) end()
        else socket.once("close", end).on("error", () => socket.destroy())
      }),
      send: (line: string) =>
        Effect.callback<string>((resume) => {
          waiting.push((answer) => resume(Effect.succeed(answer)))
          socket.write(`${line}\n`)
        })
    }
  })

class Send extends Request.TaggedClass("Send")<{ readonly line: string }, string> {}

const makeConnection = (port: number) =>
  Actor.define<Send>()("connection", {
    mailbox: Actor.fifo({ capacity: 100 }),
    drain: "100 millis",
    behaviour: (self) =>
      Effect.gen(function*() {
        const { closed, send } = yield* connect(port)
        yield* self.fork(closed)
        return { Send: ({ line }) => send(line) }
      })
  })

class Seen extends Request.TaggedClass("Seen")<{ readonly event: Actor.Watched }, void> {}

/** Prints what becomes of the connection. */
const makeMonitor = (connection: Actor.ActorRef<never>, ended: Deferred.Deferred<void>) =>
  Actor.define<Seen>()("monitor", {
    behaviour: (self) =>
      Effect.as(self.watch(connection, (event) => new Seen({ event })), {
        Seen: ({ event }) =>
          event._tag === "Restarted"
            ? Console.log(`connected again: incarnation ${event.incarnation}`)
            : Effect.andThen(Console.log(`the connection is ${event._tag}`), Deferred.succeed(ended, undefined))
      })
  })

const program = Effect.gen(function*() {
  const { root } = yield* Actor.ActorSystem
  const { server } = yield* startServer
  const { port } = server.address() as AddressInfo
  const network = yield* root.supervise("network", {
    intensity: 10,
    period: "10 seconds",
    backoff: { base: "10 millis", max: "1 second" }
  })
  const connection = yield* network.spawn(makeConnection(port))
  const ended = yield* Deferred.make<void>()
  yield* root.spawn(makeMonitor(connection, ended))

  yield* Console.log(`answered: ${yield* connection.ask(new Send({ line: "hello" }))}`)
  for (let time = 0; time < 2; time++) {
    const lost = yield* Effect.flip(connection.ask(new Send({ line: "break" })))
    yield* Console.log(`in hand when it broke: ${lost._tag}`)
    // Asked while there is no connection: it waits for the next one.
    yield* Console.log(`answered: ${yield* connection.ask(new Send({ line: `again ${time}` }))}`)
  }
  yield* connection.stop
  yield* Deferred.await(ended)
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(Actor.ActorSystem.layer())))
