import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { addAbortSignal } from "node:stream";
import type { CompressionName, Producer } from "@logstore/client";
import type { Context } from "../command/context.js";
import { CliError, UsageError } from "../errors/cli-error.js";
import { describeError } from "../errors/describe-error.js";
import { count, counted } from "../output/numbers.js";
import { BadRecord, type ImportPiece } from "../records/imported-record.js";
import { type ImportOutcome, importRecords } from "../transfer/import-records.js";

interface Options {
  readonly format?: "ndjson" | "csv" | "bilog";
  readonly create?: number;
  readonly keepPartitions?: boolean;
  readonly skipLines?: number;
  readonly jsonRows?: boolean;
  readonly keyColumn?: string;
  readonly compression?: CompressionName;
}

/** Number of bytes per read of a file. */
const READ_BYTES = 1024 * 1024;

/** One of the inputs. */
interface Source {
  readonly name: string;
  readonly format: "ndjson" | "csv" | "bilog";
  /** Undefined for stdin. */
  readonly bytes: number | undefined;
}

/** An import that ends early reports up to which line everything is stored, and how to continue. */
export async function run(context: Context, options: Options, topic: string, names: string[]): Promise<void> {
  const { output } = context;
  const sources = await Promise.all((names.length === 0 ? ["-"] : names).map((name) => sourceOf(name, options)));
  if (options.skipLines !== undefined && sources[0]!.format === "bilog") {
    throw new UsageError(`${sources[0]!.name} is a directory, which has no lines for --skip-lines`);
  }
  const { client } = await context.open();
  if (options.create !== undefined) await client.ensureTopic(topic, { partitions: options.create });
  await client.describeTopic(topic); // reports a missing topic before anything is read
  const producer = client.producer(
    topic,
    options.compression === undefined ? {} : { compression: options.compression },
  );
  const sizes = sources.map(({ bytes }) => bytes);
  const total = sizes.some((bytes) => bytes === undefined)
    ? undefined
    : sizes.reduce<number>((sum, bytes) => sum + bytes!, 0);
  const progress = await output.progress({ label: `Importing ${topic}`, total, unit: "bytes" });
  let records = 0;
  let lines = 0;
  let done = 0;
  try {
    for (const [i, source] of sources.entries()) {
      if (source.format === "bilog") {
        const { importBilogDirectory } = await import("../transfer/import-bilog-directory.js");
        records += await importBilogDirectory(context, source.name, client, topic);
        continue;
      }
      const onStored = (_: number, bytes: number) => {
        done += bytes;
        progress.update(done);
      };
      const skipLines = i === 0 ? (options.skipLines ?? 0) : 0;
      const outcome = await importSource(context, source, producer, { ...options, skipLines }, onStored);
      records += outcome.records;
      lines += outcome.storedLine;
      if (outcome.failure !== undefined) throw failureOf(context, source, outcome, i < sources.length - 1);
    }
  } finally {
    progress.end();
  }
  await output.result({ topic, records, lines }, () => `imported ${counted(records, "record")} into ${topic}`);
}

async function importSource(
  { signal, stdin }: Context,
  { name, format }: Source,
  producer: Producer,
  options: Options & { readonly skipLines: number },
  onStored: (records: number, bytes: number) => void,
): Promise<ImportOutcome> {
  const input = addAbortSignal(signal, name === "-" ? stdin : createReadStream(name, { highWaterMark: READ_BYTES }));
  const { keepPartitions = false, skipLines } = options;
  const pieces = await piecesOf(format, input, options);
  return importRecords(pieces, producer, { signal, keepPartitions, skippedLines: skipLines, onStored });
}

async function piecesOf(
  format: Source["format"],
  input: AsyncIterable<Uint8Array>,
  { skipLines, jsonRows = false, keyColumn }: Options & { readonly skipLines: number },
): Promise<AsyncIterable<ImportPiece>> {
  if (format === "csv") {
    const { csvPieces } = await import("../records/csv-reader.js");
    return csvPieces(input, { skippedLines: skipLines, jsonRows, keyColumn });
  }
  const { ndjsonPieces } = await import("../records/ndjson-reader.js");
  return ndjsonPieces(input, skipLines);
}

/** The error states what is stored, and how to continue. */
function failureOf(
  { output, signal }: Context,
  { name }: Source,
  { storedLine, sentLine, failure }: ImportOutcome,
  isFollowed: boolean,
): unknown {
  const from = name === "-" ? "the input" : name;
  const stored =
    storedLine === 0
      ? `no line of ${from} is known to be stored`
      : `lines 1 to ${count(storedLine)} of ${from} are stored`;
  const open = sentLine > storedLine ? `; of lines ${count(storedLine + 1)} to ${count(sentLine)} some may be` : "";
  const goOn = `go on with --skip-lines ${storedLine}${isFollowed ? ` and the files from ${name} on` : ""}`;
  const error = failure!.error;
  if (signal.aborted) {
    output.warn(`${stored}${open}; ${goOn}`);
    return error;
  }
  const { code, message, exitCode } = describeError(error);
  const isBad = error instanceof BadRecord;
  return new CliError(isBad ? "BAD_RECORD" : code, `${name === "-" ? "" : `${name}: `}${message} (${stored}${open})`, {
    cause: error,
    exitCode,
    hint: `${isBad ? "mend the line and " : ""}${goOn}`,
  });
}

async function sourceOf(name: string, { format }: Options): Promise<Source> {
  if (name === "-") return { name, format: format ?? "ndjson", bytes: undefined };
  let found: Awaited<ReturnType<typeof stat>>;
  try {
    found = await stat(name);
  } catch (error) {
    throw new UsageError(`${name} cannot be read: ${(error as Error).message}`, { cause: error });
  }
  if (found.isDirectory()) {
    if (format === undefined || format === "bilog") return { name, format: "bilog", bytes: undefined };
    throw new UsageError(`${name} is a directory, and ${format} comes from files`);
  }
  return { name, format: format ?? (name.endsWith(".csv") ? "csv" : "ndjson"), bytes: found.size };
}
