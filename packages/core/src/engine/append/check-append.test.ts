import { RecordBatch, RecordBatchBuilder } from "@logstore/codec";
import { expect, test } from "vitest";
import { AppendCheck } from "./check-append.js";

function batch(valueBytes: number): RecordBatch {
  const builder = new RecordBatchBuilder({ targetBytes: 4 * 1024 * 1024 });
  builder.append(null, new Uint8Array(valueBytes), 0);
  return RecordBatch.parse(builder.seal());
}

/** Calls back with the number of each of the next microtasks, one after another. */
async function inMicrotasks(count: number, callback: (n: number) => void): Promise<void> {
  for (let n = 0; n < count; n++) {
    await undefined;
    callback(n);
  }
}

test("an append that arrives at the moment when a long one has been checked does not overtake it", async () => {
  const long = batch(2 * 1024 * 1024);
  const short = batch(1);
  for (let moment = 0; moment < 20; moment++) {
    const check = new AppendCheck(() => {});
    const order: string[] = [];
    const add = (name: string) => () => order.push(name);
    const others: unknown[] = [];
    const checkRecordsLater = async (pause: () => Promise<void>) => {
      await long.checkRecordsLater(pause);
      void inMicrotasks(20, (n) => {
        if (n === moment) others.push(check.check([short], short.byteLength, add("short")));
      });
    };
    const watched = new Proxy(long, {
      get: (_, name) => {
        if (name === "checkRecordsLater") return checkRecordsLater;
        const member = Reflect.get(long, name, long);
        return typeof member === "function" ? member.bind(long) : member;
      },
    });
    await check.check([watched], long.byteLength, add("long"));
    await new Promise(setImmediate);
    await Promise.all(others);
    expect(order, `moment ${moment}`).toEqual(["long", "short"]);
  }
});
