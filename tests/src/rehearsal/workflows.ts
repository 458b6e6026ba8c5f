/** The workflows of the repository, checked by actionlint. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Report } from "./report.ts";
import type { Workshop } from "./workshop.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

interface Finding {
  readonly line: number;
  readonly message: string;
}

export async function checkWorkflows(report: Report, workshop: Workshop): Promise<void> {
  await report.check("workflows", "actionlint", async () => {
    const { createLinter } = await import(pathToFileURL(join(await workshop.tool("actionlint"), "node.mjs")).href);
    const lint: (text: string, path: string) => Finding[] = await createLinter();
    const files = globSync(".github/workflows/*.yml", { cwd: root });
    const findings = files.flatMap((file) =>
      lint(readFileSync(join(root, file), "utf8"), file).map(({ line, message }) => `${file}:${line}: ${message}`),
    );
    if (findings.length > 0) throw new Error(findings.join("\n"));
    return `${files.length} workflows`;
  });
}
