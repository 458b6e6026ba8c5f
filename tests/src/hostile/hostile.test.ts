/**
 * A server under attack is alive, takes no more memory than it may, goes on serving whoever keeps to the rules, and says little about
 * it. `pnpm hostile` prints the table for docs/security.md; HOSTILE_SEED replays a run, HOSTILE_FRAMES makes it longer.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Arena } from "./arena.ts";
import { attackGroups } from "./attacks.ts";

const seed = Number(process.env["HOSTILE_SEED"] ?? Math.floor(Math.random() * 1e9));
const frames = Number(process.env["HOSTILE_FRAMES"] ?? 100_000);
const MAX_GROWTH_BYTES = 400_000_000;
const MAX_ERROR_LINES = 10;

// Resident memory is read from /proc.
describe.skipIf(process.platform !== "linux").each(Object.entries(attackGroups))("%s", (_name, group) => {
  let arena: Arena;
  let bytesAtStart: number;

  beforeAll(async () => {
    arena = await Arena.open();
    bytesAtStart = await arena.residentBytes();
  });

  afterAll(() => arena.close());

  test.each(group)("$name", async (attack) => {
    const { bytesMost, victimProblems, errorLines } = await arena.endure(attack, { seed, frames });
    const which = `HOSTILE_SEED=${seed}`;
    expect(arena.isServerAlive, which).toBe(true);
    expect(victimProblems, which).toEqual([]);
    expect(
      errorLines.filter((line) => /^\s+at /.test(line)),
      which,
    ).toEqual([]);
    expect(errorLines.length, which).toBeLessThanOrEqual(MAX_ERROR_LINES);
    expect(bytesMost - bytesAtStart, which).toBeLessThan(MAX_GROWTH_BYTES);
  });
});
