import { expect, test } from "vitest";
import { EarlyTakeovers } from "./early-takeovers.ts";

test("what has moved is taken over once, a few at a time, whatever fails", async () => {
  const taken: number[] = [];
  let [atOnce, most] = [0, 0];
  const logs = Array.from({ length: 20 }, (_, i) => {
    let hasMoved = i % 2 === 0;
    return {
      hasMovedHere: () => {
        const moved = hasMoved;
        hasMoved = false;
        return moved;
      },
      takeOver: async () => {
        most = Math.max(most, ++atOnce);
        await new Promise(setImmediate);
        atOnce--;
        taken.push(i);
        if (i % 3 === 0) throw new Error("no quorum");
      },
    };
  });
  const takeovers = new EarlyTakeovers(() => logs);
  for (let i = 0; i < 3; i++) {
    takeovers.ownersChanged();
    await new Promise(setImmediate);
  }
  await expect.poll(() => taken.length).toBe(10);
  takeovers.ownersChanged();
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([taken, most]).toEqual([[0, 2, 4, 6, 8, 10, 12, 14, 16, 18], 4]);
});
