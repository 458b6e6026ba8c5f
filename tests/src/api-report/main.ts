/** Writes the API reports of all packages: `pnpm api-report`. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { readDeclarations, reportFile } from "./report.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

for (const [entry, { report, notExported, undocumented }] of readDeclarations()) {
  const file = join(root, reportFile(entry));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, report);
  for (const name of notExported) console.log(`${entry.name}: ${name} is in a signature and is not exported`);
  for (const name of undocumented) console.log(`${entry.name}: ${name} has no doc comment`);
}
