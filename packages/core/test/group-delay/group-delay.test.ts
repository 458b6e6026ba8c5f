/**
 * No request of a permitted client holds the event loop: the bound is far above what is measured,
 * and far below what it was.
 */
import { expect, test } from "vitest";
import { ownBuild } from "./build.js";
import { measureAll } from "./requests.js";

test("large requests of groups leave the event loop to others", { timeout: 300_000 }, async () => {
  for (const { name, maxCpuMs } of await measureAll(ownBuild, 0.2)) {
    expect(maxCpuMs, `processor time in one turn of the event loop: ${name}`).toBeLessThan(150);
  }
});
