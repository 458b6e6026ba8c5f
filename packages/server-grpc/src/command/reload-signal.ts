/**
 * SIGHUP, heard from the first moment on: where nobody listens, it ends the process, and that may
 * be in the midst of recovery. One that comes before there is anything to reload is kept until
 * there is.
 */
import type { EventEmitter } from "node:events";

/** Returns who takes what is to be called from now on. */
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
