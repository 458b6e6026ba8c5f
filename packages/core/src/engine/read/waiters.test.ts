import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Waiters } from "./waiters.js";

describe("a wait", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("ends at its time limit, whatever the limits of others", async () => {
    const waiters = new Waiters();
    const ended: string[] = [];
    const wait = (name: string, ms: number) => void waiters.wait(undefined, ms).then(() => ended.push(name));
    wait("long", 5_000);
    wait("endless", Infinity);
    wait("short", 1_000);
    await vi.advanceTimersByTimeAsync(999);
    expect(ended).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(ended).toEqual(["short"]);
    wait("longer", 10_000);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(ended).toEqual(["short", "long"]);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(ended).toEqual(["short", "long", "longer"]);
    waiters.wakeAll();
    await vi.advanceTimersByTimeAsync(0);
    expect(ended).toEqual(["short", "long", "longer", "endless"]);
  });

  test("lasts for its own time after one that was woken", async () => {
    const waiters = new Waiters();
    const woken = waiters.wait(undefined, 1_000);
    waiters.wakeAll();
    await woken;
    await vi.advanceTimersByTimeAsync(600);
    const ended = vi.fn();
    void waiters.wait(undefined, 1_000).then(ended);
    await vi.advanceTimersByTimeAsync(999);
    expect(ended).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(ended).toHaveBeenCalledOnce();
  });

  test("ends when its signal aborts", async () => {
    const waiters = new Waiters();
    const ended = vi.fn();
    const controller = new AbortController();
    void waiters.wait(controller.signal, 1_000).then(ended);
    controller.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(ended).toHaveBeenCalledOnce();
    await waiters.wait(controller.signal, Infinity); // it has aborted already
  });
});

test("only a wait with a time limit keeps the process alive, and only until it is woken", async () => {
  const waiters = new Waiters();
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  const alive = () => timers() - before;
  const endless = waiters.wait(undefined, Infinity);
  expect(alive()).toBe(0);
  const first = waiters.wait(undefined, 60_000);
  expect(alive()).toBe(1);
  waiters.wakeAll();
  await Promise.all([endless, first]);
  expect(alive()).toBe(0);
  const second = waiters.wait(undefined, 60_000);
  expect(alive()).toBe(1);
  waiters.wakeAll();
  await second;
  expect(alive()).toBe(0);
});
