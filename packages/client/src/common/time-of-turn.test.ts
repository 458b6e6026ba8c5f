import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, onTestFinished, test, vi } from "vitest";
import { timeOfTurn } from "./time-of-turn.js";

test("the time is read once in a turn of the event loop, and again in the next one", async () => {
  const read = vi.spyOn(Date, "now");
  onTestFinished(() => read.mockRestore());
  await nextTurn();
  read.mockReturnValueOnce(1000).mockReturnValueOnce(2000);
  expect([timeOfTurn(), timeOfTurn()]).toEqual([1000, 1000]);
  await nextTurn();
  expect(timeOfTurn()).toBe(2000);
});
