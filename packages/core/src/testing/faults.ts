/** Injection of faults into calls. */
import type { Call, CallKind } from "./calls.js";
import { diskError } from "./disk-errors.js";

/**
 * - ENOSPC, EIO, EMFILE: the call has no effect.
 * - short-write: some of the bytes are written, then the disk is full.
 * - failed-sync: the written bytes can still be read until the power fails, but no later sync makes
 *   them durable: this is how Linux handles a page that it could not write. A sync that fails with
 *   ENOSPC or EIO has the same effect.
 */
export type Fault = "ENOSPC" | "EIO" | "EMFILE" | "short-write" | "failed-sync";

/** All faults that the simulated disk supports. */
export const faults: readonly Fault[] = ["ENOSPC", "EIO", "EMFILE", "short-write", "failed-sync"];

/** Selects the calls that a fault affects. */
export interface FaultOptions {
  /** Which calls are counted and may fail. Default: all to which the fault applies. */
  readonly when?: ((call: Call) => boolean) | undefined;
  /** Whether all later calls fail, too. Default false. */
  readonly forGood?: boolean | undefined;
}

const opening: readonly CallKind[] = ["createFile", "list", "openFile", "syncDirectory"];

/** The calls to which a fault applies; undefined for all. */
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

  /** Returns the fault to inject into a call; undefined for none. */
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
