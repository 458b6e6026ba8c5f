/** Documents tell the truth about the tree: every link leads somewhere. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { GrpcStatus, grpcStatusByErrorCode } from "@logstore/protocol";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const pages = globSync("{*.md,docs/**/*.md,packages/*/*.md,examples/*/*.md,benchmarks/*.md}", { cwd: root });

test.each(pages)("links of %s", (page) => {
  const text = readFileSync(join(root, page), "utf8").replaceAll(/```[\s\S]*?```/g, "");
  const targets = [...text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1]!);
  const local = targets.filter((target) => !/^[a-z]+:/.test(target));
  const dead = local.filter((target) => !existsSync(join(root, dirname(page), target)));
  expect(dead).toEqual([]);
});

test("the table of errors in docs/protocol.md is the one in the code", () => {
  const page = readFileSync(join(root, "docs/protocol.md"), "utf8");
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| ([A-Z_]+) \|/gm)].map(([, code, status]) => [code, status]);
  const nameOf = (status: number) => Object.entries(GrpcStatus).find(([, number]) => number === status)?.[0];
  const table = Object.entries(grpcStatusByErrorCode).map(([code, status]) => [code, nameOf(status)]);
  expect(rows.toSorted()).toEqual(table.toSorted());
});
