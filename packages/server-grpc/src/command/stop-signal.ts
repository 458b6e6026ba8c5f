/**
 * Handles SIGTERM and SIGINT from the start of the process: without a handler, the kernel does not
 * deliver the signal to process 1, and ends any other process at once.
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
