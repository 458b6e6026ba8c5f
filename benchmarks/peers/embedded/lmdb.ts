/** An LMDB database with sequence numbers as keys. */
import { join } from "node:path";
import { open } from "lmdb";
import type { EmbeddedLog, OpenLog } from "../../src/contestants/embedded.ts";

export const log: EmbeddedLog = {
  settings:
    "keys uint32, values binary; a transactionSync per batch; written: noSync, flushed: put() with overlappingSync off; getRange()",
  async create(directory, { durability }) {
    const database = open<Buffer, number>({
      path: join(directory, "log.mdb"),
      keyEncoding: "uint32",
      encoding: "binary",
      ...(durability === "flushed" ? { overlappingSync: false } : { noSync: true }),
    });
    return {
      async append(source) {
        for (let batch = source.next(); batch !== undefined; batch = source.next()) {
          const { base, values } = batch;
          database.transactionSync(() => {
            for (let i = 0; i < values.length; i++) database.putSync(base + i, values[i]!);
          });
        }
      },
      async read({ use }) {
        for (const { value } of database.getRange()) use(value);
      },
      async appendOne(value, sequence) {
        await database.put(sequence, value);
      },
      close: () => database.close(),
    } satisfies OpenLog;
  },
};
