import { JetStreamApiError } from "@nats-io/jetstream";
import { errors } from "@nats-io/transport-node";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { askAgain } from "./ask-again.js";

const TIMEOUT_MS = 5_000;
const timeout = (ms: number) =>
  new Promise<never>((_, reject) => setTimeout(() => reject(new errors.TimeoutError()), ms));
const after = <T>(ms: number, answer: T) => new Promise<T>((resolve) => setTimeout(() => resolve(answer), ms));

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("a leader that takes four seconds for every answer is heard", async () => {
  const asked = askAgain(TIMEOUT_MS, () => after(4_000, "answer"));
  await vi.advanceTimersByTimeAsync(4_000);
  expect(await asked).toBe("answer");
});

test("a request that is lost is made again soon, and later answers are dropped", async () => {
  let attempts = 0;
  const dropped: number[] = [];
  const ask = () => (++attempts === 1 ? timeout(TIMEOUT_MS) : after(2_000, attempts));
  const asked = askAgain(TIMEOUT_MS, ask, (late) => dropped.push(late));
  await vi.advanceTimersByTimeAsync(3_500);
  expect(await asked).toBe(2);
  await vi.advanceTimersByTimeAsync(TIMEOUT_MS);
  expect({ attempts, dropped }).toEqual({ attempts: 3, dropped: [3] });
});

test("without an answer it ends in time, with the reason", async () => {
  let attempts = 0;
  const ask = () => timeout(++attempts * 10 ** 6);
  const asked = expect(askAgain(TIMEOUT_MS, ask)).rejects.toThrow(errors.TimeoutError);
  await vi.advanceTimersByTimeAsync(TIMEOUT_MS);
  await asked;
  await vi.advanceTimersByTimeAsync(TIMEOUT_MS);
  expect(attempts).toBe(4);
});

test.each([
  [10_005, "no suitable peers for placement"],
  [10_008, "JetStream system temporarily unavailable"],
])("servers that are about to start are asked again: %i %s", async (err_code, description) => {
  let attempts = 0;
  const ask = async () => {
    if (++attempts < 3) throw new JetStreamApiError({ code: 400, err_code, description });
    return attempts;
  };
  const asked = askAgain(TIMEOUT_MS, ask);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(await asked).toBe(3);
});

test("a refusal for another reason is final", async () => {
  const refusal = new Error("no permission");
  await expect(askAgain(TIMEOUT_MS, () => Promise.reject(refusal))).rejects.toBe(refusal);
});
