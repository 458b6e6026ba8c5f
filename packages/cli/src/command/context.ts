import type { Environment } from "../output/environment.js";
import type { Output } from "../output/output.js";
import type { OpenPlace } from "../place/open-place.js";
import type { Place } from "../place/place.js";

/** What is around a command: this process, or a test. */
export interface Surroundings {
  readonly environment: Environment;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Aborted where the command is to end. */
  readonly signal: AbortSignal;
}

/** What a command works with. */
export interface Context {
  readonly output: Output;
  readonly environment: Environment;
  readonly stdin: NodeJS.ReadStream;
  readonly stderr: NodeJS.WriteStream;
  /**
   * Aborted by Ctrl-C and SIGTERM: the command finishes what must not be left half-done and
   * returns, or throws the reason. A second signal ends the process at once.
   */
  readonly signal: AbortSignal;
  /** Says that an interrupt is the normal end of this command: the exit code is 0 then. */
  endsBySignal(): void;
  /** Where the log is, by options, variables and profile. @throws UsageError */
  place(): Promise<Place>;
  /** Opens that place; it is closed when the command ends. */
  open(): Promise<OpenPlace>;
  /** Runs `cleanUp` when the command ends, whatever happens; the last one registered runs first. */
  onEnd(cleanUp: () => Promise<void> | void): void;
  /** Sets the exit code of a command that succeeds. Default 0. */
  exitCode: number;
}
