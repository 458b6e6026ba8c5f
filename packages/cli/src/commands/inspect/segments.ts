/** Shows the segments of a store, one row each. */
import { basename } from "node:path";
import type { Context } from "../../command/context.js";
import type { SegmentFile } from "../../directory/find-stores.js";
import { type SegmentPart, scanSegment } from "../../directory/scan-segment.js";
import { bytes, count, time } from "../../output/numbers.js";
import type { Column } from "../../output/table.js";

const SOUND = "sound";
const DAMAGED = "damaged";

/** The contents of a segment. */
interface Segment extends Omit<SegmentFile, "path"> {
  readonly file: string;
  batches: number;
  records: number;
  nextOffset: number;
  lastAppendTime: number | undefined;
  state: string;
}

export async function showSegments({ output, signal }: Context, files: readonly SegmentFile[]): Promise<void> {
  const total = files.reduce((sum, file) => sum + file.bytes, 0);
  const progress = await output.progress({ label: "Reading", total, unit: "bytes" });
  const rows: Segment[] = [];
  let before = 0;
  try {
    for (const { path, ...file } of files) {
      const row = { ...file, file: basename(path), ...emptySegment(file.baseOffset) };
      const last = rows.at(-1);
      if (last?.partition === row.partition && last.state !== DAMAGED) noteJump(row, last.nextOffset, row.baseOffset);
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
    state: SOUND,
  };
}

function countPart(row: ReturnType<typeof emptySegment>, part: SegmentPart): void {
  if (part.kind !== "batch") {
    if (part.kind !== "zeros") row.state = part.kind === "incomplete" ? "torn at the end" : DAMAGED;
    return;
  }
  noteJump(row, row.nextOffset, part.batch.baseOffset);
  row.batches++;
  row.records += part.batch.recordCount;
  row.nextOffset = part.batch.nextOffset;
  row.lastAppendTime = part.batch.appendTime;
}

/** A batch that is missing leaves no trace in the files but a jump of the offsets. */
function noteJump(row: { state: string }, expected: number, found: number): void {
  if (row.state !== SOUND || found === expected) return;
  if (found < expected) row.state = `offsets from ${count(found)} on occur twice`;
  else row.state = `offsets ${count(expected)} – ${count(found - 1)} are missing`;
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
  { title: "STATE", value: ({ state }) => state, format: ({ state }) => (state === SOUND ? "green" : "red") },
  { title: "FILE", value: ({ file }) => file, minWidth: 12 },
];
