/** `@logstore/core` in this process. */
import { LogStore } from "@logstore/core";
import type { EmbeddedLog, EmbeddedOptions, OpenLog } from "./embedded.ts";
import type { Sink, Source } from "./values.ts";

export const log: EmbeddedLog = {
  settings: "defaults; every checksum is verified when reading",
  async create(directory: string, { durability, compression = "none", way = "batches" }: EmbeddedOptions) {
    const store = await LogStore.open(directory, { durability, compression });
    return {
      append: (source) => append(store, source),
      read: (sink) => read(store, way, sink),
      appendOne: async (value) => void (await store.append(null, value, { partition: 0 })),
      close: () => store.close(),
    } satisfies OpenLog;
  },
};

async function append(store: LogStore, source: Source): Promise<void> {
  for (let batch = source.next(); batch !== undefined; batch = source.next()) await store.appendMany(0, batch.records);
}

async function read(store: LogStore, way: string, { use }: Sink): Promise<void> {
  if (way === "records") {
    for await (const { value } of store.read(0)) use(value);
    return;
  }
  for await (const batch of store.read(0).batches()) {
    for (const cursor = batch.cursor(); cursor.next(); ) use(cursor.value);
  }
}
