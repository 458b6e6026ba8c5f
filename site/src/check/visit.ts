/** One page in all views: what is wrong with it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";

const views = [
  { name: "desktop", viewport: { width: 1280, height: 860 }, colorScheme: "light" },
  { name: "dark", viewport: { width: 1280, height: 860 }, colorScheme: "dark" },
  { name: "phone", viewport: { width: 390, height: 844 }, colorScheme: "light" },
] as const;

const axe = await readFile(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");

interface AxeResult {
  readonly violations: readonly { readonly id: string; readonly help: string; readonly nodes: { html: string }[] }[];
}

/** The page is loaded once. Screenshots go to the directory `screenshots`, if any. */
export async function visit(browser: Browser, url: string, screenshots: string | undefined): Promise<string[]> {
  const context = await browser.newContext({ viewport: views[0].viewport, reducedMotion: "reduce" });
  const problems: string[] = [];
  try {
    const page = await context.newPage();
    page.on("console", (message) => message.type() === "error" && problems.push(`console: ${message.text()}`));
    page.on("pageerror", (error) => problems.push(`error: ${error.message}`));
    page.on("requestfailed", (request) => problems.push(`not loaded: ${request.url()}`));
    const response = await page.goto(url, { waitUntil: "load" });
    if (response?.status() !== 200) problems.push(`status ${response?.status()}`);
    // The page is alive when its program has taken over what the server sent.
    await page.waitForFunction(() => "__vue_app__" in document.querySelector("#app")!);
    await page.evaluate(axe);
    for (const { name, viewport, colorScheme } of views) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(viewport);
      await page.waitForFunction(
        (isDark) => document.documentElement.classList.contains("dark") === isDark,
        colorScheme === "dark",
      );
      const excess = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      if (excess > 0) problems.push(`${name}: it scrolls sideways, by ${excess} pixels`);
      if (name !== "phone") problems.push(...(await accessibility(page)).map((problem) => `${name}: ${problem}`));
      if (screenshots !== undefined) {
        const file = new URL(url).pathname.replaceAll("/", "_");
        await page.screenshot({ path: join(screenshots, `${file}-${name}.png`) });
      }
    }
    return problems;
  } finally {
    await context.close();
  }
}

async function accessibility(page: Page): Promise<string[]> {
  const { violations } = (await page.evaluate("axe.run({ runOnly: ['wcag2a', 'wcag2aa'] })")) as AxeResult;
  return violations.map(({ id, help, nodes }) => `${id}: ${help}, as ${nodes[0]?.html.slice(0, 160)}`);
}
