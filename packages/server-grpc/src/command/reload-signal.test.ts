import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { hearReloadSignal } from "./reload-signal.js";

test("signals that arrive too early are deferred and count once; later ones count each", () => {
  const signals = new EventEmitter();
  const onReload = hearReloadSignal(signals);
  for (let i = 0; i < 2; i++) expect(signals.emit("SIGHUP")).toBe(true);
  let reloads = 0;
  onReload(() => reloads++);
  expect(reloads).toBe(1);
  for (let i = 0; i < 2; i++) signals.emit("SIGHUP");
  expect(reloads).toBe(3);
});

test("without an early signal nothing is reloaded", () => {
  let reloads = 0;
  hearReloadSignal(new EventEmitter())(() => reloads++);
  expect(reloads).toBe(0);
});
