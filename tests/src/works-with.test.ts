/**
 * docs/works-with.md contains the results of the last recorded rehearsal, and lists only what that
 * rehearsal found to work.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type RehearsalRecord, withTables } from "./rehearsal/works-with.ts";

const read = (file: string) => readFileSync(new URL(`../../docs/${file}`, import.meta.url), "utf8");
const record: RehearsalRecord = JSON.parse(read("works-with.json"));

test("the tables are those of the recorded results", () => {
  const page = read("works-with.md");
  expect(page).toBe(withTables(page, record));
});

test("everything was checked, and nothing failed", () => {
  const bad = record.results.filter(({ outcome, subject }) => outcome !== "ok" && subject !== "npx");
  expect(bad).toEqual([]);
  expect(record.results.length).toBeGreaterThan(40);
});
