/** The ways in which a call to the operating system can fail, and which calls they apply to. */
import type { Call, HookedStorage } from "../hooked-storage.js";

export interface Fault {
  readonly name: string;
  /** The system's error code. */
  readonly code: string;
  readonly kinds: readonly Call["kind"][];
  /** Whether a failing write first writes some of its bytes. */
  readonly writesFirst?: boolean;
}

const SYNCS = ["sync", "syncDirectory"] as const;
const TAKES_SPACE = ["createFile", "makeDirectory", "rename", "write", ...SYNCS] as const;
const TAKES_DESCRIPTOR = ["createFile", "list", "lock", "openFile", "syncDirectory"] as const;

export const faults: readonly Fault[] = [
  { name: "no space", code: "ENOSPC", kinds: TAKES_SPACE },
  {
    name: "i/o error",
    code: "EIO",
    kinds: ["list", "lock", "openFile", "read", "remove", "size", "truncate", ...TAKES_SPACE],
  },
  { name: "too many open files", code: "EMFILE", kinds: TAKES_DESCRIPTOR },
  { name: "short write, then no space", code: "ENOSPC", kinds: ["write"], writesFirst: true },
  { name: "sync error", code: "EIO", kinds: SYNCS },
];

/** Distinguishes an injected error from any other. */
export class InjectedError extends Error {
  readonly code: string;
  readonly call: Call;

  constructor(code: string, call: Call) {
    super(`${code}: ${call.kind} ${call.path}`);
    this.code = code;
    this.call = call;
  }
}

/** Which of the calls that may fail does, counted from 1; and whether all later ones fail, too. */
export interface FaultPlan {
  readonly fault: Fault;
  readonly k: number;
  readonly forGood: boolean;
}

/** Injects the fault from now on, and returns the errors thrown. */
export function inject(storage: HookedStorage, { fault, k, forGood }: FaultPlan): InjectedError[] {
  const thrown: InjectedError[] = [];
  let count = 0;
  storage.before = (call, writeFirst) => {
    if (!fault.kinds.includes(call.kind)) return;
    count++;
    if (count < k || (count > k && !forGood)) return;
    if (fault.writesFirst) void writeFirst?.(1 + (k % 40));
    const error = new InjectedError(fault.code, call);
    thrown.push(error);
    throw error;
  };
  return thrown;
}
