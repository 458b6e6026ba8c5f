/**
 * Stages the site: copies the repository's pages and images to `pages/`, where VitePress reads
 * them.
 */
import { globSync } from "node:fs";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { adapted } from "./adapted.ts";
import { cliPage } from "./cli-page.ts";
import { withSiteLinks } from "./links.ts";
import { pages, root, staged } from "./pages.ts";

await rm(staged, { recursive: true, force: true });
for (const [file, page] of pages) {
  await write(page, adapted(withSiteLinks(await readFile(join(root, file), "utf8"), file)));
}
await write("reference/cli.md", cliPage());
for (const image of globSync("docs/**/*.svg", { cwd: root })) {
  const target = join(staged, image.slice("docs/".length));
  await mkdir(dirname(target), { recursive: true });
  await cp(join(root, image), target);
}
async function write(page: string, text: string): Promise<void> {
  const target = join(staged, page);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, text);
}
