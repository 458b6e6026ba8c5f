/**
 * Whether each link of the site has a target on the site, anchors included. Reads the built pages
 * as text.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { builtPages, fileOf, site } from "./built-pages.ts";

export function brokenLinks(): string[] {
  const pages = builtPages().map((page) => ({ page, html: readFileSync(join(site, fileOf(page)), "utf8") }));
  const idsOf = new Map(
    pages.map(({ page, html }) => [page, new Set([...html.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id!))]),
  );
  return pages.flatMap(({ page, html }) => {
    const links = new Set([...html.matchAll(/<a [^>]*href="([/#][^"]*)"/g)].map(([, link]) => link!));
    return [...links].flatMap((link) => {
      const [path = "", anchor = ""] = link.split("#", 2);
      const ids = idsOf.get(path === "" ? page : path.replace(/\.html$/, ""));
      if (ids === undefined) return [`${page}: the link ${link} leads to no page`];
      if (anchor === "" || ids.has(decodeURIComponent(anchor))) return [];
      return [`${page}: the link ${link} leads to no heading`];
    });
  });
}
