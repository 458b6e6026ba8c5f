/**
 * No permitted request blocks the event loop. The bound is far above the measured values, and far
 * below those before the fix.
 */
import { expect, test } from "vitest";
import { ownBuild } from "./build.js";
import { measureAll } from "./requests.js";

test("large requests of groups do not block the event loop", { timeout: 300_000 }, async () => {
  for (const { name, maxCpuMs } of await measureAll(ownBuild, 0.2)) {
    expect(maxCpuMs, `processor time in one turn of the event loop: ${name}`).toBeLessThan(150);
  }
});
