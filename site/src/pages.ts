/** The pages of the site: which file of the repository becomes which page. */
import { globSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url));
/** The staged pages, which VitePress reads. */
export const staged = fileURLToPath(new URL("../pages/", import.meta.url));
export const repository = "https://github.com/logstore/logstore";

/** Files of the repository, and the files under `pages/` that they become. */
export const pages: ReadonlyMap<string, string> = new Map(
  globSync(["docs/**/*.md", "packages/*/README.md"], { cwd: root }).map((file) => [file, pageOf(file)]),
);

function pageOf(file: string): string {
  const inPackage = /^packages\/([^/]+)\/README\.md$/.exec(file);
  if (inPackage !== null) return `packages/${inPackage[1]}.md`;
  const page = file.slice("docs/".length);
  if (page === "README.md") return "all-pages.md";
  return page.replace(/README\.md$/, "index.md");
}

/** The address of a staged page: "guides/groups.md" has "/guides/groups". */
export function addressOf(page: string): string {
  return `/${page.replace(/\.md$/, "").replace(/(^|\/)index$/, "$1")}`;
}
