/**
 * No permitted request blocks the server's event loop for long. `pnpm loop-delay` measures against
 * the exact limit; the test allows generous room for a loaded machine.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { HeldLoop, MAX_BUSY_MS } from "./held-loop.ts";
import { requestGroups } from "./requests.ts";

const ROOM = 3;

describe.each(Object.entries(requestGroups))("%s", (_name, { requests, isDurable }) => {
  let loop: HeldLoop;

  beforeAll(async () => {
    loop = await HeldLoop.start({ isDurable });
  });

  afterAll(() => loop.close());

  test.each(requests)("$name", async (request) => {
    await request.prepare?.(loop.stranger);
    const { busyMs } = await loop.measure(request);
    expect(busyMs).toBeLessThan(ROOM * MAX_BUSY_MS);
  });
});
