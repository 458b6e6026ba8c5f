/**
 * Web logs: a web site under load sends every access, in binary and keyed by client, to a server. A
 * group reads the log as it is written and computes, second by second, requests, errors and
 * latencies. Another member joins in the meantime. In the end the group's counts must equal those
 * of the visitors.
 *
 * In a clone of the repository: `pnpm build && pnpm -C examples/web-logs start`
 */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "@logstore/client";
import { Broker } from "@logstore/core";
import { serve } from "@logstore/server-grpc";
import { accessFormat, PARTITIONS, TOPIC } from "./access.ts";
import { Aggregators } from "./aggregators.ts";
import { REQUESTS, visit } from "./load.ts";
import { createSite } from "./site.ts";
import { WINDOW_MS } from "./statistics.ts";

const directory = await mkdtemp(join(tmpdir(), "logstore-web-logs-"));
const broker = await Broker.open(directory);
const server = await serve(broker, { port: 0 });
const client = connect(server.address);
await client.ensureTopic(TOPIC, { partitions: PARTITIONS });
const log = client.producer(TOPIC, { value: accessFormat });
const site = createSite(log).listen(0, "127.0.0.1");
await once(site, "listening");
const aggregators = new Aggregators(server.address);
try {
  await aggregators.start();
  await aggregators.start();
  const visited = visit(`http://127.0.0.1:${(site.address() as AddressInfo).port}`);
  const windows = setInterval(() => aggregators.printWindow(Date.now() - 2 * WINDOW_MS), WINDOW_MS);
  await sleep(2 * WINDOW_MS);
  await aggregators.start(); // it takes over a third of the partitions, and nothing is counted twice
  const expected = await visited;
  await once(site.close(), "close"); // every access has been sent
  await log.flush();
  await aggregators.caughtUp();
  clearInterval(windows);

  aggregators.printTotals();
  console.log(`partitions of each member: ${aggregators.shares}`);
  const counted = aggregators.counts();
  const wrong = [...expected].filter(([what, count]) => counted.get(what) !== count);
  for (const [what, count] of wrong) console.error(`${what}: ${counted.get(what) ?? 0} counted, ${count} visited`);
  const sum = [...counted.values()].reduce((sum, count) => sum + count, 0);
  console.log(`counted ${sum} of ${REQUESTS} requests by path and status, ${wrong.length} of the counts wrong`);
  if (sum !== REQUESTS || wrong.length > 0) process.exitCode = 1;
} finally {
  await aggregators.stop();
  site.closeAllConnections();
  await client.close();
  await server.stop();
  await broker.close();
  await rm(directory, { recursive: true, force: true });
}
