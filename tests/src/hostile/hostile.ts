/**
 * Prints the table of attacks in docs/security.md: `pnpm hostile`, with `--seed 1 --frames 1000000`
 * for a long run and `--only NAME` for attacks whose names contain it. Exits with 1 if the server
 * or its well-behaved client was harmed, or its log was not as expected.
 */
import { parseArgs } from "node:util";
import { Arena } from "./arena.ts";
import { attackGroups } from "./attacks.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    frames: { type: "string", default: "100000" },
    only: { type: "string", default: "" },
  },
});
const inMiB = (bytes: number) => Math.round(bytes / 1024 / 1024);

console.log(`seed ${values.seed}, ${values.frames} malformed frames\n`);
console.log("| attack | what the server did | memory before, at most, after, MiB |");
console.log("|---|---|---|");
for (const { attacks, ...surroundings } of Object.values(attackGroups)) {
  const chosen = attacks.filter(({ name }) => name.includes(values.only));
  if (chosen.length === 0) continue;
  const arena = await Arena.open(surroundings);
  try {
    for (const attack of chosen) {
      const outcome = await arena.endure(attack, { seed: Number(values.seed), frames: Number(values.frames) });
      const memory = [outcome.bytesBefore, outcome.bytesMost, outcome.bytesAfter].map(inMiB).join(" / ");
      console.log(`| ${outcome.attack} | ${outcome.serverDid} | ${memory} |`);
      if (outcome.problems.length > 0) console.error(outcome.problems.join("\n"));
      if (outcome.problems.length > 0 || !arena.isServerAlive) process.exitCode = 1;
    }
  } finally {
    await arena.close();
  }
}
