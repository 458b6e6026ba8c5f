/** Reads records from NDJSON, as packages/cli/README.md describes it. */

import { ExportedLines, nextLine } from "./exported-line.js";
import { BadRecord, type ImportedRecord, type ImportPiece } from "./imported-record.js";
import { type LinePiece, linePieces } from "./line-pieces.js";
import { recordOfFields, shortened } from "./record-fields.js";

/** The largest batch that a server accepts fits, as base64 with escapes. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** @param skippedLines number of lines at the beginning that are skipped */
export async function* ndjsonPieces(
  input: AsyncIterable<Uint8Array>,
  skippedLines = 0,
): AsyncGenerator<ImportPiece, void> {
  for await (const lines of linePieces(input, MAX_LINE_BYTES)) yield new NdjsonPiece(lines, skippedLines);
}

class NdjsonPiece implements ImportPiece {
  readonly bytes: number;
  lastLine: number;
  readonly #lines: LinePiece;
  readonly #skippedLines: number;

  constructor(lines: LinePiece, skippedLines: number) {
    this.bytes = lines.bytes.length;
    this.lastLine = lines.firstLine - 1;
    this.#lines = lines;
    this.#skippedLines = skippedLines;
  }

  /** Empty lines are skipped. @throws BadRecord */
  *[Symbol.iterator](): Generator<ImportedRecord, void> {
    const { bytes } = this.#lines;
    const exported = new ExportedLines(bytes);
    for (let start = 0; start < bytes.length; this.lastLine++) {
      const line = this.lastLine + 1;
      const record = line <= this.#skippedLines ? undefined : exported.parse(start);
      if (record !== undefined) {
        yield record;
        start = exported.end;
        continue;
      }
      const end = nextLine(bytes, start);
      const other = line <= this.#skippedLines ? undefined : recordOfLine(bytes.toString("utf8", start, end), line);
      if (other !== undefined) yield other;
      start = end;
    }
  }
}

function recordOfLine(text: string, line: number): ImportedRecord | undefined {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch (error) {
    if (text.trim() === "") return undefined;
    throw new BadRecord(line, `this is not JSON: ${(error as Error).message}`);
  }
  if (typeof fields === "object" && fields !== null && !Array.isArray(fields)) {
    return recordOfFields(fields as Record<string, unknown>, line);
  }
  throw new BadRecord(line, `a record is an object such as {"key":"k","value":"v"}, not ${shortened(text)}`);
}
