/**
 * The entries of an inbox: a message, bare or with its sender's context.
 */
import type * as Fiber from "effect/Fiber"
import type * as Tracer from "effect/Tracer"
import type { Deadline } from "./Deadlines.ts"
import type { Message } from "./Message.ts"
import type { AnyReply } from "./Reply.ts"
import type { Waiting } from "./Signals.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

/** An entry of a mailbox. A message without a sender's context is stored bare, to save memory. */
export type Item<M extends Message> = M | Letter<M>

/** A message with its sender's context. */
export class Letter<out M extends Message> {
  readonly message: M
  /** Set if the sender waits for an answer. */
  readonly reply: AnyReply | undefined
  /** The sender's span, if it had one. */
  readonly span: Tracer.AnySpan | undefined
  /** The fiber that waits for the answer. */
  readonly asker: AnyFiber | undefined
  /** When the asker is told that no answer came in time. */
  deadline: Deadline | undefined
  /** The asker was told that there will be no answer: the message must not be handled. */
  isWithdrawn = false
  constructor(message: M, reply?: AnyReply, span?: Tracer.AnySpan, asker?: AnyFiber) {
    this.message = message
    this.reply = reply
    this.span = span
    this.asker = asker
  }
}

/**
 * A message that was told by `tellUnsafe` within a span. Its handler has no span of its own, and a
 * crash over it remembers this one.
 */
export class Told<out M extends Message> extends Letter<M> {
  constructor(message: M, span: Tracer.AnySpan) {
    super(message, undefined, span)
  }
}

/** The span that the handler's own is linked to; undefined where the handler has none. */
export const originOf = <M extends Message>(item: Item<M>): Tracer.AnySpan | undefined =>
  item instanceof Letter && !(item instanceof Told) ? item.span : undefined

/**
 * What becomes of a signal that waits when the incarnation ends which it was meant for: the next
 * one gets it (`down`, of a monitor), it is a dead letter (`outcome`, of a piped effect), or it was
 * never sent (`timer`).
 */
export type SignalKind = "down" | "outcome" | "timer"

/** A message that occupies no room of the mailbox. */
export class Signal<out M extends Message> extends Letter<M> implements Waiting<Signal<M>> {
  readonly kind: SignalKind
  /** Called when it is taken out to be handled. */
  readonly onTaken: (() => void) | undefined
  /** It was put aside. */
  isAside = false
  due: ReadonlyArray<number> = []
  before: Signal<M> | undefined
  after: Signal<M> | undefined
  constructor(message: M, kind: SignalKind, span?: Tracer.AnySpan, onTaken?: () => void) {
    super(message, undefined, span)
    this.kind = kind
    this.onTaken = onTaken
  }
}

export const messageOf = <M extends Message>(item: Item<M>): M => item instanceof Letter ? item.message : item
