/** Questions at a terminal. */
import { createInterface } from "node:readline/promises";
import { TEMPLATES, type TemplateName } from "./templates.js";

const DEFAULT_DIRECTORY = "my-log";

/** Asks until the answer is one. Rejects with an AbortError after Ctrl-C and Ctrl-D. */
async function ask<Answer>(question: string, answerOf: (line: string) => Answer | undefined): Promise<Answer> {
  const abort = new AbortController();
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  terminal.once("SIGINT", () => abort.abort()).once("close", () => abort.abort());
  try {
    for (;;) {
      const answer = answerOf((await terminal.question(question, { signal: abort.signal })).trim());
      if (answer !== undefined) return answer;
    }
  } finally {
    terminal.close();
  }
}

export function askDirectory(): Promise<string> {
  return ask(`Directory (${DEFAULT_DIRECTORY}): `, (line) => line || DEFAULT_DIRECTORY);
}

export function askTemplate(): Promise<TemplateName> {
  const choices = TEMPLATES.map(({ name, what }, i) => `  ${i + 1}  ${name.padEnd(16)}${what}`).join("\n");
  return ask(`Template:\n${choices}\nNumber or name (1): `, (line) => {
    return TEMPLATES.find(({ name }, i) => line === name || Number(line || "1") === i + 1)?.name;
  });
}
