/**
 * The keyring on the caller's side: each call is an order to the writer's thread, in the order of
 * all that was put into the ring before it.
 *
 * Cost: a copy of the envelope each way; it is sealed in the other thread.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import { EncryptionError } from "../encryption/EncryptionError.ts"
import type { EvidenceCipher } from "../encryption/EvidenceCipher.ts"
import { type JournalPiece, LedgerStoreError } from "../ledger/LedgerStore.ts"
import type { LastAnswer } from "./KeyDesk.ts"
import type { KeyOrder } from "./KeyMessages.ts"
import type { Outbox } from "./Outbox.ts"
import type { Writing } from "./Writing.ts"

/** Sends a frame as soon as there is room for it. */
export type Send = (push: () => boolean) => Effect.Effect<void, LedgerStoreError>

export interface StoreCipher {
  readonly cipher: EvidenceCipher["Service"]
  /** Pieces of the journal, opened, as the store's `pieces`. Those that do not open are told of. */
  readonly pieces: (after: number, limit: number) => Effect.Effect<ReadonlyArray<JournalPiece>, LedgerStoreError>
}

const none: Uint8Array = new Uint8Array(0)

export const storeCipher = (writing: Writing, outbox: Outbox, send: Send): StoreCipher => {
  /** Sends an order, and gives the answer of the kind that it has to have. */
  const ask = <Kind extends LastAnswer["kind"]>(
    kind: Kind,
    order: KeyOrder,
    bytes = none,
    onProgress?: (left: number) => void
  ): Effect.Effect<Extract<LastAnswer, { readonly kind: Kind }>, EncryptionError> =>
    Effect.suspend(() => {
      if (!outbox.fitsOrder(bytes)) return Effect.fail(tooLarge(bytes.length))
      const push = (request: number) => Effect.mapError(send(() => outbox.keyOrder(request, order, bytes)), asOurs)
      return Effect.flatMap(writing.order(push, onProgress), (answer) =>
        answer.kind === kind
          ? Effect.succeed(answer as Extract<LastAnswer, { readonly kind: Kind }>)
          : Effect.die(new Error(`the keyring answered ${answer.kind} to ${order.kind}`)))
    })
  const one = Semaphore.makeUnsafe(1)
  return {
    cipher: {
      seal: ({ plaintext, signature, tenant }) =>
        Effect.map(
          ask("sealed", { kind: "seal", tenant, signature }, plaintext),
          ({ key, sealed }) => ({ key, sealed })
        ),
      open: (sealed) =>
        Effect.map(ask("opened", { kind: "open" }, sealed), ({ header, plaintext }) => ({ header, plaintext })),
      shred: (key) => Effect.map(ask("destroyed", { kind: "destroy", key }), ({ wasThere }) => wasThere),
      rotate: (onProgress) =>
        writing.handOver.pipe(
          Effect.andThen(ask("rotated", { kind: "rotate" }, none, (left) => onProgress?.({ left }))),
          Effect.map(({ damaged, epoch }) => ({ damaged, epoch })),
          Effect.ensuring(Effect.sync(() => writing.takeBack())),
          one.withPermit
        )
    },
    pieces: (after, limit) =>
      Effect.mapBoth(ask("pieces", { kind: "pieces", after, limit }), {
        onFailure: ({ message }) => new LedgerStoreError({ reason: "io", message }),
        onSuccess: ({ pieces }) => pieces
      })
  }
}

const asOurs = ({ message }: LedgerStoreError): EncryptionError => new EncryptionError({ reason: "io", message })

const tooLarge = (bytes: number): EncryptionError =>
  new EncryptionError({
    reason: "full",
    message: `an envelope of ${bytes} bytes is more than half of the store's ring`
  })
