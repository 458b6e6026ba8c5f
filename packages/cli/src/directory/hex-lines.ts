/** Fields as lines of a hex dump. */

import { fit } from "../output/display-width.js";
import { printable } from "../output/printable.js";
import type { Style } from "../output/style.js";
import type { Field } from "./annotated-bytes.js";

const BYTES_A_LINE = 8;
const HEX_COLUMNS = BYTES_A_LINE * 3 - 1;
/** Width of the address and of the separators between the columns. */
const ADDRESS_COLUMNS = 12;
/** Of a long field, the first and the last lines are shown. */
const MAX_LINES = 8;

/** @param start position in the file of the first byte */
export function hexLines(fields: readonly Field[], start: number, width: number, style: Style): string[] {
  return fields.flatMap((field) => fieldLines(field, start, width, style));
}

function fieldLines(
  { position, bytes, name, value, depth }: Field,
  start: number,
  width: number,
  style: Style,
): string[] {
  const lines: string[] = [];
  const count = Math.max(1, Math.ceil(bytes.length / BYTES_A_LINE));
  for (let line = 0; line < count; line++) {
    if (count > MAX_LINES && line === MAX_LINES / 2) {
      const left = count - MAX_LINES;
      lines.push(style("dim", `${" ".repeat(10)}… ${left * BYTES_A_LINE} bytes more`));
      line += left - 1;
      continue;
    }
    const at = line * BYTES_A_LINE;
    const hex = Buffer.from(bytes.subarray(at, at + BYTES_A_LINE))
      .toString("hex")
      .replaceAll(/..(?=.)/g, "$& ");
    const address = style("dim", (start + position + at).toString(16).padStart(8, "0"));
    const note = line > 0 ? "" : noteOf(name, value, depth, width - HEX_COLUMNS - ADDRESS_COLUMNS, style);
    lines.push(`${address}  ${style("cyan", hex.padEnd(HEX_COLUMNS))}  ${note}`.trimEnd());
  }
  return lines;
}

function noteOf(name: string, value: string, depth: number, width: number, style: Style): string {
  const indent = "  ".repeat(depth);
  const room = Math.max(4, width - indent.length - name.length - 1);
  return `${indent}${depth === 1 ? style("bold", name) : name} ${fit(printable(value), room)}`;
}
