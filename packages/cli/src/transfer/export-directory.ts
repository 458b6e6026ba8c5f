/** Exports a topic to a data directory of its own, which a server or a broker can open. */
import { readdir, rm } from "node:fs/promises";
import type { Context } from "../command/context.js";
import { UsageError } from "../errors/cli-error.js";
import { copyTo } from "./copy-to.js";
import { openDirectory } from "./open-target.js";

/**
 * Offsets stay the same. If the export fails, the incomplete directory is removed, unless another
 * process has it open or has written to it first.
 */
export async function exportDirectory(context: Context, topic: string, directory: string): Promise<void> {
  if (!(await isMissingOrEmpty(directory))) throw notEmpty(directory);
  const source = await context.open();
  await source.client.describeTopic(topic); // before a directory is created
  let isIncomplete = false;
  context.onEnd(async () => {
    if (isIncomplete) await rm(directory, { recursive: true, force: true }); // after it was closed
  });
  const target = await openDirectory(context, directory);
  if ((await target.client.listTopics()).length > 0) throw notEmpty(directory);
  isIncomplete = true; // nobody else can write to it while it is open
  await copyTo(context, source, target, { topic, newTopic: topic });
  isIncomplete = false;
}

async function isMissingOrEmpty(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length === 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return true;
    throw error;
  }
}

function notEmpty(directory: string): UsageError {
  return new UsageError(`${directory} is not empty`, {
    hint: "name a new directory; logstore copy --to-data adds to one",
  });
}
