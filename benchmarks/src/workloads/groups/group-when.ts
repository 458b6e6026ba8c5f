/** Waits for a state of a group. */
import { setTimeout as sleep } from "node:timers/promises";
import type { GroupDescription, LogClient } from "@logstore/client";

const ASK_AGAIN_MS = 10;
const TIMEOUT_MS = 60_000;

/** Resolves when the group exists and satisfies the condition; throws after a minute. */
export async function groupWhen(
  client: LogClient,
  name: string,
  isSo: (group: GroupDescription) => boolean,
): Promise<GroupDescription> {
  for (const end = performance.now() + TIMEOUT_MS; performance.now() < end; ) {
    const isThere = (await client.listGroups()).some(({ group }) => group === name);
    const group = isThere ? await client.describeGroup(name) : undefined;
    if (group !== undefined && isSo(group)) return group;
    await sleep(ASK_AGAIN_MS);
  }
  throw new Error(`group ${name} is not as expected after ${TIMEOUT_MS / 1_000} s`);
}
