/**
 * The quickstart: one producer sends 20,000 real flights over gRPC into ten partitions on disk, and
 * a consumer group of three processes reads them. Half-way one of the processes is killed, and the
 * others take over its partitions. Flights from the same airport must arrive in order, and none may
 * be missing; some arrive twice, because the killed member could not commit its last offsets.
 *
 * `--crashes N` kills the server N times while flights are produced; `--seed S` determines when.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { connect, type GroupDescription } from "@logstore/client";
import { good } from "./colours.ts";
import { crashPoints } from "./crash-points.ts";
import { DelaysByOrigin } from "./delays.ts";
import { PARTITIONS, readFlights, TOPIC } from "./flights.ts";
import { groupWhen, ownersOf, watchOwners } from "./group.ts";
import { Members } from "./members.ts";
import { printNowTry } from "./now-try.ts";
import { OrderCheck } from "./order-check.ts";
import { produce } from "./produce.ts";
import { Server } from "./server.ts";
import { startShow } from "./show.ts";
import { printSummary } from "./summary.ts";

const MEMBERS = ["member 0", "member 1", "member 2"];
/** The member that is killed when half of the flights have been consumed. */
const VICTIM = "member 1";
/** A longer wait means that something is wrong. */
const PATIENCE_MS = 240_000;

const { values: options } = parseArgs({
  options: { crashes: { type: "string", default: "0" }, seed: { type: "string", default: "1" } },
});

const flights = readFlights();
const HALF = flights.length / 2;
const dataDirectory = await mkdtemp(join(tmpdir(), "logstore-quickstart-"));
const server = new Server(dataDirectory);
const address = await server.start();
console.log(`Server on ${address}, data in ${dataDirectory}`);
const client = connect(address, { onEvent() {} }); // that the server is killed is shown anyway

const check = new OrderCheck(flights);
const delays = new DelaysByOrigin();
const origins = Array.from({ length: PARTITIONS }, () => new Set<string>());
const show = startShow(flights.length);
const members = new Members(address, MEMBERS, ({ partition, flights: arrived }) => {
  const inOrder = arrived.filter(({ origin, line }) => check.arrived(origin, line));
  for (const { origin, delay } of inOrder) {
    delays.add(origin, delay);
    origins[partition]?.add(origin);
  }
  const before = check.inOrder - inOrder.length;
  show.consumed(partition, inOrder.length);
  if (before < HALF && check.inOrder >= HALF) {
    members.kill(VICTIM);
    show.memberKilled(VICTIM);
  }
});

const watching = new AbortController();
const timeUp = Promise.withResolvers<never>();
const patience = setTimeout(() => timeUp.reject(new Error(`not done after ${PATIENCE_MS} ms`)), PATIENCE_MS);
try {
  const run = async () => {
    await client.ensureTopic(TOPIC, { partitions: PARTITIONS });
    await members.ready();
    watchOwners(client, (names) => show.owners(names), watching.signal).catch(() => {}); // it is only shown
    const atFirst = await groupWhen(client, ({ state }) => state === "stable");
    const startedAt = performance.now();
    const crashes = crashPoints(Number(options.crashes), Number(options.seed), flights.length);
    const kill = () => {
      server.kill();
      show.serverKilled();
    };
    await produce(client, flights, crashes, kill, show);
    const producedMs = performance.now() - startedAt;
    const isDone = (group: GroupDescription) =>
      group.partitions.every(({ lag }) => lag === 0) && !ownersOf(group).includes(VICTIM);
    const inTheEnd = await groupWhen(client, isDone);
    const consumedMs = performance.now() - startedAt;
    const owners = { atFirst: ownersOf(atFirst), inTheEnd: ownersOf(inTheEnd) };
    return { producedMs, consumedMs, owners, topic: await client.describeTopic(TOPIC) };
  };
  const outcome = await Promise.race([run(), server.lost, members.lost, timeUp.promise]);
  show.stop();
  printSummary({
    ...outcome,
    victim: VICTIM,
    produced: flights.length,
    consumed: check.inOrder,
    redelivered: check.redelivered,
    restarts: server.restarts,
    origins,
    delays,
  });

  const kept = outcome.topic.partitions.reduce(
    (sum, { logStartOffset, highWatermark }) => sum + highWatermark - logStartOffset,
    0,
  );
  for (const complaint of check.wrong.slice(0, 10)) console.error(complaint);
  if (kept !== flights.length) console.error(`the log holds ${kept} flights, and ${flights.length} were sent`);
  if (check.inOrder !== flights.length || check.wrong.length > 0 || kept !== flights.length) process.exitCode = 1;
} catch (error) {
  show.stop();
  console.error(error);
  process.exitCode = 1;
} finally {
  clearTimeout(patience);
  watching.abort();
  await members.stop();
  await server.stop(); // does not wait for calls in progress
  await rm(dataDirectory, { recursive: true, force: true });
}
const result = `consumed ${check.inOrder} of ${flights.length} records in order`;
console.log(process.exitCode === undefined ? good(result) : result);
if (process.stdout.isTTY && process.exitCode === undefined) printNowTry();
process.exit();
