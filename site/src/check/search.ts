/** The search works on a host of static files: its index is a file of the site. */
import { join } from "node:path";
import type { Browser } from "playwright-core";

export async function searchFinds(browser: Browser, origin: string, screenshots: string | undefined): Promise<boolean> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  try {
    const page = await context.newPage();
    await page.goto(`${origin}/getting-started`, { waitUntil: "load" });
    await page.waitForFunction(() => "__vue_app__" in document.querySelector("#app")!);
    await page.click("button.DocSearch-Button");
    await page.fill("#localsearch-input", "expected offset");
    const result = await page.waitForSelector("#localsearch-list .result", { timeout: 60_000 }).catch(() => undefined);
    if (screenshots !== undefined) await page.screenshot({ path: join(screenshots, "search.png") });
    return result !== undefined;
  } finally {
    await context.close();
  }
}
