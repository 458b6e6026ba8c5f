/** A LevelDB database with sequence numbers as keys. */
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import type { EmbeddedLog, OpenLog } from "../../src/contestants/embedded.ts";

const KEY_BYTES = 8;
const VALUES_PER_READ = 1_000;

export const log: EmbeddedLog = {
  settings:
    "keys of 8 bytes, values buffer, compression off; a batch() per batch; flushed: sync true; values().nextv(1000)",
  async create(directory, { durability }) {
    const level = new ClassicLevel<Buffer, Buffer>(join(directory, "log"), {
      keyEncoding: "buffer",
      valueEncoding: "buffer",
      compression: false,
    });
    await level.open();
    const options = { sync: durability === "flushed" };
    return {
      async append(source) {
        for (let batch = source.next(); batch !== undefined; batch = source.next()) {
          const { base, values } = batch;
          const puts = values.map((value, i) => ({ type: "put" as const, key: keyOf(base + i), value }));
          await level.batch(puts, options);
        }
      },
      async read({ use }) {
        const values = level.values();
        for (let some = await values.nextv(VALUES_PER_READ); some.length > 0; ) {
          for (const value of some) use(value);
          some = await values.nextv(VALUES_PER_READ);
        }
        await values.close();
      },
      appendOne: (value, sequence) => level.put(keyOf(sequence), value, options),
      close: () => level.close(),
    } satisfies OpenLog;
  },
};

/** Big-endian, so that the order of the keys is that of the numbers. */
function keyOf(sequence: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES);
  key.writeBigUInt64BE(BigInt(sequence));
  return key;
}
