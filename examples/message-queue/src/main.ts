/**
 * A message queue: a group of workers publishes a page for each of 3,201 movies, those of the same
 * distributor in order. Failed records are retried; those that keep failing are parked, so that
 * they block no others, and replayed after the workers have been fixed.
 *
 * In a clone of the repository: `pnpm build && pnpm -C examples/message-queue start`
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, json } from "@logstore/client";
import { Broker } from "@logstore/core";
import { type Movie, readMovies } from "./movies.ts";
import { fixedSlug, hopefulSlug } from "./slug.ts";
import { Website } from "./website.ts";
import { GROUP, QUEUE, workOff } from "./workers.ts";

const movies = readMovies();
const site = new Website();
const directory = await mkdtemp(join(tmpdir(), "logstore-message-queue-"));
const broker = await Broker.open(directory);
const client = connect(broker); // or the address of a server: nothing else would change
try {
  await client.ensureTopic(QUEUE, { partitions: 4 });
  const producer = client.producer(QUEUE, { value: json<Movie>() });
  await producer.sendMany(movies.map((movie) => ({ key: movie.distributor, value: movie })));
  console.log(`queued: ${movies.length} movies`);

  const retries = await workOff(client, site, hopefulSlug);
  const late = site.late.length;
  console.log(`published: ${site.pages.size}; tries that were repeated: ${retries}; out of order: ${late}`);

  const parked = client.parked(QUEUE, GROUP);
  for await (const { partition, offset, value, attempts, reason } of parked) {
    const { title, distributor }: Movie = JSON.parse(new TextDecoder().decode(value));
    console.log(
      `parked: ${title} (${distributor}), partition ${partition}, offset ${offset}, ${attempts} tries: ${reason}`,
    );
  }

  const { replayed } = await parked.replay();
  console.log(`mended, and replayed: ${replayed}`);
  await workOff(client, site, fixedSlug);
  console.log(`published ${site.pages.size} of ${movies.length} movies`);
  if (site.pages.size !== movies.length || late > 0) process.exitCode = 1;
} finally {
  await client.close();
  await broker.close();
  await rm(directory, { recursive: true, force: true });
}
