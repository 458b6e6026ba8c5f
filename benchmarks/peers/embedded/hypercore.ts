/** A hypercore: a log with signed Merkle trees, whose storage is RocksDB. */
import { join } from "node:path";
import Hypercore from "hypercore";
import { type EmbeddedLog, type OpenLog, Skipped } from "../../src/contestants/embedded.ts";

export const log: EmbeddedLog = {
  settings: "defaults; append() of a batch; createReadStream()",
  async create(directory, { durability }) {
    if (durability === "flushed") throw new Skipped("hypercore offers no append that waits for the disk");
    const core = new Hypercore(join(directory, "core"));
    await core.ready();
    return {
      async append(source) {
        for (let batch = source.next(); batch !== undefined; batch = source.next()) await core.append(batch.values);
      },
      async read({ use }) {
        for await (const value of core.createReadStream()) use(value);
      },
      appendOne: async (value) => void (await core.append(value)),
      close: () => core.close(),
    } satisfies OpenLog;
  },
};
