/** The counters of a topic are dropped when it is deleted, whatever calls are in progress. */
import type { ConsumeEvent, FetchResult, LogApi, ProduceAck } from "@logstore/protocol";
import { expect, test } from "vitest";
import { FakeLog, sealed } from "../../test/fake-log.js";
import { observedApi } from "./observed-api.js";
import { ServerMetrics } from "./server-metrics.js";

const ends = { highWatermark: 1, logEndOffset: 1 };
const batches = sealed("a");

/** A log whose calls end on request, and the counters of it. */
function scene() {
  const gate = Promise.withResolvers<void>();
  const api: LogApi = new FakeLog();
  api.deleteTopic = async () => {};
  api.produce = async (): Promise<ProduceAck> => {
    await gate.promise;
    return { baseOffset: 0, nextOffset: 1, durability: "flushed", duplicate: false, logEndOffset: 1 };
  };
  api.fetch = async (): Promise<FetchResult> => {
    await gate.promise;
    return { batches, headroomBytes: 0, nextOffset: 1, logStartOffset: 0, ...ends };
  };
  api.consume = async function* (): AsyncGenerator<ConsumeEvent> {
    await gate.promise;
    yield { type: "batches", batches, headroomBytes: 0, ...ends };
  };
  const metrics = new ServerMetrics();
  return { api: observedApi(api, metrics), topics: metrics.traffic.topics, finish: gate.resolve };
}

const calls = {
  append: (api: LogApi) => api.produce({ topic: "t", partition: 0, batches }),
  fetch: (api: LogApi) => api.fetch({ topic: "t", partition: 0 }),
  async stream(api: LogApi) {
    for await (const _ of api.consume({ topic: "t", partition: 0 }));
  },
};

test.each(Object.entries(calls))("the first %s of a topic is counted", async (_, call) => {
  const { api, topics, finish } = scene();
  finish();
  await call(api);
  await call(api);
  expect(topics.get("t")).toMatchObject({ calls: 0 });
  expect(topics.get("t")!.appendedBatches + topics.get("t")!.deliveredBatches).toBe(2);
});

test.each(Object.entries(calls))(
  "an %s that ends after its topic was deleted brings no counts back",
  async (_, call) => {
    const { api, topics, finish } = scene();
    const ended = call(api);
    await api.deleteTopic("t");
    finish();
    await ended;
    expect([...topics.keys()]).toEqual([]);
    await call(api); // the topic was recreated
    expect(topics.get("t")!.appendedBatches + topics.get("t")!.deliveredBatches).toBe(1);
  },
);
