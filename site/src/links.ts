/**
 * Links of the repository's pages, as they read on the site: a link to a page leads to it, one to
 * any other file leads to the code host.
 */
import { existsSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { addressOf, pages, repository, root } from "./pages.ts";

const OUTSIDE_CODE = /(^(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\2[^\n]*$|`[^`\n]+`)|(\]\()([^)\s]+)(\))/gm;

/** The text of a page with its links rewritten. `file` is its path in the repository. */
export function withSiteLinks(text: string, file: string): string {
  return text.replaceAll(OUTSIDE_CODE, (whole, code, _fence, open, target, close) =>
    code === undefined ? `${open}${siteLink(target, file)}${close}` : whole,
  );
}

function siteLink(target: string, file: string): string {
  const [path = "", fragment] = target.split("#", 2);
  const anchor = fragment === undefined ? "" : `#${fragment}`;
  if (path === "") return target;
  const inRepository = pathInRepository(path, file);
  if (inRepository === undefined) return target;
  if (inRepository === "README.md" && anchor === "") return "/";
  const page = pages.get(inRepository) ?? pages.get(posix.join(inRepository, "README.md"));
  if (page !== undefined) return `${addressOf(page)}${anchor}`;
  if (inRepository.startsWith("docs/") && inRepository.endsWith(".svg")) return target;
  const full = join(root, inRepository);
  const kind = existsSync(full) && statSync(full).isDirectory() ? "tree" : "blob";
  return `${repository}/${kind}/main/${inRepository}${anchor}`;
}

/** Undefined for a link that leaves the repository. */
function pathInRepository(path: string, file: string): string | undefined {
  const hosted = /^https:\/\/github\.com\/logstore\/logstore\/(?:blob|tree)\/main\/(.+)$/.exec(path);
  if (hosted !== null) return hosted[1];
  if (/^[a-z]+:/.test(path)) return undefined;
  return posix.join(posix.dirname(file), path).replace(/\/$/, "");
}
