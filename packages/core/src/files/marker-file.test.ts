import { expect, test } from "vitest";
import { HookedStorage } from "../../test/hooked-storage.js";
import { temporaryDirectory } from "../../test/temporary-directory.js";
import { Broker, LogStore } from "../index.js";
import { NodeStorage } from "../storage/node-storage.js";

/** Calls `work` after the first look for a file that is not there. */
function afterMissing(file: string, work: () => Promise<unknown>): HookedStorage {
  const storage = new HookedStorage(new NodeStorage());
  let isMissed = false;
  storage.before = async ({ kind, path }) => {
    if (kind === "openFile" && path.endsWith(`/${file}`)) isMissed = true;
    if (kind !== "list" || !isMissed) return;
    storage.before = () => {};
    await work();
  };
  return storage;
}

test("a directory that another writer makes a log store while it is looked at is locked, and not something else's", async () => {
  const directory = temporaryDirectory();
  let other: LogStore | undefined;
  const storage = afterMissing("store.json", async () => {
    other = await LogStore.open(directory);
  });
  await expect(LogStore.open(directory, { storage })).rejects.toMatchObject({ code: "LOCKED" });
  await other!.close();
});

test("a directory that another broker makes its data directory while it is looked at is locked, too", async () => {
  const directory = temporaryDirectory();
  let other: Broker | undefined;
  const storage = afterMissing("broker.json", async () => {
    other = await Broker.open(directory);
    await other.createTopic({ topic: "t", partitions: 1 });
  });
  await expect(Broker.open(directory, { storage })).rejects.toMatchObject({ code: "LOCKED" });
  await other!.close();
});
