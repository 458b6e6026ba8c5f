import { expect, test } from "vitest";
import { type Lane, sliceLeft } from "./slices.js";

function work(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

test("steps of many concurrent calls run in slices of the event loop, in order", async () => {
  const taken: number[] = [];
  let inTurn = 0;
  const mostInTurn: number[] = [];
  work(6);
  await sliceLeft();
  await Promise.resolve(); // nothing waits now, and the slice has time left
  await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      for (let step = 0; step < 3; step++) {
        await sliceLeft();
        if (inTurn++ === 0) {
          setImmediate(() => {
            mostInTurn.push(inTurn);
            inTurn = 0;
          });
        }
        taken.push(20 * step + i);
        work(2);
      }
    }),
  );
  await new Promise((resolve) => setImmediate(resolve)); // the last turn is counted, too
  // Three steps of 2 ms fill a slice of 5 ms.
  expect(mostInTurn.length).toBeGreaterThanOrEqual(20);
  expect(Math.max(...mostInTurn)).toBeLessThanOrEqual(3);
  expect(taken).toHaveLength(60);
  expect(taken.slice(-20)).toEqual([...taken.slice(-20)].sort((a, b) => a - b));
});

test("members and calls take turns: a call does not wait for all members that wait", async () => {
  const order: string[] = [];
  const step = async (lane: Lane) => {
    await sliceLeft(lane);
    order.push(lane);
    for (const begun = performance.now(); performance.now() - begun < 1; ); // a step that takes a while
  };
  for (const begun = performance.now(); performance.now() - begun < 6; ); // the slice is used up
  const members = Array.from({ length: 100 }, () => step("members"));
  await Promise.all([...members, step("calls")]);
  expect(order.indexOf("calls")).toBeLessThan(5);
});
