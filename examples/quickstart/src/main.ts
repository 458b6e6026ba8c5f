/**
 * The quickstart: 20,000 real flights, from one producer over gRPC into ten partitions on disk, and back to three consumer
 * processes that read in parallel. Flights from the same airport must arrive in order, each exactly once.
 *
 * `--crashes N` kills the server N times while flights are produced; `--seed S` says when.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { connect } from "@logstore/client";
import type { Report } from "./consumer.ts";
import { Consumers } from "./consumers.ts";
import { crashPoints } from "./crash-points.ts";
import { PARTITIONS, readFlights, TOPIC } from "./flights.ts";
import { OrderCheck } from "./order-check.ts";
import { produce } from "./produce.ts";
import { startProgress } from "./progress.ts";
import { Server } from "./server.ts";
import { DelaysByOrigin, printPartitions, printRate } from "./summary.ts";

const CONSUMERS = 3;
/** Longer than this means that something is wrong. */
const PATIENCE_MS = 90_000;

const { values: options } = parseArgs({
  options: { crashes: { type: "string", default: "0" }, seed: { type: "string", default: "1" } },
});

const flights = readFlights();
const dataDirectory = await mkdtemp(join(tmpdir(), "logstore-quickstart-"));
const server = new Server(dataDirectory);
const address = await server.start();
console.log(`Server on ${address}, data in ${dataDirectory}`);
const client = connect(address);

const check = new OrderCheck(flights);
const delays = new DelaysByOrigin();
const origins = Array.from({ length: PARTITIONS }, () => new Set<string>());
const progress = startProgress([
  { name: "produced", total: flights.length },
  { name: "consumed", total: flights.length },
]);
const allConsumed = Promise.withResolvers<void>();
let consumed = 0;
const consumers = new Consumers(address, CONSUMERS, PARTITIONS, (report: Report) => {
  for (const [i, line] of report.lines.entries()) {
    const origin = report.origins[i] ?? "";
    check.arrived(origin, line);
    delays.add(origin, report.delays[i] ?? 0);
    origins[report.partition]?.add(origin);
  }
  consumed += report.lines.length;
  progress.add("consumed", report.lines.length);
  if (consumed >= flights.length) allConsumed.resolve();
});

const timeUp = Promise.withResolvers<never>();
const patience = setTimeout(() => timeUp.reject(new Error(`not done after ${PATIENCE_MS} ms`)), PATIENCE_MS);
try {
  const run = async () => {
    await client.createTopic(TOPIC, { partitions: PARTITIONS });
    await consumers.ready();
    const startedAt = performance.now();
    const crashes = crashPoints(Number(options.crashes), Number(options.seed), flights.length);
    await produce(client, flights, crashes, () => server.kill(), progress);
    const producedMs = performance.now() - startedAt;
    await allConsumed.promise;
    const consumedMs = performance.now() - startedAt;
    return { producedMs, consumedMs, topic: await client.describeTopic(TOPIC) };
  };
  const { producedMs, consumedMs, topic } = await Promise.race([run(), server.lost, consumers.lost, timeUp.promise]);
  progress.stop();

  console.log();
  printRate("Produced and durable", flights.length, producedMs);
  printRate("Consumed", consumed, consumedMs);
  printPartitions(topic, consumers.consumerOf, origins);
  delays.print();
  if (server.restarts > 0) console.log(`server killed and started again: ${server.restarts} times`);

  const kept = topic.partitions.reduce(
    (sum, { logStartOffset, highWatermark }) => sum + highWatermark - logStartOffset,
    0,
  );
  for (const complaint of check.wrong.slice(0, 10)) console.error(complaint);
  if (kept !== flights.length) console.error(`the log holds ${kept} flights, and ${flights.length} were sent`);
  if (check.wrong.length > 0 || kept !== flights.length) process.exitCode = 1;
} catch (error) {
  progress.stop();
  console.error(error);
  process.exitCode = 1;
} finally {
  clearTimeout(patience);
  await consumers.stop();
  await server.stop(); // what the client still has under way is not waited for
  await rm(dataDirectory, { recursive: true, force: true });
}
console.log(`consumed ${check.inOrder} of ${flights.length} records in order`);
process.exit();
