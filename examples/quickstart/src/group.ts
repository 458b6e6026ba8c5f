/** The state of the group, according to the server. */
import { setTimeout as sleep } from "node:timers/promises";
import type { GroupDescription, LogClient } from "@logstore/client";
import { GROUP } from "./flights.ts";

const ASK_AGAIN_MS = 50;

/** Resolves when the group satisfies the condition. */
export async function groupWhen(
  client: LogClient,
  isSo: (group: GroupDescription) => boolean,
): Promise<GroupDescription> {
  for (;;) {
    const group = await client.describeGroup(GROUP);
    if (isSo(group)) return group;
    await sleep(ASK_AGAIN_MS);
  }
}

/** Reports the owners of the partitions again and again, until the signal aborts. */
export async function watchOwners(
  client: LogClient,
  report: (names: readonly (string | undefined)[]) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    report(ownersOf(await client.describeGroup(GROUP)));
    await sleep(ASK_AGAIN_MS);
  }
}

/** The name of the member that owns each partition. */
export function ownersOf({ members, partitions }: GroupDescription): (string | undefined)[] {
  const names = new Map(members.map(({ memberId, clientId }) => [memberId, clientId]));
  return partitions.map(({ memberId }) => memberId && names.get(memberId));
}
