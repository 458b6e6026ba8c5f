import { expect, test } from "vitest";
import { eachInParallel } from "./in-parallel.js";

/** Synchronous work that takes a while. */
async function work(): Promise<void> {
  const begun = performance.now();
  while (performance.now() - begun < 0.2);
}

test("thousands of tasks that never wait do not block the event loop", async () => {
  let isDone = false;
  let turns = 0;
  const turn = () => {
    turns++;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  const items = Array.from({ length: 1_000 });
  // Each of the first four tasks has many subtasks, like a broker whose topics close their
  // partitions.
  await eachInParallel([...items.slice(0, 4)], () => eachInParallel(items, work));
  isDone = true;
  expect(turns).toBeGreaterThan(50); // in 800 ms; without pauses there would be none
});

test("all tasks run even if some fail, and the first error is thrown", async () => {
  let count = 0;
  const each = eachInParallel(Array.from({ length: 500 }), async () => {
    if (++count % 7 === 0) throw new Error(`no. ${count}`);
  });
  await expect(each).rejects.toThrow("no. 7");
  expect(count).toBe(500);
});
