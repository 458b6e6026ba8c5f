import { expect, test } from "vitest";
import { mayTake, ThreadShares, threadPoolSize } from "./thread-shares.js";

test.each([
  [undefined, 4],
  ["", 4],
  ["x", 4],
  ["0", 1],
  ["128", 128],
  ["5000", 1024],
])("UV_THREADPOOL_SIZE=%s is %d threads", (size, threads) => {
  expect(threadPoolSize(size === undefined ? {} : { UV_THREADPOOL_SIZE: size })).toBe(threads);
});

/**
 * Returns how many threads each share holds if that many shares take as many as they can get, one
 * after another.
 */
function held(threads: number, greedy: number): number[] {
  const all = Array.from({ length: greedy }, () => 0);
  let free = threads;
  for (const i of all.keys()) {
    while (mayTake(all[i]!, free)) {
      all[i]!++;
      free--;
    }
  }
  return all;
}

test("a newcomer always finds a free thread", () => {
  expect(held(4, 1)).toEqual([3]);
  expect(held(128, 1)).toEqual([86]);
  for (const greedy of [1, 2, 3]) {
    const sum = held(128, greedy).reduce((a, b) => a + b, 0);
    expect(sum).toBeLessThan(128);
  }
  expect(held(1, 1)).toEqual([1]);
});

test("all operations complete, in order within a share", async () => {
  const shares = new ThreadShares(3);
  let running = 0;
  const done: string[] = [];
  const work = (name: string) => async () => {
    expect(++running).toBeLessThanOrEqual(3);
    await new Promise<void>((resolve) => setImmediate(resolve));
    running--;
    done.push(name);
    if (name.endsWith("7")) throw new Error(name);
  };
  const names = ["a", "b", "c", "d", "e"];
  const all = names.flatMap((name) => {
    const share = shares.share();
    return Array.from({ length: 20 }, (_, i) => share.run(work(`${name}${i}`)));
  });
  const results = await Promise.allSettled(all);
  expect(results.filter(({ status }) => status === "rejected")).toHaveLength(10);
  for (const name of names) {
    const ofOne = done.filter((each) => each.startsWith(name)).map((each) => Number(each.slice(1)));
    expect(ofOne).toEqual(ofOne.toSorted((x, y) => x - y));
  }
});
