/** Workers that share a queue: the members of a group. */
import { setTimeout as sleep } from "node:timers/promises";
import { json, type LogClient } from "@logstore/client";
import type { Movie } from "./movies.ts";
import type { Slug } from "./slug.ts";
import type { Website } from "./website.ts";

export const QUEUE = "movies";
export const GROUP = "publishers";

const WORKERS = 2;
const ASK_AGAIN_MS = 50;

/** Processes everything in the queue. Returns the number of retries. */
export async function workOff(client: LogClient, site: Website, slugOf: Slug): Promise<number> {
  let retries = 0;
  const joined = Promise.withResolvers<void>();
  const workers = Array.from({ length: WORKERS }, () =>
    client.consumer({
      group: GROUP,
      topics: [QUEUE],
      value: json<Movie>(),
      commitIntervalMs: ASK_AGAIN_MS,
      onAssigned: () => joined.resolve(),
    }),
  );
  const work = workers.map((worker) =>
    worker.run({
      concurrency: 8,
      retry: { attempts: 5, initialBackoffMs: 10 },
      eachRecord: async ({ value: movie }, { attempt }) => {
        if (attempt > 1) retries++;
        await site.publish(movie, slugOf(movie));
      },
    }),
  );
  await Promise.race([joined.promise.then(() => queueIsEmpty(client)), ...work]);
  await Promise.all(workers.map((worker) => worker.close()));
  await Promise.all(work);
  return retries;
}

/** Resolves when everything in the queue has been processed or parked, and committed. */
async function queueIsEmpty(client: LogClient): Promise<void> {
  for (;;) {
    const { partitions } = await client.describeGroup(GROUP);
    if (partitions.every(({ lag }) => lag === 0)) return;
    await sleep(ASK_AGAIN_MS);
  }
}
