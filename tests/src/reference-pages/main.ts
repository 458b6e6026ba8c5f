/** Writes the pages of docs/reference that are generated from the code: `pnpm docs:reference`. */
import { writeFileSync } from "node:fs";
import { referencePages } from "./pages.ts";

for (const { file, make } of referencePages) {
  writeFileSync(new URL(`../../../${file}`, import.meta.url), make());
  console.log(file);
}
