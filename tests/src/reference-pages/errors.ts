/** Generates docs/reference/errors.md from the error classes and the table in docs/protocol.md. */
import { readFileSync } from "node:fs";
import * as codec from "@logstore/codec";

const HEAD = `# Errors

Every error is a \`LogStoreError\` with a stable \`code\`, a message that says what to do, and fields such as \`topic\`,
\`partition\` and \`offset\`, each set only if it is known. An error has the same class and code whether the log is
embedded or served. Codes do not change between major versions; messages may. [What a caller should
do](../protocol.md#errors) about those that a retry can help.

This page is made from the classes and from the table in [the protocol](../protocol.md#errors).

| code | class | gRPC status | meaning |
|---|---|---|---|
`;

export function errorsPage(): string {
  const protocol = readFileSync(new URL("../../../docs/protocol.md", import.meta.url), "utf8");
  const rows = [...protocol.matchAll(/^\| `([A-Z_]+)` \| ([A-Z_]+) \|(.*) \|$/gm)].map(([, code, status, meaning]) => {
    const here = meaning!.trim().replaceAll("](#", "](../protocol.md#") || "there is none of this name or number";
    return `| \`${code}\` | \`${classOf(code!)}\` | ${status} | ${exists(code!) ? "one of this name exists" : here} |\n`;
  });
  return HEAD + rows.join("");
}

/** `WRONG_EXPECTED_OFFSET` has the class `WrongExpectedOffsetError`. */
function classOf(code: string): string {
  const found = Object.entries(codec).find(([, value]) => isErrorClass(value) && codeOf(value) === code);
  if (found === undefined) throw new Error(`no class has the code ${code}`);
  return found[0];
}

type ErrorClass = new (message: string) => codec.LogStoreError;

function isErrorClass(value: unknown): value is ErrorClass {
  const isClass = typeof value === "function" && value.prototype instanceof codec.LogStoreError;
  return isClass && value !== codec.LogStoreError;
}

function codeOf(errorClass: ErrorClass): string {
  return new errorClass("").code;
}

function exists(code: string): boolean {
  return code.endsWith("_EXISTS");
}
