/** The batches of segments, with their records or bytes. */
import { stripVTControlCharacters } from "node:util";
import { HEADER_LENGTH, type LogRecord } from "@logstore/codec";
import type { Context } from "../../command/context.js";
import { annotatedHeader, annotatedRecords } from "../../directory/annotated-bytes.js";
import type { SegmentFile } from "../../directory/find-stores.js";
import { hexLines } from "../../directory/hex-lines.js";
import { type SegmentPart, scanSegment } from "../../directory/scan-segment.js";
import { CliError } from "../../errors/cli-error.js";
import { exitCodes } from "../../errors/exit-codes.js";
import { displayWidth } from "../../output/display-width.js";
import { bytes, count, time } from "../../output/numbers.js";
import { printable } from "../../output/printable.js";

/** The batches that are shown, and their level of detail. */
export interface BatchOptions {
  readonly records?: boolean;
  readonly hex?: boolean;
  readonly offset?: number;
}

/** Prints one line for each batch, followed by the details that the options select. */
export async function showBatches(
  context: Context,
  files: readonly SegmentFile[],
  options: BatchOptions,
): Promise<void> {
  const { signal } = context;
  let isFound = false;
  for (const file of files) {
    for await (const part of scanSegment(file.path)) {
      signal.throwIfAborted();
      if (!isWanted(part, options.offset)) continue;
      isFound = true;
      await showPart(context, file, part, options);
    }
  }
  if (isFound || options.offset === undefined) return;
  throw new CliError("OFFSET_OUT_OF_RANGE", `no batch there holds offset ${options.offset}`, {
    exitCode: exitCodes.notFound,
    hint: "logstore inspect shows the offsets of each segment",
  });
}

function isWanted(part: SegmentPart, offset: number | undefined): boolean {
  if (offset === undefined) return true;
  return part.kind === "batch" && part.batch.baseOffset <= offset && offset < part.batch.nextOffset;
}

async function showPart(
  { output }: Context,
  file: SegmentFile,
  part: SegmentPart,
  options: BatchOptions,
): Promise<void> {
  const { style } = output;
  await output.result(jsonOf(file, part, options), () => {
    const lines = headlines(file, part, output.width, style);
    if (options.hex) lines.push(...hexOf(part, options.offset, output.width, style), "");
    else if (options.records && part.kind === "batch") lines.push(...recordLines(part, options.offset));
    return lines;
  });
}

type Style = Context["output"]["style"];

/** Returns one line, or two if one line is too narrow. */
function headlines({ partition }: SegmentFile, part: SegmentPart, width: number, style: Style): string[] {
  const where = `${style("dim", `partition ${partition} byte ${count(part.position)}`)}`;
  if (part.kind !== "batch") return [`${where}  ${strangeText(part, style)}`];
  const {
    baseOffset,
    nextOffset,
    recordCount,
    appendTime,
    flushedUpTo,
    producerId,
    producerEpoch,
    baseSequence,
    compression,
  } = part.batch;
  const producer =
    producerId === -1 ? "no producer id" : `producer ${producerId}/${producerEpoch} from ${baseSequence}`;
  const first = [
    `${where}  ${style("bold", `offsets ${count(baseOffset)} – ${count(nextOffset - 1)}`)}`,
    `${count(recordCount)} ${recordCount === 1 ? "record" : "records"}`,
    bytes(part.length),
    compression === "none" ? "not compressed" : String(compression),
  ].join(", ");
  const second = `appended ${time(appendTime)}, flushed up to ${count(flushedUpTo)}, ${producer}`;
  const fits = displayWidth(stripVTControlCharacters(`${first}, ${second}`)) <= width;
  return fits ? [`${first}, ${second}`] : [first, `  ${second}`];
}

function strangeText(part: Exclude<SegmentPart, { kind: "batch" }>, style: Style): string {
  const size = bytes(part.length);
  if (part.kind === "zeros") return style("dim", `${count(part.length)} zero bytes, room for the next batches`);
  if (part.kind === "incomplete") return `${style("yellow", "a batch that is not all there")}, ${size}`;
  return `${style("red", part.kind === "damage" ? "damage" : "damaged batch")}, ${size}: ${part.reason}`;
}

function hexOf(part: SegmentPart, offset: number | undefined, width: number, style: Style): string[] {
  if (part.kind === "damagedBatch") return hexLines(annotatedHeader(part.bytes), part.position, width, style);
  if (part.kind !== "batch") return [];
  const header = hexLines(annotatedHeader(part.bytes), part.position, width, style);
  const isPacked = part.batch.compression !== "none";
  const start = isPacked ? 0 : part.position + HEADER_LENGTH;
  const title = isPacked ? [style("dim", `records, decompressed from ${part.length - HEADER_LENGTH} bytes:`)] : [];
  return [...header, ...title, ...hexLines(annotatedRecords(part.batch, offset), start, width, style)];
}

function recordLines({ batch }: SegmentPart & { kind: "batch" }, offset: number | undefined): string[] {
  const text = (value: Uint8Array) =>
    printable(JSON.stringify(Buffer.from(value.buffer, value.byteOffset, value.length).toString()));
  const lines: string[] = [];
  for (const record of batch) {
    if (offset !== undefined && record.offset !== offset) continue;
    const key = record.key === null ? "null" : text(record.key);
    const headers = record.headers.map(({ name, value }) => `${printable(name)}=${text(value)}`).join(" ");
    const rest = headers === "" ? "" : `  headers ${headers}`;
    lines.push(`  ${count(record.offset)}  ${time(record.timestamp)}  key ${key}  value ${text(record.value)}${rest}`);
  }
  return lines;
}

function jsonOf({ path, partition }: SegmentFile, part: SegmentPart, { records, offset }: BatchOptions): object {
  const { kind, position, length } = part;
  const common = { file: path, partition, position, length, kind };
  if (part.kind !== "batch") return { ...common, ...("reason" in part && { reason: part.reason }) };
  const {
    baseOffset,
    nextOffset,
    recordCount,
    appendTime,
    flushedUpTo,
    producerId,
    producerEpoch,
    baseSequence,
    compression,
  } = part.batch;
  return {
    ...common,
    baseOffset,
    nextOffset,
    recordCount,
    appendTime,
    flushedUpTo,
    producerId,
    producerEpoch,
    baseSequence,
    compression,
    ...(records && {
      records: [...part.batch].filter((record) => offset === undefined || record.offset === offset).map(jsonRecord),
    }),
  };
}

function jsonRecord({ offset, timestamp, key, value, headers }: LogRecord) {
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
  return {
    offset,
    timestamp,
    key: key && base64(key),
    value: base64(value),
    headers: headers.map(({ name, value }) => ({ name, value: base64(value) })),
  };
}
