/**
 * `npm create logstore`: creates a project from each template, and runs the next steps that it
 * prints.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { background, type Place, run } from "./processes.ts";
import { type Report, SkippedError } from "./report.ts";
import type { Versions } from "./repository.ts";
import type { Workshop } from "./workshop.ts";

const NAME = "create-logstore";
const templates = readdirSync(new URL(`../../../packages/${NAME}/templates/`, import.meta.url));

/** The output of `npm start` for the templates that exit by themselves. */
const said: Readonly<Record<string, RegExp>> = {
  "event-sourcing": /^Ada has \d+$/m,
  queue: /^parked after 3 attempts: /m,
};

export async function checkStarters(report: Report, workshop: Workshop, published: Versions): Promise<void> {
  for (const template of templates) {
    await report.check("npm create logstore", template, async () => {
      if (published[NAME] === undefined) throw new SkippedError(`there is no ${NAME} yet`);
      const parent = workshop.app(`starter-${template}`);
      await run("npm", ["create", "--yes", "logstore", "app", "--", "--template", template], parent);
      const place = { ...parent, cwd: join(parent.cwd, "app") };
      const begun = performance.now();
      await run("npm", ["install"], place);
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      await run("npm", ["run", "typecheck"], place);
      await run("npm", ["test"], place);
      for (let i = 0; i < 2; i++) await start(template, place);
      return `${published[NAME]}, installed in ${seconds} s`;
    });
  }
}

async function start(template: string, place: Place): Promise<void> {
  const expected = said[template];
  if (expected !== undefined) {
    const output = await run("npm", ["start", "--silent"], place);
    if (!expected.test(output)) throw new Error(`npm start printed ${output}`);
    return;
  }
  const env = { ...place.env, PORT: "0" };
  const { match, stop } = await background("npm", ["start", "--silent"], { ...place, env }, /http:\S+/);
  try {
    const response = await fetch(match[0]);
    if (!response.ok) throw new Error(`${match[0]} answered with ${response.status}`);
  } finally {
    await stop();
  }
}
