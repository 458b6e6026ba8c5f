/** Copies the offsets that groups have committed for a topic. */
import type { LogApi } from "@logstore/client";
import { CliError } from "../errors/cli-error.js";

export interface CopyGroupsRequest {
  readonly source: LogApi;
  readonly target: LogApi;
  readonly topic: string;
  readonly newTopic: string;
}

/**
 * Resolves to the names of the groups. In the target they have no members, or their commits are
 * refused.
 */
export async function copyGroups({ source, target, topic, newTopic }: CopyGroupsRequest): Promise<string[]> {
  const copied: string[] = [];
  for (const { group } of await source.listGroups()) {
    const committed = (await source.fetchOffsets(group)).filter((each) => each.topic === topic);
    if (committed.length === 0) continue;
    const offsets = committed.map(({ partition, offset, metadata }) => ({
      topic: newTopic,
      partition,
      offset,
      metadata,
    }));
    const results = await target.commitOffsets({ group, offsets });
    const refused = results.find(({ error }) => error !== undefined)?.error;
    if (refused !== undefined)
      throw new CliError(refused.code, `the offsets of group ${group} were refused: ${refused.message}`);
    copied.push(group);
  }
  return copied;
}
