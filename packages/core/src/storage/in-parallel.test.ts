import { expect, test } from "vitest";
import { eachInParallel } from "./in-parallel.js";

/** Work that has nothing to wait for, and takes its time. */
async function work(): Promise<void> {
  const begun = performance.now();
  while (performance.now() - begun < 0.2);
}

test("thousands of things that wait for nothing leave the event loop to others", async () => {
  let isDone = false;
  let turns = 0;
  const turn = () => {
    turns++;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  const items = Array.from({ length: 1_000 });
  // Each of the first ones works on many, as the topics of a broker close their partitions.
  await eachInParallel([...items.slice(0, 4)], () => eachInParallel(items, work));
  isDone = true;
  expect(turns).toBeGreaterThan(50); // of 800 ms; without pauses it is 0
});

test("everything is done, whatever fails, and the first error is thrown", async () => {
  let count = 0;
  const each = eachInParallel(Array.from({ length: 500 }), async () => {
    if (++count % 7 === 0) throw new Error(`no. ${count}`);
  });
  await expect(each).rejects.toThrow("no. 7");
  expect(count).toBe(500);
});
