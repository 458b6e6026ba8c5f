/** Reads several messages of a stream with one request, which any replica answers. */
import { startTimer } from "@logstore/codec";
import type { DirectBatchStartSeq, DirectStreamAPI, StoredMsg } from "@nats-io/jetstream";
import { isNoMessage } from "./failures.js";

export interface ReadBatchOptions {
  /** How long to wait for the first message, in ms. Default: `timeoutMs`. */
  readonly firstMs?: number | undefined;
  /** How long to wait for all of them, in ms. */
  readonly timeoutMs: number;
  /** Called for each message as soon as it is there. */
  readonly arrived?: ((message: StoredMsg) => void) | undefined;
}

/**
 * Resolves to the messages, oldest first, or to undefined if nothing arrives within `firstMs`.
 *
 * It gives the client a callback: where its iterator is used instead, the subscription of the
 * answer outlives it, in the client and in the server.
 */
export async function readBatch(
  direct: DirectStreamAPI,
  stream: string,
  query: DirectBatchStartSeq,
  { firstMs, timeoutMs, arrived }: ReadBatchOptions,
): Promise<StoredMsg[] | undefined> {
  const messages: StoredMsg[] = [];
  let isSilent = false;
  let failure: unknown; // of `arrived`
  const { promise: ended, resolve: end } = Promise.withResolvers<unknown>();
  const answer = await direct.getBatch(stream, {
    ...query,
    callback: (done, message) => {
      if (done !== null) return end(done.err);
      if (failure !== undefined) return;
      silent?.cancel();
      messages.push(message);
      try {
        arrived?.(message);
      } catch (error) {
        failure = error;
        answer.stop();
      }
    },
  });
  const goSilent = () => {
    isSilent = true;
    answer.stop();
  };
  const silent = firstMs === undefined ? undefined : startTimer(firstMs, goSilent);
  // The client's own limit, for the first message, is 5 s whatever it was told.
  const tooLate = startTimer(timeoutMs, () => answer.stop(new Error("timeout")));
  const error = await ended;
  silent?.cancel();
  tooLate.cancel();
  if (failure !== undefined) throw failure;
  if (error !== undefined && !isNoMessage(error)) throw error;
  return isSilent ? undefined : messages;
}
