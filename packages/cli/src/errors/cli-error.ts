import { type ExitCode, exitCodes } from "./exit-codes.js";

/** A failure that the command itself found. */
export class CliError extends Error {
  /** Stable, upper case. */
  readonly code: string;
  readonly exitCode: ExitCode;
  /** What to do about it. */
  readonly hint: string | undefined;

  constructor(code: string, message: string, options: ErrorOptions & { exitCode?: ExitCode; hint?: string } = {}) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.exitCode = options.exitCode ?? exitCodes.failed;
    this.hint = options.hint;
  }
}

/** The command line, a variable or a profile is wrong. */
export class UsageError extends CliError {
  constructor(message: string, options: ErrorOptions & { hint?: string } = {}) {
    super("USAGE", message, { ...options, exitCode: exitCodes.usage });
  }
}

/** Something destructive was neither confirmed at a terminal nor by `--yes`. */
export class UnconfirmedError extends CliError {
  constructor(message: string, options: { hint?: string } = {}) {
    super("UNCONFIRMED", message, { ...options, exitCode: exitCodes.unconfirmed });
  }
}
