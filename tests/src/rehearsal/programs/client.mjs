/** Writes to a server, and reads it back: alone, and as a group, which commits. */
import { connect, text } from "@logstore/client";

// A function, because CommonJS bundles have no top-level await.
async function main() {
  const [address, topic] = process.argv.slice(2);
  const client = connect(address);
  await client.ensureTopic(topic, { partitions: 2 });
  const producer = client.producer(topic, { value: text() });
  const sent = ["a", "b", "c"];
  await producer.sendMany(sent.map((value, i) => ({ value, partition: i % 2 })));

  const read = [];
  for await (const { value } of client.reader({ topics: [topic], until: "latest", value: text() })) read.push(value);

  const consumed = [];
  const consumer = client.consumer({ group: `group-of-${topic}`, topics: [topic], commit: "manual", value: text() });
  for await (const record of consumer) {
    await consumer.commit(record);
    if (consumed.push(record.value) === read.length) break;
  }
  await consumer.close();
  const committed = await client.fetchOffsets(`group-of-${topic}`);
  const total = committed.reduce((sum, { offset }) => sum + offset, 0);
  await client.close();
  console.log(`read ${read.sort().join("")}, consumed ${consumed.sort().join("")}, committed ${total}`);
}
main();
