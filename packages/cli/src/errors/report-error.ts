import { printable } from "../output/printable.js";
import type { Style } from "../output/style.js";
import { describeError } from "./describe-error.js";

export interface Reporting {
  readonly json: boolean;
  readonly style: Style;
  readonly stderr: NodeJS.WriteStream;
}

/** Writes an error, in text or as a line of JSON; returns its exit code. */
export function reportError(error: unknown, { json, style, stderr }: Reporting): number {
  const { exitCode, code, message, hint, fields } = describeError(error);
  if (json) {
    stderr.write(`${JSON.stringify({ error: { ...fields, code, message, hint, exitCode } })}\n`);
    return exitCode;
  }
  const name = code === "USAGE" || code === "FAILED" ? "" : ` ${style("dim", `(${code})`)}`;
  const lines = [`${style(["bold", "red"], "error:")} ${printable(message)}${name}`];
  if (hint !== undefined) lines.push(`${style("cyan", "hint:")}  ${printable(hint)}`);
  stderr.write(`${lines.join("\n")}\n`);
  return exitCode;
}
