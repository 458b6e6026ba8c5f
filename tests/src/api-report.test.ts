/** The public API of each package equals its API report, and is documented and complete. */
import { beforeAll, describe, expect, test } from "vitest";
import { checkedIn, ENTRIES, type Entry, type Findings, readDeclarations, reportFile } from "./api-report/report.ts";

let findings: Map<Entry, Findings>;

beforeAll(() => {
  findings = readDeclarations();
});

describe.each(ENTRIES)("$name", (entry) => {
  test("its declarations equal its API report", () => {
    const message = `${reportFile(entry)} differs from the declarations. If the change is meant, run \`npx --yes pnpm@12 api-report\`, and commit the report.`;
    expect(findings.get(entry)!.report, message).toBe(checkedIn(entry));
  });

  test("every exported name has a doc comment", () => {
    expect(findings.get(entry)!.undocumented).toEqual([]);
  });

  test("every name in an exported signature is exported", () => {
    expect(findings.get(entry)!.notExported).toEqual([]);
  });
});
