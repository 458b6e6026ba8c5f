/** The examples in the client's doc comments run, in order, on a broker in memory. */
import { globSync, readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { type Consumer, connect, json, type LogClient, type Producer, text } from "@logstore/client";
import { Broker } from "@logstore/core";
import { afterAll, beforeAll, expect, test } from "vitest";

const sources = join(import.meta.dirname, "../../packages/client/src");
const examples = globSync("**/*.ts", { cwd: sources })
  .sort()
  .flatMap((file) =>
    Array.from(readFileSync(join(sources, file), "utf8").matchAll(/```ts\n(.*?)```/gs), ([, code]) => ({
      file,
      code: code!.replaceAll(/^\s*\* ?/gm, "").trim(),
    })),
  );

const AsyncFunction = (async () => {}).constructor as new (...lines: string[]) => (...args: unknown[]) => Promise<void>;
let broker: Broker;
let client: LogClient;
let producer: Producer;

beforeAll(async () => {
  broker = await Broker.open(":memory:");
  client = connect(broker);
  for (const topic of ["accounts", "payments"]) await client.createTopic(topic, { partitions: 1 });
  await client.createTopic("orders", { partitions: 8, retentionMs: 7 * 24 * 60 * 60 * 1000 });
  producer = client.producer("payments");
  await producer.send({ value: "paid" });
  await client.producer("orders").send({ value: "the last one" });
  // A group with a commit, and a parked record.
  const failing = client.consumer({ group: "billing", topics: ["orders"], value: text() });
  const retry = { attempts: 1 };
  const run = failing.run({ retry, eachRecord: () => Promise.reject(new Error("out of order")) });
  while ((await client.listTopics()).length < 4) await new Promise((resolve) => setTimeout(resolve, 10));
  await failing.close();
  await run;
});

afterAll(async () => {
  await client.close();
  await broker.close();
});

test("there are examples", () => {
  expect(examples.length).toBeGreaterThan(7);
});

test.each(examples)("$file: $code", async ({ code }) => {
  const consumer: Consumer = client.consumer({ group: "deliveries", topics: ["payments"] });
  const scope = {
    ...{ client, producer, consumer, json, text, connect },
    reader: client.reader({ topics: ["payments"], until: "latest" }),
    index: () => {},
    console: { log: () => {} },
    deliver: () => consumer.close(),
  };
  const run = new AsyncFunction(...Object.keys(scope), `{ ${stripTypeScriptTypes(code)} }`);
  await run(...Object.values(scope));
  await consumer.close();
});
