/** The contract of a log store on any storage. */
import { describe, expect, onTestFinished, test } from "vitest";
import { LogStore, type LogStoreOptions } from "../../src/index.js";
import { codeOf } from "../records.js";
import { appends } from "./append.js";
import { closing } from "./close.js";
import { partitions } from "./partitions.js";
import { reads } from "./read.js";
import { records } from "./records.js";
import { tails } from "./tail.js";

/** @param home returns a path at which no store exists */
export function storeContract(name: string, home: () => string): void {
  async function open(options: LogStoreOptions = {}): Promise<LogStore> {
    const store = await LogStore.open(home(), options);
    onTestFinished(() => store.close());
    return store;
  }

  describe(`a log store in ${name}`, () => {
    for (const part of [partitions, records, appends, reads, tails, closing]) part({ home, open });

    test.each([
      { partitions: 0 },
      { partitions: 1.5 },
      { partitions: 2_000_000 },
      { segmentBytes: 10 },
      { segmentBytes: 2 ** 32 },
      { maxBatchBytes: 10 },
      { maxBatchBytes: Number.NaN },
      { maxQueuedBytes: 0 },
      { durability: "flush" as "flushed" },
    ])("options %o are refused", async (options) => {
      expect(await codeOf(LogStore.open(home(), options))).toBe("INVALID_ARGUMENT");
    });

    test("an unregistered compression is refused", async () => {
      const compression = "lzma" as "gzip";
      expect(await codeOf(LogStore.open(home(), { compression }))).toBe("UNSUPPORTED_COMPRESSION");
    });
  });
}
