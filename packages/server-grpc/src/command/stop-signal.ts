/**
 * Handles SIGTERM and SIGINT from the start of the process: the kernel does not deliver a signal
 * without a handler to process 1, and any other process it would end at once.
 */
import type { EventEmitter } from "node:events";

/**
 * Aborts on the first signal.
 *
 * @param exit called on the second one, which means not to wait for clients
 */
export function hearStopSignal(signals: Pick<EventEmitter, "on">, exit: () => void): AbortSignal {
  const stop = new AbortController();
  const onSignal = () => (stop.signal.aborted ? exit() : stop.abort());
  signals.on("SIGTERM", onSignal).on("SIGINT", onSignal);
  return stop.signal;
}
