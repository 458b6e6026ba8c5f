import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startInterval, startTimer } from "./timer.js";

const DAY_MS = 24 * 60 * 60 * 1000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a timer", () => {
  test.each([1, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 5, 30 * DAY_MS, 1000 * DAY_MS])("fires after %d ms", (ms) => {
    const fired = vi.fn();
    startTimer(ms, fired);
    vi.advanceTimersByTime(ms - 1);
    expect(fired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fired).toHaveBeenCalledOnce();
    vi.advanceTimersByTime(ms);
    expect(fired).toHaveBeenCalledOnce();
  });

  test("never fires after Infinity, and at once after a negative delay or NaN", () => {
    const never = vi.fn();
    const soon = vi.fn();
    startTimer(Infinity, never);
    expect(vi.getTimerCount()).toBe(0);
    startTimer(0, soon);
    startTimer(-1, soon);
    startTimer(Number.NaN, soon);
    vi.advanceTimersByTime(1);
    expect(soon).toHaveBeenCalledTimes(3);
    vi.advanceTimersByTime(100 * DAY_MS);
    expect(never).not.toHaveBeenCalled();
  });

  test("does not fire after it was cancelled, even if it was re-armed before", () => {
    const fired = vi.fn();
    const timer = startTimer(100 * DAY_MS, fired);
    vi.advanceTimersByTime(60 * DAY_MS);
    timer.cancel();
    expect(vi.getTimerCount()).toBe(0);
    startTimer(Infinity, fired).cancel();
    vi.advanceTimersByTime(100 * DAY_MS);
    expect(fired).not.toHaveBeenCalled();
  });
});

test("a timer says whether it keeps the process alive", () => {
  vi.useRealTimers();
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  const timer = startTimer(30 * DAY_MS, () => {});
  expect(timers()).toBe(before + 1);
  timer.keepAlive(false);
  expect(timers()).toBe(before);
  timer.keepAlive(true);
  expect(timers()).toBe(before + 1);
  timer.cancel();
  expect(timers()).toBe(before);
  startTimer(Infinity, () => {}).keepAlive(true);
  expect(timers()).toBe(before);
});

describe("an interval", () => {
  test.each([5, 30 * DAY_MS])("fires every %d ms until it is cancelled", (ms) => {
    const fired = vi.fn();
    const timer = startInterval(ms, fired);
    vi.advanceTimersByTime(ms * 3);
    expect(fired).toHaveBeenCalledTimes(3);
    timer.cancel();
    vi.advanceTimersByTime(ms * 3);
    expect(fired).toHaveBeenCalledTimes(3);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("can be cancelled by its own callback", () => {
    const fired = vi.fn(() => timer.cancel());
    const timer = startInterval(30 * DAY_MS, fired);
    vi.advanceTimersByTime(90 * DAY_MS);
    expect(fired).toHaveBeenCalledOnce();
  });

  test("never fires at Infinity", () => {
    startInterval(Infinity, () => {});
    expect(vi.getTimerCount()).toBe(0);
  });
});

test("a timer with keepsAlive: false lets the process exit", () => {
  vi.useRealTimers();
  const before = process.getActiveResourcesInfo().length;
  const timers = [
    startTimer(60_000, () => {}, { keepsAlive: false }),
    startInterval(60_000, () => {}, { keepsAlive: false }),
  ];
  expect(process.getActiveResourcesInfo()).toHaveLength(before);
  for (const timer of timers) timer.cancel();
});
