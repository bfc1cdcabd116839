/**
 * Probes: actors for tests, which record what they are told, are asked what came, and answer as the
 * test says.
 *
 * **Details**
 *
 * - `expect` takes the oldest message that was not taken yet. If it is another one than expected,
 *   or none comes, it fails, and says what came instead.
 * - Under a TestClock `expect` waits for all work that does not wait for time. Time stands still,
 *   unless it may pass for `within`. Under another clock it waits for a second, or for `within`.
 * - A message that nobody has said an answer for is answered with undefined.
 *
 * **Gotchas**
 *
 * - A probe keeps all messages of its life.
 * - What an actor does with a socket or a file takes real time, which a TestClock knows nothing of:
 *   use a real clock there.
 *
 * **Example** (A probe in the place of a bank)
 *
 * ```ts
 * import { Effect, Request } from "effect"
 * import * as Actor from "tracehound/actor"
 *
 * class Deposit extends Request.TaggedClass("Deposit")<{ readonly amount: number }, number> {}
 *
 * const test = Effect.gen(function*() {
 *   const bank = yield* Actor.probe<Deposit>()
 *   bank.answer("Deposit", ({ amount }) => Effect.succeed(amount + 100))
 *   const balance = yield* bank.ref.ask(new Deposit({ amount: 7 })) // => 107
 *   const { amount } = yield* bank.expect("Deposit") // => 7
 *   yield* bank.expectNothing()
 *   return [balance, amount]
 * })
 *
 * Effect.runPromise(test.pipe(Effect.scoped, Effect.provide(Actor.ActorSystem.layerTest())))
 * ```
 */
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"
import type { ActorRef } from "./ActorRef.ts"
import { ActorSystem } from "./ActorSystem.ts"
import { define } from "./Definition.ts"
import type { StartFailed } from "./Errors.ts"
import type { MailboxSpec } from "./Mailbox.ts"
import type { Handlers, Message, SomeError } from "./Message.ts"

export interface ProbeOptions {
  /** `probe` when left out, with a number if that is taken. */
  readonly name?: string
  /** `fifo` with a capacity of 1024 when left out. */
  readonly mailbox?: MailboxSpec
}

/** Another message came than was expected, or none. */
export class ExpectationFailed extends Data.TaggedError("ExpectationFailed")<{
  readonly probe: string
  readonly expected: string
  /** What came instead, cut; null if nothing did. */
  readonly came: string | null
}> {
  override get message(): string {
    return `${this.probe} expected ${this.expected}, and ${this.came ?? "nothing"} came`
  }
}

interface Within {
  /** How long to wait at most. */
  readonly within?: Duration.Input
}

/** An actor of a test's. */
export interface Probe<in out M extends Message> {
  /** Give this to those that are to tell it something. */
  readonly ref: ActorRef<M>
  /** All messages so far, oldest first. */
  readonly received: () => ReadonlyArray<M>
  /** Takes the next message, which must have this tag, and fit if `fits` is given. */
  readonly expect: <Tag extends M["_tag"]>(
    tag: Tag,
    options?: Within & { readonly fits?: (message: Extract<M, { readonly _tag: Tag }>) => boolean }
  ) => Effect.Effect<Extract<M, { readonly _tag: Tag }>, ExpectationFailed>
  /** Fails if there is a message that was not taken yet, or one comes. */
  readonly expectNothing: (options?: Within) => Effect.Effect<void, ExpectationFailed>
  /** Says how messages of this tag are handled from now on. */
  readonly answer: <Tag extends M["_tag"]>(tag: Tag, handler: Handlers<M>[Tag]) => void
}

type AnyHandler<M> = (message: M) => Effect.Effect<unknown, SomeError>

/** Handlers for whatever tag. */
const handlersFor = <M extends Message>(handler: AnyHandler<M>): Handlers<M> =>
  new Proxy({}, {
    get: () => handler,
    getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true, value: handler })
  }) as Handlers<M>

/** Spawns a probe under the root of the context's system. It ends with the scope. */
export const probe = <M extends Message>(
  options: ProbeOptions = {}
): Effect.Effect<Probe<M>, StartFailed, ActorSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const { root } = yield* ActorSystem
    const clock = yield* Clock.Clock
    const received: Array<M> = []
    const answers = new Map<string, AnyHandler<M>>()
    const some = Latch.makeUnsafe(false)
    let taken = 0
    const handler = (message: M): Effect.Effect<unknown, SomeError> => {
      received.push(message)
      some.openUnsafe()
      return answers.get(message._tag)?.(message) ?? Effect.void
    }
    const ref = yield* root.spawn(
      define<M>()("probe", {
        ...(options.mailbox === undefined ? {} : { mailbox: options.mailbox }),
        behaviour: () => Effect.succeed(handlersFor<M>(handler))
      }),
      options.name === undefined ? {} : { name: options.name }
    )
    /** Takes the next message, or undefined if none comes. */
    const next = (within: Duration.Input | undefined): Effect.Effect<M | undefined> => {
      const isThere = (): boolean => taken < received.length
      const waiting = Effect.suspend(() => isThere() ? Effect.void : someTime(clock, within, some, isThere))
      return Effect.map(waiting, () => {
        if (!isThere()) return undefined
        const message = received[taken++]
        if (!isThere()) some.closeUnsafe()
        return message
      })
    }
    const failed = (expected: string, came: M | undefined) =>
      new ExpectationFailed({ probe: ref.path, expected, came: came === undefined ? null : textOf(came) })
    return {
      ref,
      received: () => [...received],
      expect: <Tag extends M["_tag"]>(
        tag: Tag,
        { fits, within }: Within & { readonly fits?: (message: Extract<M, { readonly _tag: Tag }>) => boolean } = {}
      ) =>
        Effect.flatMap(next(within), (message) => {
          const isRight = (came: M | undefined): came is Extract<M, { readonly _tag: Tag }> =>
            came?._tag === tag && (fits?.(came as Extract<M, { readonly _tag: Tag }>) ?? true)
          return isRight(message)
            ? Effect.succeed(message)
            : Effect.fail(failed(fits === undefined ? tag : `${tag} that fits`, message))
        }),
      expectNothing: ({ within } = {}) =>
        Effect.flatMap(
          next(within),
          (message) => message === undefined ? Effect.void : Effect.fail(failed("nothing", message))
        ),
      answer: (tag, handler) => {
        answers.set(tag, handler as unknown as AnyHandler<M>)
      }
    }
  })

/** Lets the system work until there is something, or for as long as it may take. */
const someTime = (
  clock: Clock.Clock,
  within: Duration.Input | undefined,
  some: Latch.Latch,
  isThere: () => boolean
): Effect.Effect<void> => {
  if (!isTestClock(clock)) return Effect.asVoid(Effect.timeoutOption(some.await, within ?? "1 second"))
  const ms = Duration.toMillis(within ?? 0)
  return Effect.gen(function*() {
    for (let slice = 0; slice <= slices; slice++) {
      for (let turn = 0; turn < turns && !isThere(); turn++) yield* Effect.yieldNow
      if (isThere() || ms === 0 || slice === slices) return
      yield* clock.adjust(slice === slices - 1 ? ms - slice * Math.floor(ms / slices) : Math.floor(ms / slices))
    }
  })
}
/** In so many parts time passes, so that little more passes than is needed. */
const slices = 20
/** Far more than pass between a message and its handling. */
const turns = 64

const isTestClock = (
  clock: Clock.Clock
): clock is Clock.Clock & { readonly adjust: (duration: Duration.Input) => Effect.Effect<void> } => "adjust" in clock

const maxText = 200

/** A message as text of bounded length. */
const textOf = (message: Message): string => {
  try {
    const text = `${message._tag} ${JSON.stringify(message)}`
    return text.length > maxText ? `${text.slice(0, maxText)}…` : text
  } catch {
    return message._tag
  }
}
