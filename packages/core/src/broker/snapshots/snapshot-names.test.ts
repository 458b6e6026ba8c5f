/** Snapshots on case-insensitive file systems, and snapshots with names that Windows reserves. */
import { expect, test } from "vitest";
import { codeOf, lines } from "../../../test/records.js";
import { Broker, MemoryStorage, type Storage } from "../../index.js";
import { directoryNameOf, nameOfDirectory } from "./snapshot-names.js";

/** A storage that converts every path to lower case. */
function caseInsensitive(storage: Storage): Storage {
  return new Proxy(storage, {
    get(target, property) {
      const method = Reflect.get(target, property) as (...args: unknown[]) => unknown;
      return (...args: unknown[]) =>
        method.apply(
          target,
          args.map((each) => (typeof each === "string" ? each.toLowerCase() : each)),
        );
    },
  });
}

test.each([
  ["web-logs.2", "web-logs.2"],
  ["Orders", "=o=rders"],
  ["ORDERS_2", "=orders_2"],
  ["con", "==con"],
  ["CON", "=con"],
  ["nul.txt", "==nul.txt"],
  ["lpt1", "==lpt1"],
  ["console", "console"],
  ["dot.", "dot.="],
  ["..a..", "..a..="],
])("%s is %s on disk", (name, directory) => {
  expect(directoryNameOf(name)).toBe(directory);
  expect(nameOfDirectory(directory)).toBe(name);
});

test("topics and snapshots whose names differ only in case have separate directories", async () => {
  const storage = caseInsensitive(new MemoryStorage());
  const broker = await Broker.open("data", { storage });
  for (const topic of ["Web", "web"]) {
    await broker.createTopic({ topic, partitions: 1 });
    for (const snapshot of ["One", "one"]) {
      await broker.topic(topic).append(null, `${topic} ${snapshot}`);
      await broker.createSnapshot(topic, snapshot);
    }
  }
  await broker.close();
  const again = await Broker.open("data", { storage });
  const names = (await again.listSnapshots()).map(({ topic, snapshot }) => `${topic} ${snapshot}`);
  expect(names).toEqual(["Web One", "Web one", "web One", "web one"]);
  await again.restoreSnapshot("Web", "One", "r1");
  await again.restoreSnapshot("web", "one", "r2");
  expect(await lines(again.topic("r1"))).toEqual(["0 Web One"]);
  expect(await lines(again.topic("r2"))).toEqual(["0 web One", "1 web one"]);
  await again.deleteSnapshot("web", "one");
  expect(await again.listSnapshots("Web")).toHaveLength(2);
  await again.close();
});

test("a snapshot that an earlier release named in upper case is found", async () => {
  const storage = new MemoryStorage();
  const broker = await Broker.open("data", { storage });
  await broker.createTopic({ topic: "Web", partitions: 1 });
  await broker.createSnapshot("Web", "One");
  await broker.close();
  await storage.rename("data/snapshots/=w=eb/=o=ne", "data/snapshots/=w=eb/One");
  await storage.rename("data/snapshots/=w=eb", "data/snapshots/Web");
  const again = await Broker.open("data", { storage });
  expect(await again.listSnapshots("Web")).toMatchObject([{ topic: "Web", snapshot: "One" }]);
  expect(again.recovery.unreadableSnapshots).toEqual([]);
  await again.close();
});

test("a name whose directory name would be too long is refused", async () => {
  const broker = await Broker.open(":memory:");
  await broker.createTopic({ topic: "t", partitions: 1 });
  expect(await codeOf(broker.createSnapshot("t", "aA".repeat(120)))).toBe("INVALID_ARGUMENT");
  await broker.createSnapshot("t", "A".repeat(249));
  await broker.close();
});
