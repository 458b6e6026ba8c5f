/** Runs the packages on every supported runtime. */
import { join } from "node:path";
import { bunCommand, expectSaid, install } from "./packages.ts";
import { run } from "./processes.ts";
import type { Report } from "./report.ts";
import type { Served } from "./served.ts";
import type { Workshop } from "./workshop.ts";

interface Runtime {
  readonly command: (workshop: Workshop) => Promise<string>;
  readonly run: readonly string[];
}

const node = (version: string): Runtime => ({
  // Installs only the binary: the package `node` would install it with an install script.
  command: async (workshop) => join(await workshop.tool(`node-${platform()}-${process.arch}`, version), "bin/node"),
  run: [],
});

const runtimes: Readonly<Record<string, Runtime>> = {
  "Node 22.15": node("22.15.0"),
  "Node 24": node("24"),
  "Node 26": node("26"),
  Bun: { command: bunCommand, run: ["run"] },
  Deno: { command: async (workshop) => join(await workshop.tool("deno"), "../.bin/deno"), run: ["run", "--allow-all"] },
};

const programs = { core: "core.mjs", client: "client.mjs", codec: "codec.mjs", "require()": "required.cjs" };

export async function checkRuntimes(report: Report, workshop: Workshop, served: Served): Promise<void> {
  const place = workshop.app("runtimes");
  await install(workshop, "npm", place, ["@logstore/core", "@logstore/client", "@logstore/codec"]);
  for (const [name, { command, run: first }] of Object.entries(runtimes)) {
    for (const [check, program] of Object.entries(programs)) {
      await report.check(name, check, async () => {
        const binary = await command(workshop);
        const version = (await run(binary, ["--version"], place)).trim().replace(/^deno |^v| \(.*/gs, "");
        const topic = `on-${name.replace(/\W/g, "-")}`;
        const args = check === "client" ? [served.address, topic] : [];
        const said = await run(binary, [...first, join("programs", program), ...args], place);
        expectSaid(said, check);
        return version;
      });
    }
  }
}

function platform(): string {
  return process.platform === "win32" ? "win" : process.platform;
}
