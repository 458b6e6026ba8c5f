/** `@logstore/core` in this process. */
import type { LogStore } from "@logstore/core";
import { packageOf } from "./checkout.ts";
import { type Chunks, type EmbeddedLog, type OpenLog, Skipped } from "./embedded.ts";
import type { Sink, Source } from "./values.ts";

export const log: EmbeddedLog = {
  settings: "defaults; every checksum is verified when reading",
  async create(directory, { durability, compression = "none", way = "batches", checkout }) {
    const core = await packageOf<typeof import("@logstore/core")>("core", checkout);
    const store = await core.LogStore.open(directory, { durability, compression });
    if (way === "chunks" && chunksOf(store) === undefined) {
      await store.close();
      throw new Skipped("this build reads no chunks");
    }
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
  if (way === "chunks") {
    for await (const records of chunksOf(store)!()) {
      for (const { value } of records) use(value);
    }
    return;
  }
  for await (const batch of store.read(0).batches()) {
    for (const cursor = batch.cursor(); cursor.next(); ) use(cursor.value);
  }
}

/** Reading that many records at a time, where the build has it. */
function chunksOf(store: LogStore): Chunks | undefined {
  const records = store.read(0) as { readonly chunks?: Chunks };
  return records.chunks?.bind(records);
}
