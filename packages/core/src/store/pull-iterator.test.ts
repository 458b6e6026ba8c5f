import { expect, onTestFinished, test } from "vitest";
import { appendOneByOne, range } from "../../test/records.js";
import { LogStore } from "../index.js";

async function withRecords(count: number): Promise<LogStore> {
  const store = await LogStore.open(":memory:");
  onTestFinished(() => store.close());
  await appendOneByOne(store, range(count));
  return store;
}

// A call that found its record at once used to overtake the end of one that had waited.
test("calls of next settle in order, whenever a later one is made", async () => {
  const store = await withRecords(6);
  for (let ticks = 0; ticks < 40; ticks++) {
    const records = store.read(0)[Symbol.asyncIterator]();
    const order: unknown[] = [];
    const next = () => records.next().then(({ value }) => order.push(value?.offset));
    const calls = [next()];
    for (let i = 0; i < ticks; i++) await undefined;
    for (let i = 1; i < 6; i++) {
      calls.push(next());
      await undefined;
    }
    await Promise.all(calls);
    expect(order, `after ${ticks} ticks`).toEqual([0, 1, 2, 3, 4, 5]);
  }
});

test("a return ends the calls of next that wait, and all later ones", async () => {
  const store = await withRecords(1);
  const records = store.tail(0, { from: 1 })[Symbol.asyncIterator]();
  const calls = [records.next(), records.next()];
  await records.return!();
  await store.append(null, "later");
  calls.push(records.next());
  expect(await Promise.all(calls)).toEqual(calls.map(() => ({ value: undefined, done: true })));
});
