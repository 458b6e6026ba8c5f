/**
 * Recognizes the caller of a function by V8's stack trace, which also names the functions that
 * await the running code. A stack trace costs nothing until it is taken, while an AsyncLocalStorage
 * makes every promise slower, most of all before Node 24. Code that runs in a callback that nothing
 * awaits, such as a timer's, is not recognized.
 *
 * An engine without V8's stack traces (for example JavaScriptCore in Bun) recognizes no caller: a
 * `close()` that is awaited by what it waits for then takes its whole time limit.
 */

/** A function on the stack. */
export interface Frame {
  readonly name: string | null;
  /** The same for all calls of one function. */
  readonly code: string;
  /** Position within the file at which the function is executing. */
  readonly position: number;
}

const MAX_FRAMES = 100;

/**
 * The running functions and then those that await them, the innermost first. Empty on an engine
 * without V8's stack traces, and where Error is frozen.
 */
export function callStack(): readonly Frame[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = MAX_FRAMES;
    Error.prepareStackTrace = (_, sites) => sites.filter(isOfProgram).map(frameOf);
    const traced: { stack?: unknown } = {};
    Error.captureStackTrace(traced, callStack);
    return Array.isArray(traced.stack) ? (traced.stack as Frame[]) : [];
  } catch {
    return [];
  } finally {
    restore(prepareStackTrace, stackTraceLimit);
  }
}

function restore(prepareStackTrace: typeof Error.prepareStackTrace, stackTraceLimit: number): void {
  try {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  } catch {
    // Error is frozen: nothing was changed.
  }
}

/** Excludes Node's own functions, because any of them may be running the microtasks. */
function isOfProgram(site: NodeJS.CallSite): boolean {
  return site.getScriptNameOrSourceURL()?.startsWith("node:") !== true;
}

/**
 * The index of the promise is part of the code, because `Promise.all` is one function on the stack
 * whichever of its promises is meant.
 */
function frameOf(site: NodeJS.CallSite): Frame {
  const begin = `${site.getEnclosingLineNumber()}:${site.getEnclosingColumnNumber()}`;
  const code = `${site.getScriptNameOrSourceURL()}:${begin}:${site.getPromiseIndex()}`;
  return { name: site.getFunctionName(), code, position: site.getPosition() };
}

/**
 * Whether a function that was waiting in stack `before` is running in stack `now`, in the same
 * call.
 */
export function hasGoneOn(before: readonly Frame[], now: readonly Frame[]): boolean {
  return before.some((waited, i) =>
    now.some(({ code, position }, j) => {
      if (code !== waited.code || position === waited.position) return false;
      // The functions that await it are the same, except that more of them may have begun to.
      const awaiting = now.slice(j + 1);
      return before.slice(i + 1, i + 1 + awaiting.length).every((frame, k) => isSame(frame, awaiting[k]!));
    }),
  );
}

function isSame(a: Frame, b: Frame): boolean {
  return a.code === b.code && a.position === b.position;
}

let names = 0;

/** Returns a unique function name. */
export function uniqueName(what: string): string {
  return `logstore:${what}:${++names}`;
}

/** Renames a function. */
export function named<F extends (...args: never[]) => unknown>(name: string, work: F): F {
  return Object.defineProperty(work, "name", { value: name });
}
