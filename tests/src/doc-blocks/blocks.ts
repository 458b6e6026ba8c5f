/** The code blocks of the documentation. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../../", import.meta.url));

export interface Block {
  /** Path of the page in the repository. */
  readonly page: string;
  /** Line of the page on which the code begins, from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  /** The text block after the code: the output of the first run. */
  readonly output: string | undefined;
  /** The reason that the block cannot be run, from the note before it. */
  readonly notRun: string | undefined;
}

const PAGES = "{*.md,docs/**/*.md,packages/*/README.md,examples/*/README.md,{benchmarks,site}/README.md}";
const FENCE = /(?:^<!-- not run: (.+) -->\n+)?^```(\w*)[^\n]*\n([\s\S]*?)^```$/gm;

export function allBlocks(): Block[] {
  return globSync(PAGES, { cwd: root })
    .toSorted()
    .flatMap((page) => blocksOf(page, readFileSync(join(root, page), "utf8").replaceAll("\r\n", "\n")));
}

function blocksOf(page: string, text: string): Block[] {
  const found = [...text.matchAll(FENCE)];
  return found.map((match, index) => {
    const [whole, notRun, language = "", code = ""] = match;
    const codeAt = match.index + whole.length - code.length - "```".length;
    const next = found[index + 1];
    const isNext = next?.[2] === "text" && text.slice(match.index + whole.length, next.index).trim() === "";
    const output = isNext ? next[3]!.trimEnd() : undefined;
    return { page, line: text.slice(0, codeAt).split("\n").length, language, code, output, notRun };
  });
}

export function placeOf({ page, line }: Block): string {
  return `${page}:${line}`;
}
