import { printable } from "../output/printable.js";
import { coloured, hasColors, plain, type Style } from "../output/style.js";
import { describeError } from "./describe-error.js";

/** Writes an error to stderr, in text or as a line of JSON; returns its exit code. */
export function reportError(error: unknown, options: { readonly json: boolean; readonly style?: Style }): number {
  const { exitCode, code, message, hint, fields } = describeError(error);
  if (options.json) {
    process.stderr.write(`${JSON.stringify({ error: { ...fields, code, message, hint, exitCode } })}\n`);
    return exitCode;
  }
  const colors = hasColors("auto", process.stderr.isTTY === true, process.env);
  const style = options.style ?? (colors ? coloured : plain);
  const name = code === "USAGE" || code === "FAILED" ? "" : ` ${style("dim", `(${code})`)}`;
  const lines = [`${style(["bold", "red"], "error:")} ${printable(message)}${name}`];
  if (hint !== undefined) lines.push(`${style("cyan", "hint:")}  ${printable(hint)}`);
  process.stderr.write(`${lines.join("\n")}\n`);
  return exitCode;
}
