import { RecordBatch, UnknownTopicError } from "@logstore/codec";
import { expect, test } from "vitest";
import { FakeLogApi } from "../../test/fake-log-api.js";
import { Registry } from "../common/registry.js";
import { ParkingLot } from "./parking-lot.js";
import type { RawRecord } from "./partition-work.js";

const failure = { reason: "cannot", attempts: 1, topicId: "id-of-t" };
const record = (offset: number): RawRecord => ({
  topic: "t",
  partition: 0,
  offset,
  timestamp: 0,
  key: null,
  value: new Uint8Array(1),
  headers: [],
});

test("a failure of a former producer does not end the one that follows it", async () => {
  const api = new FakeLogApi();
  await api.createTopic({ topic: "t", partitions: 1 });
  const registry = new Registry();
  const lot = new ParkingLot(api, { group: "g", topics: ["t"] }, registry);
  const requests: { refuse(): void; append(): void }[] = [];
  api.onProduce = (_, append) =>
    new Promise((resolve, reject) => {
      const refuse = () => reject(new UnknownTopicError("it was deleted"));
      requests.push({ refuse, append: () => resolve(append()) });
    });
  const request = async (count: number) => {
    await expect.poll(() => requests.length).toBe(count);
    return requests[count - 1]!;
  };
  const park = (offset: number) => lot.park(record(offset), failure);
  const gone = { code: "UNKNOWN_TOPIC" };

  const first = expect(park(0)).rejects.toMatchObject(gone);
  const { refuse } = await request(1);
  const second = expect(park(1)).rejects.toMatchObject(gone); // waits for the first
  refuse();
  await first;
  const late = await request(2);
  const third = park(2); // by a second producer
  (await request(3)).append();
  late.refuse();
  await Promise.all([second, third]);
  const fourth = park(3);
  (await request(4)).append();
  await fourth;
  const producers = api.produced.map(({ batches }) => RecordBatch.parse(batches).producerId);
  expect(producers).toEqual([producers[0], producers[0], producers[2], producers[2]]);
  await lot.close();
  await registry.close({ timeoutMs: 0 });
});
