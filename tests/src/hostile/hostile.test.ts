/**
 * A server under attack survives, stays within its memory limits, continues to serve well-behaved
 * clients, and logs the attack as it should. `pnpm hostile` prints the table for docs/security.md;
 * HOSTILE_SEED replays a run, HOSTILE_FRAMES makes it longer.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Arena } from "./arena.ts";
import { attackGroups } from "./attacks.ts";

const seed = Number(process.env["HOSTILE_SEED"] ?? Math.floor(Math.random() * 1e9));
const frames = Number(process.env["HOSTILE_FRAMES"] ?? 100_000);
const groups = Object.entries(attackGroups);

// Resident memory is read from /proc.
describe.skipIf(process.platform !== "linux").each(groups)("%s", (_name, { attacks, ...surroundings }) => {
  let arena: Arena;

  beforeAll(async () => {
    arena = await Arena.open(surroundings);
  });

  afterAll(() => arena.close());

  test.each(attacks)("$name", async (attack) => {
    const { problems } = await arena.endure(attack, { seed, frames });
    const which = `HOSTILE_SEED=${seed}`;
    expect(arena.isServerAlive, which).toBe(true);
    expect(problems, which).toEqual([]);
  });
});
