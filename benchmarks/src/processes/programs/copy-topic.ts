/** Reads a topic and sends its records to another: `copy-topic.ts ADDRESS FROM TO`. */
import { connect } from "@logstore/client";

const [address, from, to] = process.argv.slice(2) as [string, string, string];
const client = connect(address);
const { partitions } = await client.describeTopic(from);
await client.createTopic(to, { partitions: partitions.length });
const producer = client.producer(to);
let failure: unknown;
let sent = 0;
for await (const { key, value, timestamp, headers } of client.reader({ topics: [from], until: "latest" })) {
  producer.send({ key, value, timestamp, headers }).catch((error: unknown) => (failure ??= error));
  if (++sent % 256 === 0) await producer.ready();
  if (failure !== undefined) throw failure;
}
await producer.flush();
await client.close();
