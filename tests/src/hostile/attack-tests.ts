/** Tests of attacks. Each part of them has its own test file, because files run in parallel. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Arena } from "./arena.ts";
import type { AttackGroup } from "./attack.ts";
import { attackGroups } from "./attacks.ts";

const seed = Number(process.env["HOSTILE_SEED"] ?? Math.floor(Math.random() * 1e9));
const frames = Number(process.env["HOSTILE_FRAMES"] ?? 30_000);

export function testAttacks(isTested: (group: AttackGroup) => boolean): void {
  const groups = Object.entries(attackGroups).filter(([, group]) => isTested(group));

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
}
