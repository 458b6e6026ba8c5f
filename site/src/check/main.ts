/**
 * Checks the built site. Every link has a target, anchors included. In Chromium, every page loads
 * without an error, in light and dark, on a desktop and on a phone, where it does not scroll
 * sideways, and axe-core finds nothing. Pages of the API are made alike: some of each kind are
 * opened.
 *
 * `--screenshots` saves what was seen; arguments choose pages, such as /guides/.
 */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { builtPages, site } from "./built-pages.ts";
import { brokenLinks } from "./links.ts";
import { searchFinds } from "./search.ts";
import { serveSite } from "./serve-site.ts";
import { visit } from "./visit.ts";

/** Pages of the API of one kind that are opened. */
const API_PAGES_OF_A_KIND = 2;
/** Pages that are open at once. */
const OPEN_PAGES = 3;

const { values, positionals } = parseArgs({
  options: { screenshots: { type: "boolean", default: false } },
  allowPositionals: true,
});
const problems = brokenLinks();
for (const problem of problems) console.error(problem);
console.log(`${builtPages().length} pages: ${problems.length} broken links`);

const candidates = [process.env["LOGSTORE_CHROMIUM"], "/usr/bin/chromium", "/usr/bin/google-chrome"];
const executablePath = candidates.find((path) => path !== undefined && existsSync(path));
if (executablePath === undefined) {
  console.log("skipped: no Chromium (apt-get install chromium, or its path in LOGSTORE_CHROMIUM)");
} else {
  problems.push(...(await problemsSeen(executablePath)));
}
if (problems.length > 0) process.exitCode = 1;

async function problemsSeen(executablePath: string): Promise<string[]> {
  const directory = values.screenshots ? fileURLToPath(new URL("../../screenshots/", import.meta.url)) : undefined;
  if (directory !== undefined) await mkdir(directory, { recursive: true });
  const seen: string[] = [];
  const queue = openedPages();
  const server = await serveSite(site);
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  const work = async () => {
    for (let page = queue.shift(); page !== undefined; page = queue.shift()) {
      for (const problem of await visit(browser, `${server.origin}${page}`, directory)) {
        console.error(`${page}: ${problem}`);
        seen.push(problem);
      }
    }
  };
  try {
    console.log(`${queue.length} pages opened in Chromium, light and dark, on a desktop and on a phone`);
    await Promise.all(Array.from({ length: OPEN_PAGES }, work));
    if (!(await searchFinds(browser, server.origin, directory))) seen.push("search");
    console.log(`${seen.length} problems`);
  } finally {
    await browser.close();
    await server.close();
  }
  return seen;
}

function openedPages(): string[] {
  const opened = new Map<string, number>();
  return builtPages().filter((page) => {
    if (positionals.length > 0) return positionals.some((start) => page.startsWith(start));
    const kind = /^\/api\/.*?([\w-]+)\/[^/]+$/.exec(page)?.[1];
    if (kind === undefined) return true;
    opened.set(kind, (opened.get(kind) ?? 0) + 1);
    return opened.get(kind)! <= API_PAGES_OF_A_KIND;
  });
}
