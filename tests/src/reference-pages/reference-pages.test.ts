/** The pages of docs/reference that are generated from the code are up to date. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { referencePages } from "./pages.ts";

test.each(referencePages)("$file is what `pnpm docs:reference` writes", ({ file, make }) => {
  expect(readFileSync(new URL(`../../../${file}`, import.meta.url), "utf8")).toBe(make());
});
