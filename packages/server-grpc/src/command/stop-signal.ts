/**
 * SIGTERM and SIGINT, heard from the first moment on: the kernel does not deliver a signal without
 * a handler to process 1, and any other process it ends at once.
 */
import type { EventEmitter } from "node:events";

/**
 * Aborts on the first signal.
 *
 * @param exit called on the second: whoever asks twice does not want to wait for clients to finish
 */
export function hearStopSignal(signals: Pick<EventEmitter, "on">, exit: () => void): AbortSignal {
  const stop = new AbortController();
  const onSignal = () => (stop.signal.aborted ? exit() : stop.abort());
  signals.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  return stop.signal;
}
