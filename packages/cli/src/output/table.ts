/** Tables in plain text that fit a width. */
import { displayWidth, fit, pad } from "./display-width.js";
import { printable } from "./printable.js";
import type { Format, Style } from "./style.js";

export interface Column<Row> {
  readonly title: string;
  /** Returns the text of a row's cell in this column; undefined is shown as "-". */
  value(row: Row): string | undefined;
  /** "right" for numbers. Default "left". */
  readonly align?: "left" | "right" | undefined;
  /** Returns the format of a cell. */
  format?(row: Row): Format | undefined;
  /**
   * The column may be truncated to this width if the table is too wide for the terminal. Default:
   * it is not truncated.
   */
  readonly minWidth?: number | undefined;
  /** Whether the column is omitted if no row has a value. Default false. */
  readonly isOptional?: boolean | undefined;
}

const GAP = "  ";

/**
 * Returns the lines of a table, without line ends. Cells are truncated only if the width requires
 * it, and control characters in them are escaped.
 */
export function table<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  style: Style,
  width: number,
): string[] {
  const shown = columns.filter(({ isOptional, value }) => !isOptional || rows.some((row) => value(row) !== undefined));
  const cells = rows.map((row) => shown.map(({ value }) => printable(value(row) ?? "-")));
  const widths = shown.map(({ title }, i) => Math.max(title.length, ...cells.map((line) => displayWidth(line[i]!))));
  shrink(widths, shown, width - GAP.length * (shown.length - 1));
  const line = (texts: readonly string[], format: (i: number) => Format | undefined) =>
    texts
      .map((text, i) => {
        const isLast = i === texts.length - 1;
        const column = shown[i]!;
        const padded = pad(fit(text, widths[i]!), widths[i]!, column.align ?? "left", isLast);
        const look = format(i);
        return look === undefined ? padded : style(look, padded);
      })
      .join(GAP)
      .trimEnd();
  const head = line(
    shown.map(({ title }) => title),
    () => "bold",
  );
  return [head, ...rows.map((row, i) => line(cells[i]!, (column) => shown[column]!.format?.(row)))];
}

/**
 * Reduces the widest column that may be truncated, until the table fits or no column can be reduced
 * further.
 */
function shrink<Row>(widths: number[], columns: readonly Column<Row>[], available: number): void {
  for (let excess = widths.reduce((sum, width) => sum + width, 0) - available; excess > 0; excess--) {
    let widest = -1;
    for (const [i, { minWidth, title }] of columns.entries()) {
      const least = minWidth === undefined ? Number.POSITIVE_INFINITY : Math.max(minWidth, title.length);
      if (widths[i]! > least && (widest === -1 || widths[i]! > widths[widest]!)) widest = i;
    }
    if (widest === -1) return;
    widths[widest]!--;
  }
}
