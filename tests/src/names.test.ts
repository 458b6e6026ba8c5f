/**
 * Names of properties that every object has are valid names of topics, snapshots and groups,
 * through a server.
 */
import { connect } from "@logstore/client";
import { Broker } from "@logstore/core";
import { serve } from "@logstore/server-grpc";
import { expect, test } from "vitest";

const bytes = (text: string) => new TextEncoder().encode(text);
const names = Object.getOwnPropertyNames(Object.prototype);

test("a topic, a snapshot, a group and a key of each name", async () => {
  await using broker = await Broker.open(":memory:");
  const server = await serve(broker, { port: 0 });
  try {
    for (const name of names) {
      const client = connect(server.address);
      try {
        await client.createTopic(name, { partitions: 2 });
        await client.append(name, 0, [{ key: bytes(name), value: bytes(name) }]);
        await client.createSnapshot(name, name);
        const consumer = client.consumer({ group: name, topics: [name] });
        for await (const record of consumer) {
          expect(new TextDecoder().decode(record.value ?? undefined)).toBe(name);
          break;
        }
        expect((await client.listTopics()).map(({ topic }) => topic)).toContain(name);
        expect((await client.describeGroup(name)).group).toBe(name);
      } finally {
        await client.close();
      }
    }
  } finally {
    await server.stop();
  }
});
