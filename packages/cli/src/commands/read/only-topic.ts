import type { Context } from "../../command/context.js";
import { UsageError } from "../../errors/cli-error.js";
import { counted } from "../../output/numbers.js";

/**
 * The topic of a command line that names none. A server may get further topics at any time, and so
 * its topics are always named.
 *
 * @throws UsageError unless the place is a directory with one topic
 */
export async function onlyTopic(context: Context): Promise<string> {
  const place = await context.place();
  const hint = "logstore topics list shows the topics that there are";
  if (place.kind === "server") throw new UsageError("missing required argument 'topic'", { hint });
  const { client } = await context.open();
  const topics = await client.listTopics();
  if (topics.length === 1) return topics[0]!.topic;
  throw new UsageError(`name a topic: ${place.directory} has ${counted(topics.length, "topic")}`, { hint });
}
