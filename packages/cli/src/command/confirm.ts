import { createInterface } from "node:readline/promises";
import { UnconfirmedError } from "../errors/cli-error.js";
import type { Context } from "./context.js";

/**
 * Returns if `--yes` was given, or when the user confirms at the terminal.
 *
 * @param what a question without its question mark: "Delete topic orders with 12 records"
 * @throws UnconfirmedError if the user declines, or if there is no terminal
 */
export async function confirm(
  { stdin, stderr, signal }: Context,
  what: string,
  yes: boolean | undefined,
): Promise<void> {
  if (yes) return;
  if (!stdin.isTTY || !stderr.isTTY) {
    throw new UnconfirmedError("nothing was changed: this needs a confirmation, and there is no terminal to ask at", {
      hint: "add --yes",
    });
  }
  const terminal = createInterface({ input: stdin, output: stderr });
  try {
    const answer = await terminal.question(`${what}? [y/N] `, { signal });
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    terminal.close();
  }
  throw new UnconfirmedError("nothing was changed");
}
