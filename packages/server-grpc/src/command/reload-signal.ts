/**
 * Handles SIGHUP from the start of the process: without a handler it would end the process,
 * possibly during recovery. A signal that arrives before there is anything to reload is deferred.
 */
import type { EventEmitter } from "node:events";

/** Returns a function that registers the callback for signals from now on. */
export function hearReloadSignal(signals: Pick<EventEmitter, "on">): (reload: () => void) => void {
  let isDue = false;
  let onSignal = () => {
    isDue = true;
  };
  signals.on("SIGHUP", () => onSignal());
  return (reload) => {
    onSignal = reload;
    if (isDue) reload();
  };
}
