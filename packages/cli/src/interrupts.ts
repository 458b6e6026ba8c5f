/** Handles Ctrl-C, SIGTERM and a closed output pipe. */
import { exitCodes } from "./errors/exit-codes.js";

/** The reason that a command must end. */
export class InterruptedError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number) {
    super(message);
    this.name = new.target.name;
    this.exitCode = exitCode;
  }
}

const codes = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated };

/**
 * Returns a signal that is aborted with an InterruptedError: so a first signal asks the command to
 * end, and a second one ends the process at once.
 */
export function hearInterrupts(process: NodeJS.Process): AbortSignal {
  const controller = new AbortController();
  for (const [name, code] of Object.entries(codes)) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(code);
      controller.abort(new InterruptedError(name, code));
    });
  }
  // `logstore read … | head`: it has all it wants.
  const gone = (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    controller.abort(new InterruptedError("EPIPE", exitCodes.done));
  };
  process.stdout.on("error", gone);
  process.stderr.on("error", gone);
  return controller.signal;
}
