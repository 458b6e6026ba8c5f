/**
 * Documentation is consistent with the tree: every link has a target, and every page can be found.
 */
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { GrpcStatus, grpcStatusByErrorCode } from "@logstore/protocol";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const pages = globSync("{*.md,docs/**/*.md,packages/*/*.md,examples/*/*.md,{benchmarks,site}/*.md,.github/*.md}", {
  cwd: root,
});
const repository = "https://github.com/logstore/logstore/";

function textOf(page: string): string {
  return readFileSync(join(root, page), "utf8").replaceAll(/^```[\s\S]*?^```/gm, "");
}

/** Targets of a page's links, without the fragment. */
function linksOf(page: string): string[] {
  return [...textOf(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1]!);
}

/** The fragments that lead to the headings of a page, as the code host and the site make them. */
function fragmentsOf(page: string): string[] {
  const seen = new Map<string, number>();
  return [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => {
    const plain = heading!
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .trim()
      .toLowerCase();
    const slug = plain.replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(/\s/g, "-");
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    return before === 0 ? slug : `${slug}-${before}`;
  });
}

/**
 * The path of a link's target, relative to the root; undefined if it is outside this repository.
 */
function pathOf(page: string, target: string): string | undefined {
  if (!/^[a-z]+:/.test(target)) return join(dirname(page), target);
  return /^(?:blob|tree)\/main\/(.*)$/.exec(target.startsWith(repository) ? target.slice(repository.length) : "")?.[1];
}

test.each(pages)("links of %s", (page) => {
  const dead = linksOf(page).filter((target) => !existsSync(join(root, pathOf(page, target) ?? "")));
  expect(dead).toEqual([]);
});

test.each(pages)("links of %s to headings", (page) => {
  const links = [...textOf(page).matchAll(/\]\(([^)#\s]*)#([^)]+)\)/g)];
  const dead = links.filter(([, target = "", fragment]) => {
    const path = target === "" ? page : pathOf(page, target);
    return path?.endsWith(".md") && existsSync(join(root, path)) && !fragmentsOf(path).includes(fragment!);
  });
  expect(dead.map(([link]) => link)).toEqual([]);
});

test.each(globSync("packages/*/README.md", { cwd: root }))(
  "%s has absolute links, because it is read on npm",
  (page) => {
    expect(linksOf(page).filter((target) => !target.startsWith("https://"))).toEqual([]);
  },
);

test("docs/README.md links every page of docs", () => {
  const linked = linksOf("docs/README.md").map((target) => pathOf("docs/README.md", target));
  const all = globSync("docs/**/*.md", { cwd: root, exclude: ["docs/decisions/0*"] });
  expect(all.filter((page) => page !== "docs/README.md" && !linked.includes(page))).toEqual([]);
});

test("decisions are numbered without gaps, and the index lists each with its number and title", () => {
  const files = readdirSync(join(root, "docs/decisions")).filter((name) => name !== "README.md");
  const entries = files.toSorted().map((name, index) => {
    const number = index + 1;
    expect(name).toMatch(new RegExp(`^${String(number).padStart(4, "0")}-`));
    const heading = readFileSync(join(root, "docs/decisions", name), "utf8").split("\n", 1)[0]!;
    expect(heading).toMatch(new RegExp(`^# ${number}\\. `));
    return `${number}. [${heading.replace(/^# \d+\. /, "")}](${name})`;
  });
  const index = readFileSync(join(root, "docs/decisions/README.md"), "utf8");
  expect(index.split("\n").filter((line) => /^\d/.test(line))).toEqual(entries);
});

test("pages of docs that sources mention exist", () => {
  const sources = globSync("{packages/*/{src,test,deploy},tests/src,benchmarks/src,scripts}/**/*.{ts,cts,mjs,yaml}", {
    cwd: root,
  });
  const named = new Set(
    sources.flatMap((file) => readFileSync(join(root, file), "utf8").match(/\bdocs\/[A-Za-z0-9/-]+\.md\b/g) ?? []),
  );
  expect(named.size).toBeGreaterThan(10);
  expect([...named].filter((page) => !existsSync(join(root, page)))).toEqual([]);
});

test("the error table in docs/protocol.md equals the one in the code", () => {
  const page = readFileSync(join(root, "docs/protocol.md"), "utf8");
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| ([A-Z_]+) \|/gm)].map(([, code, status]) => [code, status]);
  const nameOf = (status: number) => Object.entries(GrpcStatus).find(([, number]) => number === status)?.[0];
  const table = Object.entries(grpcStatusByErrorCode).map(([code, status]) => [code, nameOf(status)]);
  expect(rows.toSorted()).toEqual(table.toSorted());
});
