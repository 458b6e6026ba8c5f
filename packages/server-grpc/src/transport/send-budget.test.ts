import { UnavailableError } from "@logstore/codec";
import { expect, test } from "vitest";
import { fairShareBytes, MIN_SHARE_BYTES, pacedBytes } from "./message-size.js";
import { Lease, SendBudget } from "./send-budget.js";

const KIB = 1024;
const MIB = 1024 * KIB;

function budgetOf(bytes: number) {
  let shortages = 0;
  const budget = new SendBudget(bytes, () => shortages++);
  return { budget, lease: () => new Lease(budget), shortages: () => shortages };
}

/** Returns which of the takes have been granted. */
async function granted(takes: (number | Promise<number>)[]): Promise<number[]> {
  const states = await Promise.all(takes.map((take) => Promise.race([take, Promise.resolve(-1)])));
  return states.flatMap((bytes, i) => (bytes === -1 ? [] : [i]));
}

test("waiting takes are granted in order", async () => {
  const { lease, shortages } = budgetOf(256 * KIB);
  const holder = lease();
  expect(holder.take(128 * KIB, 0)).toBe(128 * KIB);
  expect(holder.take(128 * KIB, 0)).toBe(128 * KIB);
  const takes = Array.from({ length: 5 }, () => lease().take(64 * KIB, 0));
  expect([await granted(takes), shortages()]).toEqual([[], 5]);
  holder.giveBack(128 * KIB);
  expect(await granted(takes)).toEqual([0, 1]);
  // A later take does not overtake waiting ones, however small it is.
  takes.push(lease().take(1, 0));
  holder.giveBack(128 * KIB);
  expect(await granted(takes)).toEqual([0, 1, 2, 3]);
});

test("one lease with large messages leaves room for a thousand with small ones", () => {
  const { lease } = budgetOf(256 * MIB);
  const large = lease();
  large.take(4 * MIB, 0);
  const small = Array.from({ length: 1000 }, () => lease().take(64 * KIB, 0));
  expect(small.every((bytes) => bytes === 64 * KIB)).toBe(true);
  expect(large.take(4 * MIB, 0)).toBeLessThan(256 * KIB);
});

test("messages have the requested size while there are few readers, and shrink with their number", () => {
  expect(fairShareBytes(256 * MIB, 1)).toBe(128 * MIB);
  expect(fairShareBytes(256 * MIB, 1024)).toBe(128 * KIB);
  expect(fairShareBytes(256 * MIB, 1_000_000)).toBe(MIN_SHARE_BYTES);
});

test("what a lease has returned no longer counts as use: shares grow again", () => {
  const { lease } = budgetOf(1 * MIB);
  const others = Array.from({ length: 8 }, () => lease());
  for (const other of others) other.take(64 * KIB, 0);
  for (const other of others) other.giveBack(64 * KIB);
  expect(lease().take(1 * MIB, 0)).toBe(512 * KIB);
});

test("a batch larger than the whole budget is granted when nothing else is held", async () => {
  const { lease } = budgetOf(128 * KIB);
  const holder = lease();
  holder.take(64 * KIB, 0);
  const long = lease().take(300 * KIB, 300 * KIB);
  const next = lease().take(64 * KIB, 0);
  expect(await granted([long, next])).toEqual([]);
  holder.giveBack(64 * KIB);
  expect(await granted([long, next])).toEqual([0]);
  expect(await long).toBe(300 * KIB);
});

test("a closed lease returns what it holds, and stops waiting", async () => {
  const { lease } = budgetOf(128 * KIB);
  const [holder, waiting, next] = [lease(), lease(), lease()];
  holder.take(128 * KIB, 0);
  holder.take(64 * KIB, 0);
  const first = waiting.take(64 * KIB, 0);
  const second = next.take(64 * KIB, 0);
  const error = new UnavailableError("over");
  waiting.close(error);
  await expect(first).rejects.toBe(error);
  holder.close(error);
  holder.close(error);
  expect(await second).toBe(64 * KIB);
  await expect(holder.take(1, 0)).rejects.toBe(error);
  expect(lease().take(64 * KIB, 0)).toBe(64 * KIB);
});

test("a slow peer gets smaller messages, and larger ones again when it is prompt", () => {
  expect(pacedBytes(Number.POSITIVE_INFINITY, 4 * MIB, 10)).toBe(Number.POSITIVE_INFINITY);
  expect(pacedBytes(Number.POSITIVE_INFINITY, 4 * MIB, 20_000)).toBe(2 * MIB);
  expect(pacedBytes(2 * MIB, 100, 20_000)).toBe(MIN_SHARE_BYTES);
  expect(pacedBytes(2 * MIB, 2 * MIB, 10)).toBe(4 * MIB);
});
