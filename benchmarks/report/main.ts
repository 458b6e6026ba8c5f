/**
 * Makes docs/performance.md and its plots from the JSON of a full run: `node main.ts REPORT.json`.
 * What is between the markers of a page is replaced.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Report } from "../src/reports/report.ts";
import { filled, isShown } from "./page.ts";
import { plot } from "./plot.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const IMAGES = "docs/images/performance";
/** With fewer, a table is enough. */
const LEAST_BARS = 3;
/** Each page, and how it gets to the images. */
const PAGES = { "docs/performance.md": "images/performance", "README.md": IMAGES };

const [file = `${root}docs/performance.json`] = process.argv.slice(2);
const report: Report = JSON.parse(await readFile(file, "utf8"));
await mkdir(`${root}${IMAGES}`, { recursive: true });
const texts = await Promise.all(Object.keys(PAGES).map((page) => readFile(`${root}${page}`, "utf8")));
const drawn: string[] = [];
for (const result of report.results) {
  if (!texts.some((text) => isShown(text, result.name))) continue;
  if (result.series.filter(({ values }) => values.length > 0).length < LEAST_BARS) continue;
  await writeFile(`${root}${IMAGES}/${result.name}.svg`, await plot(result));
  drawn.push(result.name);
}
for (const [page, images] of Object.entries(PAGES)) {
  const plots = new Map(drawn.map((name) => [name, `${images}/${name}.svg`]));
  const text = await readFile(`${root}${page}`, "utf8");
  await writeFile(`${root}${page}`, filled(text, report, plots));
}
console.log(`${drawn.length} plots in ${IMAGES}; ${Object.keys(PAGES).join(", ")} filled in`);
