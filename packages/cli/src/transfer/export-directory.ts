/** Exports a topic to a data directory of its own, which a server or a broker can open. */
import { readdir, rm } from "node:fs/promises";
import type { Context } from "../command/context.js";
import { UsageError } from "../errors/cli-error.js";
import { copyTo } from "./copy-to.js";
import { openDirectory } from "./open-target.js";

/** Offsets stay the same. If the export fails, the incomplete directory is removed. */
export async function exportDirectory(context: Context, topic: string, directory: string): Promise<void> {
  if (!(await isMissingOrEmpty(directory))) {
    throw new UsageError(`${directory} is not empty`, {
      hint: "name a new directory; logstore copy --to-data adds to one",
    });
  }
  const source = await context.open();
  await source.client.describeTopic(topic); // before a directory is created
  let isWhole = false;
  context.onEnd(async () => {
    if (!isWhole) await rm(directory, { recursive: true, force: true }); // after it was closed
  });
  await copyTo(context, source, await openDirectory(context, directory), { topic, newTopic: topic });
  isWhole = true;
}

async function isMissingOrEmpty(directory: string): Promise<boolean> {
  try {
    return (await readdir(directory)).length === 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return true;
    throw error;
  }
}
