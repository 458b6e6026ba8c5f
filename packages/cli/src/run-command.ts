/** Runs one command, from its options to its exit code. */
import type { Context, Surroundings } from "./command/context.js";
import { exitCodes } from "./errors/exit-codes.js";
import type { InterruptedError } from "./interrupts.js";
import { Output, type OutputOptions } from "./output/output.js";
import type { OpenPlace } from "./place/open-place.js";
import type { PlaceOptions } from "./place/resolve-place.js";
import type { Chosen } from "./program.js";

type CommonOptions = OutputOptions & PlaceOptions & { readonly timeout?: number | undefined };

export async function runCommand(chosen: Chosen, surroundings: Surroundings): Promise<number> {
  const { environment, stdin, stdout, stderr, signal } = surroundings;
  const options = chosen.options as CommonOptions;
  const output = new Output(options, environment, stdout, stderr);
  const cleanUps: (() => Promise<void> | void)[] = [];
  let endsBySignal = false;
  let opened: Promise<OpenPlace> | undefined;
  const context: Context = {
    output,
    environment,
    stdin,
    stderr,
    signal,
    exitCode: exitCodes.done,
    endsBySignal: () => {
      endsBySignal = true;
    },
    onEnd: (cleanUp) => {
      cleanUps.unshift(cleanUp);
    },
    place: async () => {
      const { resolvePlace } = await import("./place/resolve-place.js");
      return resolvePlace(options, environment);
    },
    open: () => {
      opened ??= (async () => {
        const place = await context.place();
        const { openPlace } = await import("./place/open-place.js");
        const open = await openPlace(place, { timeoutMs: options.timeout, signal });
        context.onEnd(() => open.close());
        return open;
      })();
      return opened;
    },
  };
  let failure: { readonly error: unknown } | undefined;
  try {
    const { run } = await chosen.load();
    await run(context, chosen.options, ...chosen.arguments);
  } catch (error) {
    failure = { error };
  }
  for (const cleanUp of cleanUps) {
    try {
      await cleanUp();
    } catch (error) {
      failure ??= { error };
    }
  }
  if (signal.aborted) {
    // An error that occurs because the command was interrupted is not reported as a failure.
    const interrupted = signal.reason as InterruptedError;
    return endsBySignal ? context.exitCode : interrupted.exitCode;
  }
  if (failure === undefined) return context.exitCode;
  const { reportError } = await import("./errors/report-error.js");
  return reportError(failure.error, { json: output.json, style: output.errorStyle, stderr });
}
