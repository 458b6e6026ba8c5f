import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { hearStopSignal } from "./stop-signal.js";

test("the first signal stops the server, the second one ends the process", () => {
  const signals = new EventEmitter();
  let exits = 0;
  const stopping = hearStopSignal(signals, () => exits++);
  expect(stopping.aborted).toBe(false);
  expect(signals.emit("SIGTERM")).toBe(true);
  expect([stopping.aborted, exits]).toEqual([true, 0]);
  expect(signals.emit("SIGINT")).toBe(true);
  expect(exits).toBe(1);
});
