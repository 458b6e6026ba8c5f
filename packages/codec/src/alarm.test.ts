import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Alarm } from "./alarm.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("rings when the earliest of its times is due, and for later ones only if it is set again", () => {
  const rings: number[] = [];
  const start = performance.now();
  const alarm = new Alarm(() => rings.push(performance.now() - start));
  alarm.set(start + 2_000);
  alarm.set(start + 1_000);
  alarm.set(start + 3_000);
  vi.advanceTimersByTime(10_000);
  expect(rings).toEqual([1_000]);
  alarm.set(start + 12_000);
  vi.advanceTimersByTime(10_000);
  expect(rings).toEqual([1_000, 12_000]);
});

test("does not ring when it was cancelled, or set to Infinity", () => {
  const ring = vi.fn();
  const alarm = new Alarm(ring);
  alarm.set(performance.now() + 1_000);
  alarm.cancel();
  alarm.set(Infinity);
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(10_000);
  expect(ring).not.toHaveBeenCalled();
  alarm.set(performance.now() + 1_000);
  vi.advanceTimersByTime(1_000);
  expect(ring).toHaveBeenCalledOnce();
});

test("rings by the timers at hand, where those that it was set with are faked, or no longer", async () => {
  const ring = vi.fn();
  const alarm = new Alarm(ring);
  alarm.set(performance.now() + 1);
  vi.useRealTimers();
  alarm.set(performance.now() + 2);
  await vi.waitFor(() => expect(ring).toHaveBeenCalledOnce());

  alarm.set(performance.now() + 60_000);
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  alarm.set(performance.now() + 120_000);
  vi.advanceTimersByTime(120_000);
  expect(ring).toHaveBeenCalledTimes(2);
});

test("keeps the process alive from when it is set until it rests", () => {
  vi.useRealTimers();
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  const alarm = new Alarm(() => {});
  alarm.set(performance.now() + 60_000);
  expect(timers()).toBe(before + 1);
  alarm.rest();
  expect(timers()).toBe(before);
  alarm.set(performance.now() + 60_000);
  expect(timers()).toBe(before + 1);
  alarm.cancel();
  expect(timers()).toBe(before);
});
