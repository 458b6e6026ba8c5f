/** The pages of the built site. */
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const site = fileURLToPath(new URL("../../.vitepress/dist/", import.meta.url));

/** Their addresses, such as "/guides/groups". */
export function builtPages(): string[] {
  return globSync("**/*.html", { cwd: site })
    .filter((file) => file !== "404.html")
    .map((file) => `/${file.replace(/\.html$/, "").replace(/(^|\/)index$/, "$1")}`)
    .toSorted();
}

export function fileOf(page: string): string {
  return page.endsWith("/") ? `${page}index.html` : `${page}.html`;
}
