/** Defects of deletion, retention, verification and repair of a partition. */
import {
  DELETION,
  FULL_DISK,
  GOLDEN,
  POWER_CUTS,
  RECOVERY,
  REPAIR,
  RETENTION,
  STORE_SNAPSHOT,
  SWEEP,
} from "./catchers.ts";
import { type Defect, within } from "./defect.ts";

export const coreUpkeepDefects: readonly Defect[] = [
  ...within("core/partition/file-partition-log.ts", [POWER_CUTS, DELETION, RECOVERY, GOLDEN, SWEEP], {
    "leaves leftovers for ever": ["await log.#writing.upkeep.removeLeftovers(startFiles);", ""],
    "checkpoints after a failure": [
      "!this.#isAbandoned && this.damage === undefined && this.failure === undefined",
      "!this.#isAbandoned && this.damage === undefined",
    ],
    "does not miss what was given, when it verifies": [
      "Math.max(this.expectedEnd, this.offsets.highWatermark)",
      "this.offsets.highWatermark",
    ],
    "removes leftovers of a damaged log": ["if (this.damage !== undefined) return false;", ""],
  }),
  ...within("core/partition/partition-writing.ts", [DELETION, RETENTION], {
    "keeps everything when it rolls": [
      "void this.#log.applyRetention().catch(() => {}); // it is tried again later",
      "",
    ],
  }),
  ...within("core/partition/upkeep/partition-upkeep.ts", [POWER_CUTS, DELETION, RECOVERY, GOLDEN, SWEEP], {
    "removes leftovers that the checkpoint names": [
      "await writer.checkpoint(logStart); // the last one may refer to a segment that is being removed",
      "{}",
    ],
  }),
  ...within("core/partition/upkeep/delete-records.ts", [FULL_DISK, DELETION, POWER_CUTS, SWEEP], {
    "removes files before the checkpoint": [
      "if (offset <= log.offsets.logStart) return;\n  await writer.sync();",
      "if (offset <= log.offsets.logStart) return;\n  await removeSegments(deletion.home, log.segments.takeBefore(offset));\n  await writer.sync();",
    ],
    "writes a checkpoint before the sync": ["await writer.sync();\n  try {", "try {"],
    "moves the start before it is noted": [
      "await writer.sync();\n  try {",
      "await writer.sync();\n  log.offsets.startAt(offset);\n  try {",
    ],
    "notes no new start": ["await writer.checkpoint(offset);", ""],
    "says that nothing was deleted where that is not known": [
      "if (cause instanceof ReplacedNotDurableError) throw cause;",
      "",
    ],
    "does not delete on a full disk": ["if (!isDiskFull(cause)) throw error;", "if (cause) throw error;"],
    "removes the newest first": [
      "for (const segment of segments) await segment.remove();",
      "for (const segment of segments.toReversed()) await segment.remove();",
    ],
    "does not sync the removal": ["await home.storage.syncDirectory(home.directory);\n  } catch", "} catch"],
    "tells other processes nothing": [
      "await publishBounds(partition, offset, log.offsets.highWatermark);",
      "void publishBounds;",
      "waits for tests",
    ],
    "rolls what is not too old": ["if (writer.lastAppendTime < home.storage.now() - retentionMs) await", "await"],
    "judges a segment by its oldest record": ["await timeOf(log, segments[i + 1]!,", "await timeOf(log, segments[i]!,"],
    "leaves the active segment's bytes out": ["[...ages, kept]", "[...ages, { ...kept, sizeBytes: 0 }]"],
  }),
  ...within("core/partition/upkeep/retention-policy.ts", [RETENTION, DELETION], {
    "deletes a moment early": ["newestTime < nowMs - retentionMs", "newestTime <= nowMs - retentionMs"],
    "keeps a segment too many": ["keptBytes - sizeBytes >= retentionBytes", "keptBytes - sizeBytes > retentionBytes"],
    "keeps less than it should": ["keptBytes - sizeBytes >= retentionBytes", "keptBytes >= retentionBytes"],
    "does not count what goes": ["keptBytes -= sizeBytes;", ""],
  }),
  ...within("core/partition/upkeep/walk-segment.ts", [GOLDEN], {
    "goes on at a batch whose records are damaged": [
      "nextOffset: undefined, limits, verify: true, chunkBytes: 1 }",
      "nextOffset: undefined, limits, verify: false, chunkBytes: 1 }",
      "waits for tests",
    ],
    "goes on within a value": ["of ofThisLog(found, limitOffset)", "of found", "waits for tests"],
    "ends at the first damage": ["position = nextPosition;", "position = end;"],
  }),
  ...within("core/partition/upkeep/verify-log.ts", [REPAIR, GOLDEN, SWEEP], {
    "passes over an overlap": [
      "if (before !== undefined && segment.baseOffset < nextOffset) yield overlap(log, segment, before, nextOffset);",
      "",
    ],
    "calls zeros ahead damage": ["const mayEndInZeros = next === undefined;", "const mayEndInZeros = false;"],
    "lets zeros be anywhere": ["const mayEndInZeros = next === undefined;", "const mayEndInZeros = true;"],
    "does not miss the end": ["if (last !== undefined && this.#nextOffset < expectedEnd) {", "if (false) {"],
    "does not miss the start": [
      "if (segments[0] !== undefined && segments[0].baseOffset > log.offsets.logStart) {",
      "if (false) {",
    ],
    "calls a gap damage": [
      "if (isGap(log.gaps, this.#nextOffset, segment.baseOffset)) this.#nextOffset = segment.baseOffset;",
      "",
    ],
    "takes any index for right": ["isWhole ? await segment.indexFile.fault(index) : undefined", "undefined"],
    "checks nothing of a damaged log": [
      "return await (log.damage === undefined ? segment.visibleSize() : segment.size());",
      "return await segment.visibleSize();",
    ],
  }),
  ...within("core/partition/upkeep/repair-log.ts", [REPAIR, STORE_SNAPSHOT, GOLDEN], {
    "repairs an overlap": ['filter(({ kind }) => kind !== "overlap")', "filter(({ kind }) => kind !== undefined)"],
    "notes no end before it cuts": ["await noteEnd(home, end);", "", "waits for tests"],
    "cuts the first damage first": ["of [...damages].reverse())", "of damages)", "waits for tests"],
    "cuts a file that a snapshot has": [
      "await segment.replace(byte);",
      "await source.truncate(byte);\n    await source.sync();",
    ],
    "saves no damaged bytes": ["if (savedAs !== undefined) {", "if (savedAs === null) {", "waits for tests"],
    "throws away what is sound behind the damage": [
      "await moveRest(home, source, byte + length, end, nextOffset!);",
      "",
    ],
    "leaves the index of what it cut": ["await segment.indexFile.remove();\n    if", "if"],
    "notes no gap": ["if (baseOffset > nextOffset) gaps.push([nextOffset, baseOffset]);", ""],
    "gives lost offsets again": ["if (last === undefined || nextOffset < end) {", "if (last === undefined) {"],
    "forgets the producers": ["producers.appended(batch);", "", "waits for tests"],
    "forgets the producers of what was deleted": ["new ProducerState(old)", "new ProducerState()", "waits for tests"],
    "takes back the log's start": [
      "logStart: Math.max(before?.logStart ?? 0, start),",
      "logStart: start,",
      "waits for tests",
    ],
  }),
];
