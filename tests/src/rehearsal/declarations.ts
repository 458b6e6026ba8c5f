/** Checks the published declarations in a user's program with each version of TypeScript. */
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { install } from "./packages.ts";
import { type CommandError, run } from "./processes.ts";
import type { Report } from "./report.ts";
import type { Versions } from "./repository.ts";
import type { Workshop } from "./workshop.ts";

const VERSIONS = ["5.9", "6.0", "7.0"];

export async function checkDeclarations(report: Report, workshop: Workshop, published: Versions): Promise<void> {
  const place = workshop.app("types");
  const names = Object.keys(published);
  await install(workshop, "npm", place, [...names, "@types/node@22"]);
  const entries = names.flatMap((name) => entriesOf(name, join(place.cwd, "node_modules", name)));
  const lines = entries.map((entry, i) => `import * as entry${i} from "${entry}";\nvoid entry${i};`);
  writeFileSync(join(place.cwd, "program.ts"), lines.join("\n"));
  for (const version of VERSIONS) {
    for (const resolution of ["nodenext", "bundler"] as const) {
      await report.check(`TypeScript ${version}`, resolution, async () => {
        const typescript = await workshop.tool("typescript", `~${version}.0`);
        const compilerOptions = {
          target: "es2024",
          lib: ["es2024"],
          types: ["node"],
          module: resolution === "nodenext" ? "nodenext" : "esnext",
          moduleResolution: resolution,
          strict: true,
          exactOptionalPropertyTypes: true,
          skipLibCheck: false,
          noEmit: true,
        };
        const project = `tsconfig.${version}.${resolution}.json`;
        writeFileSync(join(place.cwd, project), JSON.stringify({ compilerOptions, files: ["program.ts"] }));
        const { version: exact } = createRequire(join(typescript, "package.json"))("./package.json");
        const args = [join(typescript, "bin/tsc"), "-p", project, "--pretty", "false"];
        const said = await run(process.execPath, args, place).catch((error: CommandError) => {
          if (!/error TS/.test(error.output)) throw error;
          return error.output;
        });
        // Errors in declarations of other packages are ignored.
        const errors = said
          .split("\n")
          .filter((line) => /error TS/.test(line) && !/^(?!.*@logstore).*node_modules/.test(line));
        if (errors.length > 0) throw new Error(errors.join("\n"));
        return exact;
      });
    }
  }
}

/** The entry points that a program can import from a package. */
function entriesOf(name: string, directory: string): string[] {
  const { exports } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  const paths = Object.keys(exports ?? {}).filter((path) => !path.endsWith(".json") && !path.includes("*"));
  return paths.map((path) => join(name, path));
}
