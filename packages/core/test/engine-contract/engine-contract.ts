/**
 * The contract of an engine, as tests. An engine's package runs them with `engineContract` and
 * supplies only a function that opens the engine. See docs/engines.md.
 */
import { describe, expect, test } from "vitest";
import { catalogueContract, sharedContract } from "./catalogue-contract.js";
import { Bench, type MakeHome } from "./home.js";
import { logContract } from "./log-contract.js";
import { journalContract, mapContract } from "./map-contract.js";

/** @param isShared whether several engines may have the same home open at the same time */
export function engineContract(name: string, isShared: boolean, makeHome: MakeHome): void {
  describe(name, () => {
    test("an engine tells its name, its limits, the time, and random bytes", async () => {
      const engine = await (await Bench.in(makeHome)).open();
      expect(engine.name).not.toBe("");
      expect(engine.maxBatchBytes).toBeGreaterThan(0);
      expect(engine.failure).toBeUndefined();
      expect(Math.abs(engine.now() - Date.now())).toBeLessThan(60_000);
      expect(engine.randomHex(8)).toMatch(/^[0-9a-f]{16}$/);
      expect(engine.randomHex(8)).not.toBe(engine.randomHex(8));
      expect(engine.catalogue.shared !== undefined).toBe(isShared);
    });

    describe("partition log", () => logContract(makeHome));
    describe("catalogue", () => catalogueContract(makeHome));
    describe.skipIf(!isShared)("catalogue that brokers share", () => sharedContract(makeHome));
    describe("map", () => mapContract(makeHome));
    describe("journal", () => journalContract(makeHome));
  });
}
