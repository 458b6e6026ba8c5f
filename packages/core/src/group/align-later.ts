/**
 * Brings groups into line with partitions that were unavailable when the groups were opened: one
 * unavailable partition does not make all groups wait.
 */
import { sleep, UnavailableError } from "@logstore/codec";
import type { GroupParts } from "./group-parts.js";
import { alignGroups, committedPartitions } from "./recover-groups.js";
import { RefreshFailures } from "./state/refresh-failures.js";

/** When to try again, in ms, unless the error says so. */
const RETRY_MS = 500;

/** @param failures of the refresh when the groups were opened */
export async function alignLater(parts: GroupParts, failures: RefreshFailures, signal: AbortSignal): Promise<void> {
  const { journal, members, topics } = parts;
  for (let unknown = failures; ; ) {
    const before = unknown;
    const unavailable = [...before].find((error) => error instanceof UnavailableError);
    if (unavailable === undefined) return; // other errors are not transient
    await sleep(unavailable.retryAfterMs ?? RETRY_MS, signal);
    if (journal.failure !== undefined) return;
    const concerned = committedPartitions(journal.groups, (topic) => before.concerns(topic));
    const now = (await topics.refresh(concerned)) ?? new RefreshFailures();
    if (journal.failure !== undefined) return;
    const isDue = (topic: string, partition?: number) =>
      before.of(topic, partition) !== undefined && now.of(topic, partition) === undefined;
    if (!now.includes(before)) await members.run(alignGroups(parts, isDue)); // something is available again
    unknown = now;
  }
}
