/**
 * Tells who calls by the stack trace, which names what awaits the running code, too. It costs
 * nothing until somebody asks, on any release of Node, while an AsyncLocalStorage costs each
 * promise something, and before Node 24 much. Code that runs in a callback which nobody awaits,
 * such as a timer's, is not recognized: nothing waits for it.
 */

/** A function on the stack. */
export interface Frame {
  readonly name: string | null;
  /** The same for all calls of one function. */
  readonly code: string;
  /** Where in its file the function is just now. */
  readonly position: number;
}

const MAX_FRAMES = 100;

/**
 * The functions that are running, then those that await them; the innermost first. Empty where
 * Error is frozen.
 */
export function callStack(): readonly Frame[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.stackTraceLimit = MAX_FRAMES;
    Error.prepareStackTrace = (_, sites) => sites.filter(isOfProgram).map(frameOf);
  } catch {
    return [];
  }
  try {
    const traced: { stack?: unknown } = {};
    Error.captureStackTrace(traced, callStack);
    return traced.stack as Frame[];
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Whatever runs microtasks happens to be on the stack. */
function isOfProgram(site: NodeJS.CallSite): boolean {
  return site.getScriptNameOrSourceURL()?.startsWith("node:") !== true;
}

/**
 * Where several promises are awaited together, which of them counts: `Promise.all` is a function on
 * the stack.
 */
function frameOf(site: NodeJS.CallSite): Frame {
  const begin = `${site.getEnclosingLineNumber()}:${site.getEnclosingColumnNumber()}`;
  const code = `${site.getScriptNameOrSourceURL()}:${begin}:${site.getPromiseIndex()}`;
  return { name: site.getFunctionName(), code, position: site.getPosition() };
}

/**
 * Whether a function that waited when `before` was on the stack has gone on and is on the stack
 * `now`, in the same call.
 */
export function hasGoneOn(before: readonly Frame[], now: readonly Frame[]): boolean {
  return before.some((waited, i) =>
    now.some(({ code, position }, j) => {
      if (code !== waited.code || position === waited.position) return false;
      // What awaits it is the same as before, except that something more may have begun to.
      const awaiting = now.slice(j + 1);
      return before.slice(i + 1, i + 1 + awaiting.length).every((frame, k) => isSame(frame, awaiting[k]!));
    }),
  );
}

function isSame(a: Frame, b: Frame): boolean {
  return a.code === b.code && a.position === b.position;
}

let names = 0;

/** A name that no other function has. */
export function uniqueName(what: string): string {
  return `logstore:${what}:${++names}`;
}

/** The function, by another name. */
export function named<F extends (...args: never[]) => unknown>(name: string, work: F): F {
  return Object.defineProperty(work, "name", { value: name });
}
