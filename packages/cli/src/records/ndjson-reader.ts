/** Reads records from NDJSON, as packages/cli/README.md describes it. */
import { ExportedLines, nextLine } from "./exported-line.js";
import { BadRecord, type ImportedRecord, type ImportPiece, MAX_TEXT_BYTES } from "./imported-record.js";
import { type LinePiece, linePieces } from "./line-pieces.js";
import { recordOfJson } from "./record-fields.js";

/** @param skippedLines number of lines at the beginning that are skipped */
export async function* ndjsonPieces(
  input: AsyncIterable<Uint8Array>,
  skippedLines = 0,
): AsyncGenerator<ImportPiece, void> {
  for await (const lines of linePieces(input, MAX_TEXT_BYTES)) yield new NdjsonPiece(lines, skippedLines);
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
      const other = line <= this.#skippedLines ? undefined : this.#recordOf(start, end, line);
      if (other !== undefined) yield other;
      start = end;
    }
  }

  #recordOf(start: number, end: number, line: number): ImportedRecord | undefined {
    const text = this.#lines.bytes.toString("utf8", start, end);
    return recordOfJson(text, { bad: (problem) => new BadRecord(line, problem) });
  }
}
