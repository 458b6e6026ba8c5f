/** What to try after the quickstart, in the root of the repository. */
import { bold, dim } from "./colours.ts";

export const NOW_TRY: readonly { readonly command: string; readonly what: string }[] = [
  { command: "npm start -- --crashes 4", what: "the same, and the server is killed four times" },
  {
    command: "npx --yes pnpm@12.21.0 --silent -C examples/message-queue start",
    what: "a queue: workers, retries, and records that keep failing",
  },
  {
    command: "npx --yes pnpm@12.21.0 --silent -C examples/event-sourcing start",
    what: "event sourcing: two desks compete for gates",
  },
  {
    command: "npm run --silent logstore -- dev",
    what: "a server to play with, which says what to type next",
  },
];

export function printNowTry(): void {
  console.log("\nNow try:");
  for (const { command, what } of NOW_TRY) console.log(`\n  ${dim(`# ${what}`)}\n  ${bold(command)}`);
  console.log();
}
