/**
 * No request of one who is permitted holds the server's event loop for long. `pnpm loop-delay` measures against the limit itself; here
 * there is generous room for a machine that does other things.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { HeldLoop, MAX_BUSY_MS } from "./held-loop.ts";
import { largeRequests } from "./requests.ts";

const ROOM = 3;

let loop: HeldLoop;

beforeAll(async () => {
  loop = await HeldLoop.start();
});

afterAll(() => loop.close());

test.each(largeRequests)("$name", async (request) => {
  await request.prepare?.(loop.stranger);
  const { busyMs } = await loop.measure(request);
  expect(busyMs).toBeLessThan(ROOM * MAX_BUSY_MS);
});
