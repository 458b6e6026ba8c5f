/** LOCK_ROUNDS=200 vitest run test/lock: more rounds. */
import { expect, test } from "vitest";
import { firstSeed, Random } from "../random.js";
import { skipped } from "../skipped.js";
import { temporaryDirectory } from "../temporary-directory.js";
import { canUnshare, fight } from "./fight.js";

const rounds = Number(process.env["LOCK_ROUNDS"] ?? 6);

test("two writers compete for a directory, and no acknowledged record is lost", {
  timeout: 60_000 + rounds * 5000,
}, async () => {
  if (!canUnshare) skipped("namespaces of their own (unshare is not to be had)");
  const { acknowledged, owners, hits, errors, lost } = await fight(temporaryDirectory(), rounds, new Random(firstSeed));
  process.stdout.write(
    `${rounds} rounds, ${owners} owners, ${hits} of them killed or stopped, ${acknowledged} records acknowledged, CORE_SEED=${firstSeed}\n`,
  );
  expect(errors.join("\n"), "unexpected output of the writers").toBe("");
  expect(lost.join("\n"), "acknowledged records that are not at their offset").toBe("");
  expect(owners).toBeGreaterThan(1);
});
