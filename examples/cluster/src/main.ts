/**
 * A cluster on one machine: three NATS nodes store a topic, two brokers serve it, two producers
 * write to it, and a group reads it. Meanwhile nodes and brokers are killed, stopped and added. In
 * the end each record that was acknowledged must be in the log, once and at its offset, and the
 * group must have read all of them in order.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { styleText } from "node:util";
import { connect } from "@logstore/client";
import { count, Lines } from "./lines.ts";
import { Brokers } from "./processes/brokers.ts";
import { sleep } from "./processes/child.ts";
import { findNatsServer } from "./processes/find-nats-server.ts";
import { NatsNodes } from "./processes/nats-nodes.ts";
import { type Outcome, owners } from "./stage.ts";
import { run } from "./story.ts";
import { printSummary } from "./summary.ts";
import { Ledger } from "./traffic/ledger.ts";
import { PARTITIONS, readWholly, TOPIC, Traffic } from "./traffic/traffic.ts";

/** How long the group may take to read the rest, ms. */
const REST_MS = 60_000;

let binary: string;
try {
  binary = findNatsServer();
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}

const directory = await mkdtemp(join(tmpdir(), "logstore-cluster-"));
const closing: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true, maxRetries: 5 })];
let lost = 0;
let complaints: readonly string[] = [];
try {
  const ledger = new Ledger(PARTITIONS);
  const status = () =>
    `${count(ledger.acknowledged)} acknowledged, ${count(ledger.read)} read, ${count(ledger.redelivered)} re-delivered`;
  const lines = new Lines(status);
  closing.push(async () => lines.stop());

  const nats = await NatsNodes.start(binary, directory);
  closing.push(() => nats.kill());
  lines.good("three NATS nodes run: n1, n2 and n3");
  const brokers = await Brokers.make(nats.addresses, ["a", "b", "c"]);
  closing.push(() => brokers.killAll());
  await Promise.all([brokers.start("a"), brokers.start("b")]);
  const client = connect(brokers.addresses, { onEvent() {} }); // that brokers are down is shown anyway
  closing.push(() => client.close({ timeoutMs: 1_000 }));
  await client.createTopic(TOPIC, { partitions: PARTITIONS });
  lines.good(`brokers a and b share the ${PARTITIONS} partitions of the topic ${TOPIC}, three replicas each`);
  lines.more(await owners({ client, brokers }));

  const traffic = new Traffic(brokers.addresses, ledger);
  closing.push(() => traffic.stop());
  lines.good("two producers write, and a group of three consumers reads");
  const first = new Array<number>(PARTITIONS).fill(0);
  while (!ledger.isBeyond(first)) await Promise.race([sleep(20), traffic.failed]);
  ledger.takePauses(); // the start is none

  const outcomes: Outcome[] = [];
  const stage = { nats, brokers, client, traffic, ledger, lines, outcomes };
  await Promise.race([run(stage), traffic.failed]);

  await traffic.stopProducing();
  const deadline = performance.now() + REST_MS;
  while (!ledger.isReadWholly && performance.now() < deadline) await sleep(20);
  const numbers = await readWholly(client);
  lost = numbers.reduce((sum, each, partition) => sum + ledger.lost(partition, each), 0);
  lines.stop();
  complaints = ledger.isReadWholly ? ledger.complaints : [...ledger.complaints, "the group has not read everything"];
  printSummary(ledger, lost, outcomes);
} catch (error) {
  console.error(`\n${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  for (const close of closing.reverse()) await close().catch((error) => console.error(error));
}
for (const complaint of complaints) console.error(styleText("red", complaint));
if (lost > 0 || complaints.length > 0) process.exitCode = 1;
if (process.exitCode === undefined) console.log(styleText("green", "everything that was acknowledged is there"));
process.exit();
