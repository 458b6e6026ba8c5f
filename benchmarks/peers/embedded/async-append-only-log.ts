/** The log of Secure Scuttlebutt's databases. */
import { join } from "node:path";
import OffsetLog from "async-append-only-log";
import { type EmbeddedLog, type OpenLog, Skipped } from "../../src/contestants/embedded.ts";

/** Shorter than its default of 250 ms, which a short run would mostly wait for. */
const WRITE_TIMEOUT_MS = 10;

export const log: EmbeddedLog = {
  settings:
    "blocks of 64 KiB; append() of a batch, written within 10 ms, onDrain() at the end; stream({ offsets: false })",
  async create(directory, { durability }) {
    if (durability === "flushed") throw new Skipped("async-append-only-log never syncs a file");
    const offsets = OffsetLog(join(directory, "log"), { blockSize: 64 * 1024, writeTimeout: WRITE_TIMEOUT_MS });
    return {
      async append(source) {
        for (let batch = source.next(); batch !== undefined; batch = source.next()) {
          // It keeps the bytes until it writes them: it gets copies, as from a socket.
          const values = batch.values.map((value) => Buffer.from(value));
          await called((done) => offsets.append(values, done));
        }
        await called((done) => offsets.onDrain(done));
      },
      read: ({ use }) =>
        called((done) => {
          offsets.stream({ offsets: false }).pipe({ paused: false, write: use, end: done });
        }),
      close: () => called((done) => offsets.close(done)),
    } satisfies OpenLog;
  },
};

function called(work: (done: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    work((error) => (error instanceof Error ? reject(error) : resolve()));
  });
}
