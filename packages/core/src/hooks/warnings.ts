/**
 * What whoever runs a store should hear of though nothing has failed yet. See
 * `LogStoreHooks.warned`.
 */

/** A clock that is set back by less than this is not told of, ms. */
const CLOCK_TOLERANCE_MS = 60_000;

/**
 * The same is not told again before this has passed, ms: one cause may show at every partition and
 * at every call.
 */
const REPEAT_AFTER_MS = 60_000;

export type WarnedEvent = ClockBehindEvent | NewDirectoryEvent | OutOfDescriptorsEvent;

/**
 * The clock is behind the time of a partition's last append by more than a minute: what is appended
 * gets that time until the clock has come up to it, and retention by time waits as long. At most
 * once a minute, for the first partition that notices.
 */
export interface ClockBehindEvent {
  readonly type: "clockBehind";
  /** Where it is a broker that tells. */
  readonly topic?: string | undefined;
  readonly partition: number;
  readonly lastAppendTime: number;
  readonly now: number;
  readonly message: string;
}

/** The directory held no data and was made a new store. */
export interface NewDirectoryEvent {
  readonly type: "newDirectory";
  readonly directory: string;
  readonly message: string;
}

/** The system lets the process open no more files (EMFILE, ENFILE). At most once a minute. */
export interface OutOfDescriptorsEvent {
  readonly type: "outOfDescriptors";
  readonly code: string;
  /** That the store has open now. */
  readonly openFiles: number;
  readonly message: string;
}

/** Lets something through at most once a minute. */
export class OnceAMinute {
  #next = Number.NEGATIVE_INFINITY;

  isDue(): boolean {
    const now = performance.now();
    if (now < this.#next) return false;
    this.#next = now + REPEAT_AFTER_MS;
    return true;
  }
}

export function isClockBehind(now: number, lastAppendTime: number): boolean {
  return now < lastAppendTime - CLOCK_TOLERANCE_MS;
}

export function clockBehind(partition: number, now: number, lastAppendTime: number): ClockBehindEvent {
  const seconds = Math.round((lastAppendTime - now) / 1000);
  const message =
    `the clock is ${seconds} s behind the last append to partition ${partition} (${new Date(lastAppendTime).toISOString()}): ` +
    "appends get that time until the clock has come up to it, and retention by time waits as long; set the clock";
  return { type: "clockBehind", partition, lastAppendTime, now, message };
}

export function newDirectory(directory: string, what: string): NewDirectoryEvent {
  const message = `${directory} held no ${what}: a new one was made there. If there should be one, a volume may not be mounted, or the path may be wrong`;
  return { type: "newDirectory", directory, message };
}

export function outOfDescriptors(code: string, openFiles: number): OutOfDescriptorsEvent {
  const message =
    `the system lets this process open no more files (${code}; the store has ${openFiles} open): ` +
    "raise the limit (ulimit -n, LimitNOFILE=) or lower maxOpenFiles";
  return { type: "outOfDescriptors", code, openFiles, message };
}
