import type { Environment } from "../output/environment.js";
import type { Output } from "../output/output.js";
import type { OpenPlace } from "../place/open-place.js";
import type { Place } from "../place/place.js";

/** The environment of a command: a process or a test. */
export interface Surroundings {
  readonly environment: Environment;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  /** Aborts when the command must end. */
  readonly signal: AbortSignal;
}

/** The context in which a command runs. */
export interface Context {
  readonly output: Output;
  readonly environment: Environment;
  readonly stdin: NodeJS.ReadStream;
  readonly stderr: NodeJS.WriteStream;
  /**
   * Aborts on Ctrl-C and SIGTERM: the command then finishes what must not be left incomplete and
   * returns, or throws the reason. A second signal ends the process at once.
   */
  readonly signal: AbortSignal;
  /** Declares that an interrupt is the normal end of this command, so that the exit code is 0. */
  endsBySignal(): void;
  /** Returns where the log is, according to options, variables and profile. @throws UsageError */
  place(): Promise<Place>;
  /** Opens the place, which is closed when the command ends. */
  open(): Promise<OpenPlace>;
  /** Runs `cleanUp` when the command ends, whatever happens; the last one registered runs first. */
  onEnd(cleanUp: () => Promise<void> | void): void;
  /** Sets the exit code of a command that succeeds. Default 0. */
  exitCode: number;
}
