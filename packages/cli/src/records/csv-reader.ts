/** Reads records from CSV, as packages/cli/README.md describes it. */
import { Readable } from "node:stream";
import { CsvError, type Info, parse } from "csv-parse";
import { BadRecord, type ImportedRecord, type ImportPiece, MAX_TEXT_BYTES } from "./imported-record.js";
import { recordOfFields } from "./record-fields.js";

/** Options of {@link csvPieces}. */
export interface CsvOptions {
  /** Number of lines at the beginning that are skipped; the heading counts. */
  readonly skippedLines: number;
  /** Whether each row becomes a JSON object; otherwise the column `value` has the value. */
  readonly jsonRows: boolean;
  /** With `jsonRows`, the column that has the key; undefined for records without a key. */
  readonly keyColumn: string | undefined;
}

type Row = Readonly<Record<string, string>>;

interface NumberedRow {
  /** The last line of the row. */
  readonly line: number;
  readonly row: Row;
}

const ROWS_A_PIECE = 1_000;

/**
 * Yields the rows of a file in pieces. Line numbers are those of the file, because a quoted value
 * may span several lines.
 *
 * @throws BadRecord for a row that is not CSV, after the rows before it
 */
export async function* csvPieces(
  input: AsyncIterable<Uint8Array>,
  options: CsvOptions,
): AsyncGenerator<ImportPiece, void> {
  const parser = parse({ columns: true, bom: true, info: true, max_record_size: MAX_TEXT_BYTES });
  const source = Readable.from(input);
  source.on("error", (error) => parser.destroy(error));
  source.pipe(parser);
  let rows: NumberedRow[] = [];
  let bytesBefore = 0;
  let lineBefore = 1;
  const piece = (): ImportPiece => {
    const last = rows.at(-1)!;
    const { bytes } = parser.info;
    const taken = new CsvPiece(rows, lineBefore, bytes - bytesBefore, options);
    rows = [];
    bytesBefore = bytes;
    lineBefore = last.line;
    return taken;
  };
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: Row; info: Info }>) {
      rows.push({ line: info.lines, row: record });
      if (rows.length === ROWS_A_PIECE) yield piece();
    }
  } catch (error) {
    if (rows.length > 0) yield piece(); // the rows read before are valid
    if (error instanceof CsvError) throw new BadRecord(Number(error["lines"] ?? lineBefore + 1), error.message);
    throw error;
  }
  if (rows.length > 0) yield piece();
}

class CsvPiece implements ImportPiece {
  readonly bytes: number;
  lastLine: number;
  readonly #rows: readonly NumberedRow[];
  readonly #options: CsvOptions;

  constructor(rows: readonly NumberedRow[], lineBefore: number, bytes: number, options: CsvOptions) {
    this.#rows = rows;
    this.#options = options;
    this.bytes = bytes;
    this.lastLine = lineBefore;
  }

  *[Symbol.iterator](): Generator<ImportedRecord, void> {
    for (const { line, row } of this.#rows) {
      if (line > this.#options.skippedLines) yield recordOfRow(row, line, this.#options);
      this.lastLine = line;
    }
  }
}

/** @throws BadRecord */
function recordOfRow(row: Row, line: number, { jsonRows, keyColumn }: CsvOptions): ImportedRecord {
  if (jsonRows) return jsonRecord(row, line, keyColumn);
  const { key, value, timestamp, headers, partition, keyEncoding, valueEncoding } = row;
  if (value === undefined) {
    throw new BadRecord(line, 'there is no column "value"; with --json-rows each row becomes a JSON object');
  }
  const fields = {
    ...(keyEncoding === "base64" ? { keyBase64: key } : { key: key === "" && keyEncoding !== "utf8" ? null : key }),
    ...(valueEncoding === "base64" ? { valueBase64: value } : { value }),
    timestamp: timestamp && (/^-?\d+$/.test(timestamp) ? Number(timestamp) : timestamp),
    headers: headers && parsedHeaders(headers, line),
    partition: partition && Number(partition),
  };
  const given = Object.entries(fields).filter(([name, each]) => each !== "" || /^(key|value)/.test(name));
  return recordOfFields(Object.fromEntries(given), { bad: (problem) => new BadRecord(line, problem) });
}

function jsonRecord(row: Row, line: number, keyColumn: string | undefined): ImportedRecord {
  const key = keyColumn === undefined ? null : row[keyColumn];
  if (key === undefined) {
    throw new BadRecord(line, `there is no column ${keyColumn}, only ${Object.keys(row).join(", ")}`);
  }
  return { key, value: JSON.stringify(row), timestamp: undefined, headers: undefined, partition: undefined };
}

function parsedHeaders(text: string, line: number): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadRecord(line, `the headers must be a JSON list such as [{"name":"n","value":"v"}], not ${text}`);
  }
}
