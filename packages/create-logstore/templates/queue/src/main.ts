/**
 * Sends some emails, one of which cannot be sent. With LOGSTORE_SERVER=host:port the queue is on a
 * server; without, it is in `data/`, in this process.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { connect, UnknownGroupError } from "@logstore/client";
import { Broker } from "@logstore/core";
import { enqueue, GROUP, startWorker, TOPIC } from "./jobs.ts";

const server = process.env["LOGSTORE_SERVER"];
const broker = server === undefined ? await Broker.open("data/") : undefined;
const client = connect(broker ?? server!);
await client.ensureTopic(TOPIC, { partitions: 4 });

await enqueue(client, [
  { to: "ada@example.com", subject: "Welcome" },
  { to: "nobody", subject: "Welcome" },
  { to: "bob@example.com", subject: "Welcome" },
]);
const worker = startWorker(client, async ({ to, subject }, attempt) => {
  if (!to.includes("@")) throw new Error(`${to} is no address`);
  console.log(`sent "${subject}" to ${to}, attempt ${attempt}`);
});

while (!(await isDone())) await sleep(50);
for await (const { value, reason, attempts } of client.parked(TOPIC, GROUP)) {
  console.log(`parked after ${attempts} attempts: ${new TextDecoder().decode(value)} (${reason})`);
}
await worker.close();
await worker.done;
await client.close();
await broker?.close();

/** Whether the workers have done, or parked, every job. */
async function isDone(): Promise<boolean> {
  try {
    const { state, partitions } = await client.describeGroup(GROUP);
    return state === "stable" && partitions.every(({ lag }) => lag === 0);
  } catch (error) {
    if (error instanceof UnknownGroupError) return false; // the worker is about to join it
    throw error;
  }
}
