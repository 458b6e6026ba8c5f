/** The commands of `logstore completion`. */
import type { Context } from "../command/context.js";
import { type CompletedCommand, candidates, type SharedOptions, starting } from "./candidates.js";
import { scripts } from "./scripts.js";

export type Shell = keyof typeof scripts;

export function printScript(shell: Shell) {
  return { run: ({ output }: Context) => output.write(scripts[shell]) };
}

/** Prints one line for each candidate, with a tab before its description. */
export function printCandidates(commands: readonly CompletedCommand[], shared: SharedOptions) {
  return {
    run: async (context: Context, _options: unknown, words: readonly string[]) => {
      const { texts, kind } = candidates(commands, shared, words);
      for (const { text, description } of texts) await context.output.line(`${text}\t${description}`);
      if (kind === undefined) return;
      if (kind === "file" || kind === "directory") return context.output.line(`:${kind}`);
      const { namesOfKind } = await import("./names.js");
      const names = await namesOfKind(kind, words, context);
      const typed = words.at(-1) ?? "";
      for (const { text } of starting(
        names.map((text) => ({ text, description: "" })),
        typed,
      )) {
        await context.output.line(`${text}\t${kind}`);
      }
    },
  };
}
