import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { HEADER_LENGTH, type LogRecord } from "@logstore/codec";
import type { Context } from "../../command/context.js";
import { annotatedHeader, annotatedRecords } from "../../directory/annotated-bytes.js";
import { type FoundStore, findStores, type SegmentFile, segmentFiles, storeName } from "../../directory/find-stores.js";
import { hexLines } from "../../directory/hex-lines.js";
import { type SegmentPart, scanSegment } from "../../directory/scan-segment.js";
import { CliError, UsageError } from "../../errors/cli-error.js";
import { exitCodes } from "../../errors/exit-codes.js";
import { bytes, count, time } from "../../output/numbers.js";
import type { Column } from "../../output/table.js";

interface Options {
  readonly topic?: string;
  readonly partitions?: readonly number[];
  readonly batches?: boolean;
  readonly records?: boolean;
  readonly hex?: boolean;
  readonly offset?: number;
}

/** A directory is shown from afar, and its segments, batches and records as the options ask. */
export async function run(context: Context, options: Options, path: string): Promise<void> {
  if ((await fileSize(path)) !== undefined) return showBatches(context, [await segmentAt(path)], options);
  const { kind, stores } = await findStores(path, options.topic);
  const isDeep = options.batches || options.records || options.hex || options.offset !== undefined;
  if (kind === "server" && options.topic === undefined) {
    if (isDeep) throw new UsageError("which topic?", { hint: "add --topic, or name a segment file" });
    return showTopics(context, stores, path);
  }
  const segments = await segmentFiles(stores[0]!.directory, options.partitions);
  return isDeep ? showBatches(context, segments, options) : showSegments(context, segments);
}

async function showTopics({ output }: Context, stores: readonly FoundStore[], path: string): Promise<void> {
  const rows = await Promise.all(
    stores.map(async (store) => {
      const segments = await segmentFiles(store.directory);
      return {
        topic: storeName(store),
        directory: store.directory,
        partitions: new Set(segments.map(({ partition }) => partition)).size,
        segments: segments.length,
        bytes: segments.reduce((sum, segment) => sum + segment.bytes, 0),
      };
    }),
  );
  await output.list(
    rows,
    [
      { title: "TOPIC", value: ({ topic }) => topic, minWidth: 12 },
      { title: "PARTITIONS", value: ({ partitions }) => count(partitions), align: "right" },
      { title: "SEGMENTS", value: ({ segments }) => count(segments), align: "right" },
      { title: "SIZE", value: (row) => bytes(row.bytes), align: "right" },
      { title: "DIRECTORY", value: ({ directory }) => directory, minWidth: 20 },
    ],
    `${path} has no topics`,
  );
}

/** What a segment holds. */
interface Segment extends Omit<SegmentFile, "path"> {
  readonly file: string;
  batches: number;
  records: number;
  nextOffset: number;
  lastAppendTime: number | undefined;
  state: string;
}

async function showSegments({ output, signal }: Context, files: readonly SegmentFile[]): Promise<void> {
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  const progress = await output.progress({ label: "Reading", total, unit: "bytes" });
  const rows: Segment[] = [];
  let before = 0;
  try {
    for (const { path, ...file } of files) {
      const row = { ...file, file: basename(path), ...emptySegment(file.baseOffset) };
      for await (const part of scanSegment(path)) {
        signal.throwIfAborted();
        progress.update(before + part.position);
        countPart(row, part);
      }
      before += file.bytes;
      rows.push(row);
    }
  } finally {
    progress.end();
  }
  await output.list(rows, segmentColumns, "no partition holds anything yet");
}

function emptySegment(baseOffset: number) {
  return {
    batches: 0,
    records: 0,
    nextOffset: baseOffset,
    lastAppendTime: undefined as number | undefined,
    state: "sound",
  };
}

function countPart(row: ReturnType<typeof emptySegment>, part: SegmentPart): void {
  if (part.kind !== "batch") {
    if (part.kind !== "zeros") row.state = part.kind === "incomplete" ? "torn at the end" : "damaged";
    return;
  }
  row.batches++;
  row.records += part.batch.recordCount;
  row.nextOffset = part.batch.nextOffset;
  row.lastAppendTime = part.batch.appendTime;
}

const segmentColumns: readonly Column<Segment>[] = [
  { title: "PARTITION", value: ({ partition }) => String(partition), align: "right" },
  {
    title: "OFFSETS",
    value: ({ baseOffset, nextOffset }) => `${count(baseOffset)} – ${count(nextOffset)}`,
    align: "right",
  },
  { title: "RECORDS", value: ({ records }) => count(records), align: "right" },
  { title: "BATCHES", value: ({ batches }) => count(batches), align: "right" },
  { title: "SIZE", value: (row) => bytes(row.bytes), align: "right" },
  {
    title: "LAST APPEND",
    value: ({ lastAppendTime }) => (lastAppendTime === undefined ? undefined : time(lastAppendTime)),
    isOptional: true,
    minWidth: 16,
  },
  { title: "STATE", value: ({ state }) => state, format: ({ state }) => (state === "sound" ? "green" : "red") },
  { title: "FILE", value: ({ file }) => file, minWidth: 12 },
];

/** One line a batch, and below it what the options ask for. */
async function showBatches(context: Context, files: readonly SegmentFile[], options: Options): Promise<void> {
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

async function showPart({ output }: Context, file: SegmentFile, part: SegmentPart, options: Options): Promise<void> {
  const { style } = output;
  await output.result(jsonOf(file, part, options), () => {
    const lines = [headline(file, part, style)];
    if (options.hex) lines.push(...hexOf(part, output.width, style), "");
    else if (options.records && part.kind === "batch") lines.push(...recordLines(part, options.offset));
    return lines;
  });
}

type Style = Context["output"]["style"];

function headline({ partition }: SegmentFile, part: SegmentPart, style: Style): string {
  const where = `${style("dim", `partition ${partition} byte ${count(part.position)}`)}`;
  if (part.kind === "zeros")
    return `${where}  ${style("dim", `${count(part.length)} zero bytes, room for the next batches`)}`;
  if (part.kind === "incomplete")
    return `${where}  ${style("yellow", "a batch that is not all there")}, ${bytes(part.length)}`;
  if (part.kind === "damage") return `${where}  ${style("red", "damage")}, ${bytes(part.length)}: ${part.reason}`;
  if (part.kind === "damagedBatch")
    return `${where}  ${style("red", "damaged batch")}, ${bytes(part.length)}: ${part.reason}`;
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
  return [
    `${where}  ${style("bold", `offsets ${count(baseOffset)} – ${count(nextOffset - 1)}`)}`,
    `${count(recordCount)} ${recordCount === 1 ? "record" : "records"}`,
    bytes(part.length),
    compression === "none" ? "not compressed" : String(compression),
    `appended ${time(appendTime)}`,
    `flushed up to ${count(flushedUpTo)}`,
    producer,
  ].join(", ");
}

function hexOf(part: SegmentPart, width: number, style: Style): string[] {
  if (part.kind === "damagedBatch") return hexLines(annotatedHeader(part.bytes), part.position, width, style);
  if (part.kind !== "batch") return [];
  const header = hexLines(annotatedHeader(part.bytes), part.position, width, style);
  const isPacked = part.batch.compression !== "none";
  const start = isPacked ? 0 : part.position + HEADER_LENGTH;
  const title = isPacked ? [style("dim", `records, decompressed from ${part.length - HEADER_LENGTH} bytes:`)] : [];
  return [...header, ...title, ...hexLines(annotatedRecords(part.batch), start, width, style)];
}

function recordLines({ batch }: SegmentPart & { kind: "batch" }, offset: number | undefined): string[] {
  const text = (value: Uint8Array) =>
    JSON.stringify(Buffer.from(value.buffer, value.byteOffset, value.length).toString());
  const lines: string[] = [];
  for (const record of batch) {
    if (offset !== undefined && record.offset !== offset) continue;
    const key = record.key === null ? "null" : text(record.key);
    const headers = record.headers.map(({ name, value }) => `${name}=${text(value)}`).join(" ");
    const rest = headers === "" ? "" : `  headers ${headers}`;
    lines.push(`  ${count(record.offset)}  ${time(record.timestamp)}  key ${key}  value ${text(record.value)}${rest}`);
  }
  return lines;
}

function jsonOf({ path, partition }: SegmentFile, part: SegmentPart, { records, offset }: Options): object {
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

async function fileSize(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch {
    return undefined; // findStores says what is wrong
  }
}

async function segmentAt(path: string): Promise<SegmentFile> {
  const partition = Number(basename(dirname(path)));
  const baseOffset = Number(/^\d{20}(?=\.log$)/.exec(basename(path))?.[0]);
  if (Number.isSafeInteger(baseOffset)) {
    return {
      path,
      partition: Number.isSafeInteger(partition) ? partition : 0,
      baseOffset,
      bytes: (await fileSize(path)) ?? 0,
    };
  }
  throw new UsageError(`${path} is no segment: their names are 20 digits and .log`);
}
