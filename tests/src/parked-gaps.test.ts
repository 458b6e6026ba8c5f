/**
 * The last records of a topic of parked records are lost and reported by a repair. Listing and
 * replay reach the end.
 */
import { connect } from "@logstore/client";
import { Broker } from "@logstore/core";
import type { ConsumeEvent, ConsumeOptions, ConsumeRequest, ListOffsetsRequest } from "@logstore/protocol";
import { expect, onTestFinished, test } from "vitest";

const PARKED = "t.g.parked";
const LOST = 3;

/**
 * Returns the broker as if its parking topic had ended with `LOST` more records, which are lost.
 */
function withLostEnd(broker: Broker): Broker {
  const listOffsets = async (request: ListOffsetsRequest) => {
    const found = await broker.listOffsets(request);
    if (request.topic !== PARKED) return found;
    const withLost = (offset: number, end: number) => (offset === end ? end + LOST : offset);
    return found.map((one) => {
      const { offset, highWatermark } = one;
      return { ...one, offset: withLost(offset, highWatermark), highWatermark: highWatermark + LOST };
    });
  };
  const consume = async function* (request: ConsumeRequest, options?: ConsumeOptions): AsyncGenerator<ConsumeEvent> {
    for await (const event of broker.consume({ ...request, seesCaughtUp: false }, options)) {
      if (request.topic !== PARKED || event.type !== "caughtUp") yield event;
      else yield { ...event, type: "gap", firstOffset: event.highWatermark, nextOffset: event.highWatermark + LOST };
    }
  };
  const lost: Partial<Broker> = { listOffsets, consume: consume as Broker["consume"] };
  return new Proxy(broker, {
    get: (target, name: keyof Broker) => {
      const value = lost[name] ?? target[name];
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

test.each([0, 2])("with %d records left", async (left) => {
  const broker = await Broker.open(":memory:");
  onTestFinished(() => broker.close());
  const client = connect(withLostEnd(broker));
  onTestFinished(() => client.close());
  await client.createTopic("t", { partitions: 1 });
  await client.createTopic(PARKED, { partitions: 1 });
  const values = Array.from({ length: left }, (_, i) => `${i}`);
  await client.producer("t").sendMany(values.map((value) => ({ key: "k", value })));
  if (left > 0) {
    const consumer = client.consumer({ group: "g", topics: ["t"] });
    const running = consumer.run({
      eachRecord: () => Promise.reject(new Error("poison")),
      retry: { attempts: 1 },
    });
    while ((await broker.describeTopic(PARKED)).partitions[0]!.highWatermark < left) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await consumer.close();
    await running;
  }
  const texts = (records: readonly { value: Uint8Array }[]) =>
    records.map(({ value }) => Buffer.from(value).toString());
  expect(texts(await Array.fromAsync(client.parked("t", "g")))).toEqual(values);
  const replayed: Uint8Array[] = [];
  const to = ({ value }: { value: Uint8Array }) => void replayed.push(value);
  expect(await client.parked("t", "g").replay({ to })).toEqual({ replayed: left, kept: 0 });
  expect(texts(replayed.map((value) => ({ value })))).toEqual(values);
});
