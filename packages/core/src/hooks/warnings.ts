/**
 * Conditions that need the operator's attention before anything has failed. See
 * `LogStoreHooks.warned`.
 */

/** A smaller difference of the clock is not reported, in ms. */
const CLOCK_TOLERANCE_MS = 60_000;

/**
 * The same warning is not repeated within this time, in ms, because one cause may show in every
 * partition and call.
 */
const REPEAT_AFTER_MS = 60_000;

/** An event of `LogStoreHooks.warned`. */
export type WarnedEvent = ClockBehindEvent | NewDirectoryEvent | OutOfDescriptorsEvent;

/**
 * The clock is behind the time of a partition's last append by more than a minute: new records get
 * that time until the clock has caught up, and retention by time is delayed accordingly. Reported
 * at most once a minute, for the first partition that detects it.
 */
export interface ClockBehindEvent {
  readonly type: "clockBehind";
  /** Set if the partition belongs to a broker. */
  readonly topic?: string | undefined;
  readonly partition: number;
  readonly lastAppendTime: number;
  readonly now: number;
  readonly message: string;
}

/** The directory contained no data, and a new store was created in it. */
export interface NewDirectoryEvent {
  readonly type: "newDirectory";
  readonly directory: string;
  readonly message: string;
}

/**
 * The process has reached the system's limit on open files (EMFILE, ENFILE). Reported at most once
 * a minute.
 */
export interface OutOfDescriptorsEvent {
  readonly type: "outOfDescriptors";
  readonly code: string;
  /** Number of files that the store has open now. */
  readonly openFiles: number;
  readonly message: string;
}

/** A rate limit of once a minute. */
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
