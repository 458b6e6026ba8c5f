import { UnavailableError } from "@logstore/client";
import type { Context } from "../command/context.js";
import { UsageError } from "../errors/cli-error.js";
import { copyTo } from "../transfer/copy-to.js";
import { openTarget, type TargetOptions } from "../transfer/open-target.js";

interface Options extends TargetOptions {
  readonly continue?: boolean;
  readonly renumber?: boolean;
  readonly groups?: boolean;
  /** False with `--no-verify`. */
  readonly verify?: boolean;
}

/** Offsets stay the same, unless `--renumber` gives new ones. */
export async function run(context: Context, options: Options, topic: string, newTopic = topic): Promise<void> {
  const { continue: mayContinue, renumber, groups, verify } = options;
  if (mayContinue && renumber) {
    throw new UsageError("--continue cannot be combined with --renumber, which changes the offsets of the copy", {
      hint: "delete the incomplete copy and begin anew with --renumber",
    });
  }
  const source = await context.open();
  const target = await openTarget(context, options);
  if (target === undefined && newTopic === topic) {
    throw new UsageError("a topic cannot be copied onto itself", {
      hint: "name a new topic, or another place with --to",
    });
  }
  try {
    await copyTo(context, source, target ?? source, { topic, newTopic, mayContinue, renumber, groups, verify });
  } catch (error) {
    if (context.signal.aborted || error instanceof UnavailableError) {
      const goOn = renumber ? `delete ${newTopic} and begin anew` : "go on with --continue";
      context.output.warn(`${newTopic} may hold a part of ${topic}: ${goOn}`);
    }
    throw error;
  }
}
