/** The health of topics, and notifications of changes. */
import { expect, onTestFinished, test, vi } from "vitest";
import { failAt, HookedStorage } from "../../test/hooked-storage.js";
import { codeOf, sealed } from "../../test/records.js";
import { Broker, type FailedEvent } from "../index.js";
import { MemoryEngine } from "../memory-engine/memory-engine.js";

async function opened(storage = new HookedStorage()) {
  const failures: FailedEvent[] = [];
  const broker = await Broker.open("data", { storage, hooks: { failed: (event) => void failures.push(event) } });
  onTestFinished(() => broker.close().catch(() => {}));
  return { storage, broker, failures };
}

test("a topic that accepts no more appends has failed, and the others have not", async () => {
  const { storage, broker, failures } = await opened();
  for (const topic of ["t", "u"]) await broker.createTopic({ topic, partitions: 2 });
  const changed = vi.fn();
  const leave = broker.onTopicHealth(changed);
  expect(await broker.topicHealth("t")).toBe("serving");
  storage.before = failAt("sync", 1);
  expect(await codeOf(broker.produce({ topic: "t", partition: 1, batches: sealed(["a"]) }))).toBe("STORAGE_FAILED");
  storage.before = () => {};
  expect(await broker.topicHealth("t")).toBe("failed");
  expect(await broker.topicHealth("u")).toBe("serving");
  expect(broker.topic("t").failedPartitions).toEqual([1]);
  expect(changed).toHaveBeenCalledTimes(1);
  expect(failures).toMatchObject([{ topic: "t", partition: 1 }]);
  leave();
  await broker.deleteTopic("u");
  expect(changed).toHaveBeenCalledTimes(1);
});

test("creating and deleting topics is reported", async () => {
  const { broker } = await opened();
  const healths: string[] = [];
  broker.onTopicHealth(
    () =>
      void broker
        .topicHealth("t")
        .catch(({ code }) => code)
        .then((health) => healths.push(health)),
  );
  await broker.createTopic({ topic: "t", partitions: 1 });
  await broker.deleteTopic("t");
  await expect.poll(() => healths).toEqual(["serving", "UNKNOWN_TOPIC"]);
});

test("a topic whose directory cannot be opened has failed", async () => {
  const { storage, broker } = await opened();
  await broker.createTopic({ topic: "t", partitions: 1 });
  await broker.close();
  storage.before = failAt("openFile", 1, "store.json");
  const again = await opened(storage);
  expect(await again.broker.topicHealth("t")).toBe("failed");
  expect(await codeOf(again.broker.topicHealth("u"))).toBe("UNKNOWN_TOPIC");
});

test("groups have failed while a journal accepts nothing, and the other calls have not", async () => {
  const engine = new MemoryEngine();
  let isUnavailable = true;
  Object.defineProperty(engine.journal, "isUnavailable", { get: () => isUnavailable });
  const broker = await Broker.openOn(engine);
  onTestFinished(() => broker.close());
  expect([await broker.groupsHealth(), await broker.serviceHealth()]).toEqual(["failed", "serving"]);
  isUnavailable = false;
  expect(await broker.groupsHealth()).toBe("serving");
});
