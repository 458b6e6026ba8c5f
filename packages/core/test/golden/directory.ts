/**
 * Building blocks of golden directories: partitions as a close or a crash leaves them, and their
 * expected contents.
 */
import type { ExpectedFile, ExpectedPartition, ExpectedRecord } from "./expected.ts";
import {
  batchBytes,
  checkpointBytes,
  type GoldenBatch,
  type GoldenCheckpoint,
  indexBytes,
  indexName,
  logName,
  segmentBytes,
} from "./format.ts";

/** Contents by path. */
export type Files = Readonly<Record<string, Buffer>>;

/** The batches of each segment, by its base offset. */
export type Segments = Readonly<Record<number, readonly GoldenBatch[]>>;

export const T0 = 1_700_000_000_000;

/**
 * Batches of one record each: `v<offset>`, appended one millisecond apart, each durable before the
 * next.
 */
export function plainBatches(from: number, to: number): GoldenBatch[] {
  return Array.from({ length: to - from }, (_, i) => {
    const offset = from + i;
    const records = [{ timestamp: T0 + offset, key: null, value: `v${offset}` }];
    return { baseOffset: offset, appendTime: T0 + offset, flushedUpTo: offset, records };
  });
}

export function inDirectory(directory: string, files: Files): Files {
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`${directory}/${name}`, bytes]));
}

/**
 * A partition that was closed: every segment has an index, and the checkpoint covers everything.
 */
export function closedPartition(segments: Segments, changes: Partial<GoldenCheckpoint> = {}): Files {
  const files = logsAndIndexes(segments);
  return { ...files, checkpoint: checkpointBytes({ ...atEnd(segments), ...changes }) };
}

/**
 * A partition whose writer was killed: the last segment has no index, and the checkpoint is that of
 * its beginning.
 */
export function killedPartition(segments: Segments): Files {
  const last = lastOf(segments);
  const { [indexName(last)]: _, ...files } = logsAndIndexes(segments);
  const before = Object.entries(segments).filter(([baseOffset]) => Number(baseOffset) !== last);
  const { lastAppendTime, producers } = atEnd(Object.fromEntries(before));
  const checkpoint = { ...atEnd({ [last]: [] }), lastAppendTime, producers };
  return { ...files, checkpoint: checkpointBytes(checkpoint) };
}

/** The checkpoint of a closed partition without idempotent producers. */
export function atEnd(segments: Segments): GoldenCheckpoint {
  const segment = lastOf(segments);
  const all = Object.values(segments).flat();
  const active = segments[segment] ?? [];
  return {
    logStart: 0,
    recoveryPoint: nextOffset(active) ?? segment,
    segment,
    position: segmentBytes(active).length,
    lastAppendTime: all.at(-1)?.appendTime ?? 0,
    producers: [],
    gaps: [],
  };
}

function logsAndIndexes(segments: Segments): Files {
  const all = Object.entries(segments);
  return Object.fromEntries(
    all.flatMap(([base, batches]) => [
      [logName(Number(base)), segmentBytes(batches)],
      [indexName(Number(base)), indexBytes(Number(base), batches)],
    ]),
  );
}

function lastOf(segments: Segments): number {
  return Math.max(0, ...Object.keys(segments).map(Number));
}

function nextOffset(batches: readonly GoldenBatch[]): number | undefined {
  const last = batches.at(-1);
  return last && last.baseOffset + last.records.length;
}

/** Total length of the batches. */
export function lengthOf(batches: readonly GoldenBatch[]): number {
  return batches.reduce((sum, batch) => sum + batchBytes(batch).length, 0);
}

/** A partition that can be read without an error, from `start` on. */
export function readable(
  batches: readonly GoldenBatch[],
  start = batches[0]?.baseOffset ?? 0,
  end = nextOffset(batches) ?? start,
): ExpectedPartition {
  return { start, end, records: recordsOf(batches, start, end) };
}

export function recordsOf(
  batches: readonly GoldenBatch[],
  start = 0,
  end = Number.POSITIVE_INFINITY,
): ExpectedRecord[] {
  const all = batches.flatMap(({ baseOffset, records }) =>
    records.map(({ value, ...record }, i) => ({ offset: baseOffset + i, ...record, value: shortened(value) })),
  );
  return all.filter(({ offset }) => offset >= start && offset < end);
}

function shortened(value: string): ExpectedRecord["value"] {
  const [character = ""] = value;
  return value.length > 100 && value === character.repeat(value.length) ? [value.length, character] : value;
}

/** All files stay as they are, except for those given; an undefined one is removed. */
export function afterwards(
  files: Files,
  changes: Readonly<Record<string, ExpectedFile | undefined>> = {},
): Record<string, ExpectedFile> {
  const all = { ...Object.fromEntries(Object.keys(files).map((name) => [name, "as before" as const])), ...changes };
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, ExpectedFile] => entry[1] !== undefined),
  );
}

export function hex(bytes: Buffer): { hex: string } {
  return { hex: bytes.toString("hex") };
}

/** A file with one bit flipped. */
export function flipped(bytes: Buffer, byte: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[byte]! ^= 0x40;
  return copy;
}
