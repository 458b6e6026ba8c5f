/** The .proto files conform to the rules of buf.yaml, and are compatible with the last release. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { keepReleased } from "../scripts/keep-released.ts";

const packageDirectory = join(import.meta.dirname, "..");
const buf = join(packageDirectory, "node_modules/.bin/buf");

const lint = (directory: string) => run(directory, ["lint"]);
const breaking = (directory: string) => run(directory, ["breaking", "--against", "released"]);

function run(directory: string, args: string[]): { passed: boolean; output: string } {
  const { status, stdout, stderr } = spawnSync(buf, args, { cwd: directory, encoding: "utf8" });
  return { passed: status === 0, output: stdout + stderr };
}

/** A copy of the package, as far as buf and releases need it. */
function copy(): string {
  const directory = mkdtempSync(join(tmpdir(), "logstore-proto-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const name of ["buf.yaml", "package.json", "proto", "released"]) {
    cpSync(join(packageDirectory, name), join(directory, name), { recursive: true });
  }
  return directory;
}

function replace(directory: string, file: string, what: string, by: string): void {
  const path = join(directory, file);
  const text = readFileSync(path, "utf8");
  expect(text).toContain(what);
  writeFileSync(path, text.replace(what, by));
}

test("the .proto files conform to the rules", () => {
  expect(lint(packageDirectory)).toEqual({ passed: true, output: "" });
});

test("the .proto files are compatible with the last release", () => {
  expect(breaking(packageDirectory)).toEqual({ passed: true, output: "" });
});

test("a name that violates the rules is found", () => {
  const directory = copy();
  replace(directory, "proto/logstore/v1/log.proto", "bool duplicate = 4;", "bool isDuplicate = 4;");
  expect(lint(directory)).toMatchObject({ passed: false, output: expect.stringContaining("isDuplicate") });
});

test.each([
  ["a field with another number", "int64 next_offset = 2;", "int64 next_offset = 9;"],
  ["a field with another name", "int64 base_offset = 1;", "int64 first_offset = 1;"],
  ["a field of another type", "uint32 max_bytes = 5;", "string max_bytes = 5;"],
  ["a field that is gone", "  bool duplicate = 4;\n", ""],
  ["an enum value that is gone", "  EDGE_LATEST = 2;\n", ""],
  ["a method that is gone", "  rpc ListOffsets(ListOffsetsRequest) returns (ListOffsetsResponse);\n", ""],
])("%s is a breaking change", (_what, before, after) => {
  const directory = copy();
  replace(directory, "proto/logstore/v1/log.proto", before, after);
  expect(breaking(directory)).toMatchObject({ passed: false, output: expect.stringContaining("log.proto") });
});

test("a new field is compatible; once it is released, it must be kept", () => {
  const directory = copy();
  const [file, field] = ["proto/logstore/v1/log.proto", "  bool recent = 9;\n"];
  replace(directory, file, "  bool duplicate = 4;\n", `  bool duplicate = 4;\n${field}`);
  expect(breaking(directory).passed).toBe(true);

  expect(keepReleased(directory)).toBe(false); // without a new version there is no release
  replace(directory, "package.json", '"version": "', '"version": "9');
  expect(keepReleased(directory)).toBe(true);
  expect(breaking(directory)).toEqual({ passed: true, output: "" });

  replace(directory, file, field, "");
  expect(breaking(directory)).toMatchObject({ passed: false, output: expect.stringContaining("recent") });
});
