/** Defects of segments and their indexes. */
import {
  DELETION,
  FAULTS,
  GOLDEN,
  POWER_CUTS,
  RECOVERY,
  REPAIR,
  SEGMENTS,
  SNAPSHOTS,
  STORE,
  SWEEP,
} from "./catchers.ts";
import { type Defect, within } from "./defect.ts";

export const coreSegmentDefects: readonly Defect[] = [
  ...within("core/segment/scan-segment.ts", [RECOVERY, SEGMENTS], {
    "does not check that offsets follow": [
      "if (nextOffset !== undefined && batch.baseOffset !== nextOffset) {",
      "if (false) {",
    ],
  }),
  ...within("core/segment/segment.ts", [REPAIR, GOLDEN], {
    "lets readers see what is not published": ["return this.#visibleSize ?? this.size();", "return this.size();"],
  }),
  ...within("core/segment/segment.ts", [SNAPSHOTS, POWER_CUTS, FAULTS, SEGMENTS, STORE, DELETION, SWEEP], {
    "does not sync a new segment's name": ["await home.storage.syncDirectory(home.directory);", ""],
    "cuts no zeros": ["await (await this.file()).truncate(size);", ""],
    "forgets the zeros that it wrote": ["this.#zerosTo = end + ahead;", "this.#zerosTo = end;"],
    "counts the zeros as log": ["this.#size = position;", "this.#size = Math.max(position, this.#zerosTo);"],
    "removes a log before its index": [
      "await this.indexFile.remove();\n    await this.#home.storage.remove(this.path);",
      "await this.#home.storage.remove(this.path);\n    await this.indexFile.remove();",
    ],
  }),
  ...within("core/segment/lazy-file.ts", [SEGMENTS], {
    "closes a file that is being read": ["await Promise.allSettled(this.#reading ?? []);", "", "waits for tests"],
  }),
  ...within("core/segment/segment-index.ts", [SNAPSHOTS, SEGMENTS], {
    "writes over an index that a snapshot has": [
      "await this.#home.storage.remove(this.path);\n    const file",
      "const file",
    ],
  }),
  ...within("core/segment/zeros-ahead.ts", ["src/segment/zeros-ahead.test.ts", POWER_CUTS, GOLDEN], {
    "writes zeros beyond the segment's end": ["sizeBytes, segmentBytes - sizeBytes)", "sizeBytes)"],
    "writes more zeros than there is log": [
      "Math.min(MAX_ZEROS_BYTES, sizeBytes, segmentBytes",
      "Math.min(MAX_ZEROS_BYTES, segmentBytes",
    ],
    "writes zeros behind large groups": ["if (groupBytes > MAX_GROUP_BYTES) return 0;", ""],
    "writes what is not zero": ["new Uint8Array(MAX_ZEROS_BYTES)", "new Uint8Array(MAX_ZEROS_BYTES).fill(1)"],
  }),
  ...within("core/segment/segment-list.ts", [DELETION, SEGMENTS, STORE], {
    "finds the segment before": [
      "this.#segments[middle]!.baseOffset > offset",
      "this.#segments[middle]!.baseOffset >= offset",
    ],
    "removes the segment that holds the start": [
      "this.#segments[count + 1]!.baseOffset <= offset",
      "this.#segments[count]!.baseOffset < offset",
    ],
  }),
  ...within("core/segment/roll-policy.ts", ["src/segment/roll-policy.test.ts", SEGMENTS], {
    "rolls one byte early": ["sizeBytes + groupBytes > segmentBytes", "sizeBytes + groupBytes >= segmentBytes"],
  }),
  ...within("core/segment/sparse-index.ts", [SEGMENTS, GOLDEN], {
    "trusts a stale index": [" || Number(file.readBigUInt64LE(16)) !== logBytes", ""],
    "trusts another segment's index": ["Number(file.readBigUInt64LE(8)) !== baseOffset || ", ""],
    "does not check the index's checksum": [
      "if (file.readUInt32LE(end) !== crc32c(file, 0, end)) return undefined;",
      "",
    ],
    "seeks a time one batch late": ["firstAbove(this.#appendTimes, time - 1)", "firstAbove(this.#appendTimes, time)"],
    "seeks an offset one entry late": ["firstAbove(this.#offsets, offset) - 1", "firstAbove(this.#offsets, offset)"],
  }),
];
