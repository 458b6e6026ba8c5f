/** One consumer process: reads the partitions that it is given until it is told to stop, and reports what it saw. */
import { connect, text } from "@logstore/client";
import { Flight, LINE, TOPIC } from "./flights.ts";

/** Some flights of one partition, in the order in which they were read. */
export interface Report {
  readonly partition: number;
  /** Their places in the input. */
  readonly lines: number[];
  readonly origins: string[];
  /** Minutes. */
  readonly delays: number[];
}

const [address = "", ...partitions] = process.argv.slice(2);
const client = connect(address);
const consumer = client.consumer({ assign: { [TOPIC]: partitions.map(Number) }, schema: Flight, key: text() });
process.on("message", () => consumer.close());
process.on("disconnect", () => process.exit());

process.send?.("ready");
const decoder = new TextDecoder();
for await (const batch of consumer.batches()) {
  const report: Report = { partition: batch.partition, lines: [], origins: [], delays: [] };
  for (const { key, value, headers } of batch) {
    report.lines.push(Number(decoder.decode(headers.find(({ name }) => name === LINE)?.value)));
    report.origins.push(key ?? "");
    report.delays.push(value.delay);
  }
  process.send?.(report);
}
await client.close();
process.disconnect();
