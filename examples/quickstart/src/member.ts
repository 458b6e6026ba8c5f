/**
 * One member of the group, in a process of its own: reads the partitions assigned to it until it is
 * told to stop, and reports what it has read.
 */
import { once } from "node:events";
import { connect } from "@logstore/client";
import { Flight, GROUP, LINE, TOPIC } from "./flights.ts";

/** Some flights of one partition, in the order in which they were read. */
export interface Report {
  readonly partition: number;
  /** `line`: its position in the input. */
  readonly flights: { readonly line: number; readonly origin: string; readonly delay: number }[];
}

const decoder = new TextDecoder();
const [address = "", clientId = ""] = process.argv.slice(2);
const client = connect(address, { onEvent() {} }); // that the server is killed is shown anyway
const consumer = client.consumer({
  group: GROUP,
  topics: [TOPIC],
  schema: Flight,
  clientId,
  sessionTimeoutMs: 2_000, // a dead member's partitions are reassigned after this time
  commitIntervalMs: 100, // up to this much of a dead member's work is repeated
  onAssigned: () => void process.send?.("assigned"),
});
process.on("message", (message) => message === "stop" && consumer.close());
process.on("disconnect", () => process.exit());

for await (const batch of consumer.batches()) {
  const report: Report = { partition: batch.partition, flights: [] };
  for (const { value, headers } of batch) {
    const line = headers.find(({ name }) => name === LINE)?.value;
    report.flights.push({ line: Number(decoder.decode(line)), origin: value.origin, delay: value.delay });
  }
  process.send?.(report);
  await once(process, "message"); // "seen": until then the batch does not count as processed
}
await client.close();
process.disconnect();
