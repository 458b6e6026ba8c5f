/**
 * The quickstart: 20,000 real flights, from one producer over gRPC into ten partitions on disk, and back to three consumer
 * processes that read in parallel. Flights from the same airport must arrive in order, each exactly once.
 *
 * `--crashes N` kills the server N times while flights are produced; `--seed S` says when.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { connect } from "@logstore/client";
import type { Report } from "./consumer.ts";
import { crashPoints } from "./crash-points.ts";
import { departureTime, Flight, LINE, PARTITIONS, readFlights, TOPIC } from "./flights.ts";
import { OrderCheck } from "./order-check.ts";
import { startProgress } from "./progress.ts";
import { Server } from "./server.ts";
import { DelaysByOrigin, printPartitions, printRate } from "./summary.ts";

const CONSUMERS = 3;
/** Nothing arriving for so long means that something is wrong. */
const PATIENCE_MS = 60_000;

const { values: options } = parseArgs({
  options: { crashes: { type: "string", default: "0" }, seed: { type: "string", default: "1" } },
});

const flights = readFlights();
const dataDirectory = await mkdtemp(join(tmpdir(), "logstore-quickstart-"));
const server = new Server(dataDirectory);
const consumers: ChildProcess[] = [];
try {
  const address = await server.start();
  console.log(`Server on ${address}, data in ${dataDirectory}`);
  await using client = connect(address);
  await client.createTopic(TOPIC, { partitions: PARTITIONS });

  const consumerOf = Array.from({ length: PARTITIONS }, (_, partition) => partition % CONSUMERS);
  const check = new OrderCheck(flights);
  const delays = new DelaysByOrigin();
  const origins = consumerOf.map(() => new Set<string>());
  const progress = startProgress([
    { name: "produced", total: flights.length },
    { name: "consumed", total: flights.length },
  ]);

  // Consumers first: they follow the log while it grows.
  let consumed = 0;
  const allConsumed = Promise.withResolvers<void>();
  const giveUp = () => allConsumed.reject(new Error(`no flight came for ${PATIENCE_MS} ms`));
  let patience = setTimeout(giveUp, PATIENCE_MS);
  const onReport = ({ partition, lines, origins: from, delays: minutes }: Report) => {
    for (const [i, line] of lines.entries()) {
      const origin = from[i] ?? "";
      check.arrived(origin, line);
      delays.add(origin, minutes[i] ?? 0);
      origins[partition]?.add(origin);
    }
    consumed += lines.length;
    progress.add("consumed", lines.length);
    clearTimeout(patience);
    if (consumed >= flights.length) allConsumed.resolve();
    else patience = setTimeout(giveUp, PATIENCE_MS);
  };
  for (let consumer = 0; consumer < CONSUMERS; consumer++) {
    const partitions = [...consumerOf.keys()].filter((partition) => consumerOf[partition] === consumer);
    const child = fork(new URL("consumer.ts", import.meta.url), [address, ...partitions.map(String)]);
    child.on(
      "exit",
      (code) => code && allConsumed.reject(new Error(`consumer ${consumer} ended with exit code ${code}`)),
    );
    consumers.push(child);
    await once(child, "message"); // it is ready
    child.on("message", onReport);
  }

  const startedAt = performance.now();
  const producer = client.producer(TOPIC, { schema: Flight });
  const crashes = crashPoints(Number(options.crashes), Number(options.seed), flights.length);
  let produced = 0;
  const acks: Promise<unknown>[] = [];
  for (const [line, flight] of flights.entries()) {
    const headers = [{ name: LINE, value: String(line) }];
    const record = { key: flight.origin, value: flight, timestamp: departureTime(flight), headers };
    acks.push(
      producer.send(record).then(() => {
        produced++;
        progress.add("produced", 1);
        if (crashes.delete(produced)) server.kill();
      }),
    );
    // With crashes to come, go slowly enough for them to hit flights on their way.
    if (crashes.size > 0 && line % 100 === 0) await acks.at(-1);
  }
  await Promise.all(acks);
  const producedMs = performance.now() - startedAt;

  await allConsumed.promise;
  const consumedMs = performance.now() - startedAt;
  progress.stop();

  console.log();
  printRate("Produced and durable", produced, producedMs);
  printRate("Consumed", consumed, consumedMs);
  const topic = await client.describeTopic(TOPIC);
  printPartitions(topic, consumerOf, origins);
  delays.print();

  const kept = topic.partitions.reduce(
    (sum, { logStartOffset, highWatermark }) => sum + highWatermark - logStartOffset,
    0,
  );
  for (const complaint of check.wrong.slice(0, 10)) console.error(complaint);
  if (kept !== flights.length) console.error(`the log holds ${kept} flights, and ${flights.length} were sent`);
  if (check.wrong.length > 0 || kept !== flights.length) process.exitCode = 1;
  console.log(`consumed ${check.inOrder} of ${flights.length} records in order`);
} finally {
  for (const consumer of consumers) if (consumer.connected) consumer.send("stop");
  await Promise.all(
    consumers.map((consumer) => consumer.exitCode ?? new Promise((resolve) => consumer.once("exit", resolve))),
  );
  await server.stop();
  await rm(dataDirectory, { recursive: true, force: true });
}
