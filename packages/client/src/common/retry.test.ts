import { NotOwnerError, QuotaExceededError, UnavailableError } from "@logstore/codec";
import { expect, test } from "vitest";
import { retryDelayMs } from "./retry.js";

test("pauses double up to two seconds, and are as long as the server asks for", () => {
  const lost = new UnavailableError("lost");
  expect(retryDelayMs(0, lost)).toBeGreaterThanOrEqual(25);
  expect(retryDelayMs(0, lost)).toBeLessThanOrEqual(50);
  expect(retryDelayMs(20, lost)).toBeGreaterThanOrEqual(1_000);
  expect(retryDelayMs(0, new QuotaExceededError("full", { retryAfterMs: 5_000 }))).toBe(5_000);
});

test("an owner that is named is asked at once, but two that name each other are not asked in turn endlessly", () => {
  const moved = new NotOwnerError("moved", { address: "b:7411" });
  expect(retryDelayMs(0, moved)).toBe(0);
  expect(retryDelayMs(1, moved)).toBeGreaterThanOrEqual(50);
});

test("an owner that is not known is looked for every quarter of a second", () => {
  const nobody = new NotOwnerError("nobody", { retryAfterMs: 250 });
  expect(retryDelayMs(0, nobody)).toBeGreaterThanOrEqual(25);
  expect(retryDelayMs(20, nobody)).toBe(250);
});
