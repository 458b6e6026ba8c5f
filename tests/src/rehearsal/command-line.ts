/** `npx @logstore/cli dev` in an empty directory starts a server with one command. */
import { join } from "node:path";
import { expectSaid, install } from "./packages.ts";
import { background, run } from "./processes.ts";
import { type Report, SkippedError } from "./report.ts";
import type { Versions } from "./repository.ts";
import type { Workshop } from "./workshop.ts";

const NAME = "@logstore/cli";

export async function checkCommandLine(report: Report, workshop: Workshop, published: Versions): Promise<void> {
  await report.check("npx", `${NAME} dev`, async () => {
    if (published[NAME] === undefined) throw new SkippedError(`there is no ${NAME} yet`);
    const place = workshop.app("npx");
    const help = await run("npx", ["--yes", NAME, "--help"], place);
    if (!/^ +dev\b/m.test(help)) throw new SkippedError(`${NAME} ${published[NAME]} has no command "dev" yet`);
    const args = ["--yes", NAME, "dev", "--port", "0"];
    const { match, stop } = await background("npx", args, place, /((?:127\.0\.0\.1|localhost|\[::1\]):\d+)/);
    try {
      const user = workshop.app("beside-npx");
      await install(workshop, "npm", user, ["@logstore/client"]);
      expectSaid(await run(process.execPath, [join("programs", "client.mjs"), match[1]!, "t"], user), "client");
    } finally {
      await stop();
    }
    return published[NAME];
  });
}
