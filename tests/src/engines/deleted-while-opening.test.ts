/** Topics that another broker deletes while this one opens its topics. */
import { Broker } from "@logstore/core";
import { MemoryEngine, MemoryHome } from "@logstore/core/engine";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../eventually.ts";
import { instead, wrapped } from "./wrapped-engine.ts";

test("a topic that another broker deletes before its turn to be opened is not listed", async () => {
  const home = new MemoryHome();
  const a = await Broker.openOn(new MemoryEngine(home, "a"));
  onTestFinished(() => a.close());
  const topics = Array.from({ length: 100 }, (_, i) => `t${i}`);
  for (const topic of topics) await a.createTopic({ topic, partitions: 1 });
  const held = Promise.withResolvers<void>();
  const engine = wrapped(new MemoryEngine(home, "b"), {
    catalogue: (catalogue) => instead(catalogue, { open: (found) => held.promise.then(() => catalogue.open(found)) }),
  });
  const b = await Broker.openOn(engine, { waitForTopics: false });
  onTestFinished(() => b.close());
  await a.deleteTopic("t99");
  await new Promise(setImmediate); // b has been told
  held.resolve();
  await b.opened;
  const names = async () => (await b.listTopics()).map(({ topic }) => topic);
  await eventually(async () => !(await names()).includes("t99"));
  expect(new Set(await names())).toEqual(new Set(topics.slice(0, 99)));
});
