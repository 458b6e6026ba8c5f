/** Calls that are to fail. */
import type { Call, CallKind } from "./calls.js";
import { diskError } from "./disk-errors.js";

/**
 * - ENOSPC, EIO, EMFILE: nothing of the call is done.
 * - short-write: some of the bytes are taken, and then there is no space left.
 * - failed-sync: written bytes that were to be made durable never will be by a later sync, though
 *   they can be read until the power goes: that is how Linux handles a page that it could not
 *   write. A sync that fails with ENOSPC or EIO does the same.
 */
export type Fault = "ENOSPC" | "EIO" | "EMFILE" | "short-write" | "failed-sync";

/** Every fault that the simulated disk knows. */
export const faults: readonly Fault[] = ["ENOSPC", "EIO", "EMFILE", "short-write", "failed-sync"];

/** When a fault happens. */
export interface FaultOptions {
  /** Which calls are counted and may fail. Default: all that the fault can happen to. */
  readonly when?: ((call: Call) => boolean) | undefined;
  /** Whether all later ones fail too. Default false. */
  readonly forGood?: boolean | undefined;
}

const opening: readonly CallKind[] = ["createFile", "list", "openFile", "syncDirectory"];

/** What a fault can happen to; undefined for every call. */
const victims: Record<Fault, readonly CallKind[] | undefined> = {
  ENOSPC: ["createFile", "link", "makeDirectory", "rename", "sync", "syncDirectory", "write"],
  EIO: undefined,
  EMFILE: opening,
  "short-write": ["write"],
  "failed-sync": ["sync"],
};

interface ArmedFault extends FaultOptions {
  readonly fault: Fault;
  readonly k: number;
  count: number;
}

export class FaultPlan {
  #armed: ArmedFault[] = [];

  arm(fault: Fault, k: number, options: FaultOptions): void {
    this.#armed.push({ ...options, fault, k, count: 0 });
  }

  clear(): void {
    this.#armed = [];
  }

  /** The fault that happens to a call, if one does. */
  next(call: Call): Fault | undefined {
    let happens: Fault | undefined;
    for (const armed of this.#armed) {
      const { fault, k, when, forGood = false } = armed;
      if (victims[fault]?.includes(call.kind) === false || when?.(call) === false) continue;
      armed.count++;
      if (armed.count === k || (forGood && armed.count > k)) happens ??= fault;
    }
    return happens;
  }
}

export function faultError(fault: Fault, path: string): Error {
  if (fault === "short-write") return diskError("ENOSPC", path);
  return diskError(fault === "failed-sync" ? "EIO" : fault, path);
}
