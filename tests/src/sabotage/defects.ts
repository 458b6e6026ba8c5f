/**
 * Defects that somebody might build into the engine, each a small edit of one file: what is there, and what stands there instead.
 * The tests must catch every one. A text that is not there exactly once stops the run: then the engine has changed, and the edit
 * is to be made again.
 */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source text

export interface Defect {
  readonly name: string;
  /** Relative to the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly package: "codec" | "core";
  /** Test files of that package that will likely catch it: they are run first. */
  readonly catchers: readonly string[];
}

type Edits = Readonly<Record<string, readonly [find: string, replace: string]>>;

function within(path: `${Defect["package"]}/${string}`, catchers: readonly string[], edits: Edits): Defect[] {
  const [name, ...rest] = path.split("/");
  const file = ["packages", name, "src", ...rest].join("/");
  return Object.entries(edits).map(([defect, [find, replace]]) => ({
    name: defect,
    file,
    find,
    replace,
    package: name as Defect["package"],
    catchers,
  }));
}

const RECOVERY = "src/partition/recovery.test.ts";
const FAULTS = "src/partition/storage-faults.test.ts";
const SEGMENTS = "src/segment/segments.test.ts";
const PRODUCERS = "src/partition/producers.test.ts";
const STORE = "src/store/log-store.test.ts";
const CLOSING = "test/closing.test.ts";
const DAMAGE = "test/damage/";

export const defects: readonly Defect[] = [
  ...within("core/partition/recovery.ts", [RECOVERY, DAMAGE, SEGMENTS], {
    "cuts at the first bad batch, whatever follows": [
      "if (!isLast || nextOffset < durableOffset || lostSegment !== undefined || isNewer) return damaged(error);",
      "if (!isLast) return damaged(error);",
    ],
    "looks for no proof behind the damage": [
      "durableOffset = Math.max(durableOffset, await durableOffsetAfter(file, position, size, nextOffset));",
      "",
    ],
    "takes a batch within a value for proof": [
      "at = bytes.indexOf(FORMAT_MARK, at + Math.max(1, header?.batchLength ?? 1));",
      "at = bytes.indexOf(FORMAT_MARK, at + 1);",
    ],
    "recovers without verifying the records": [
      "{ position, end: size, nextOffset, limits, verify: true }",
      "{ position, end: size, nextOffset, limits, verify: false }",
    ],
    "forgets the checkpoint's producers": ["new ProducerState(checkpoint?.producers)", "new ProducerState()"],
    "forgets the producers behind the checkpoint": ["producers.appended(batch);", ""],
    "forgets the checkpoint's append time": ["checkpoint?.lastAppendTime ?? 0", "0"],
    "forgets that the checkpoint proved more": ["input.checkpoint?.recoveryPoint ?? 0", "0"],
    "believes a checkpoint beyond the file's end": ["(await segment.size()) < checkpoint.position", "false"],
    "cuts without saving": ["await saved.write([tail], 0);", ""],
    "does not sync what it saved": ["await saved.sync();", ""],
    "does not sync the name of what it saved": [
      "await storage.syncDirectory(directory);\n  await file.truncate(position);",
      "await file.truncate(position);",
    ],
    "does not sync the cut": ["await file.truncate(position);\n  await file.sync();", "await file.truncate(position);"],
    "does not sync what it found": ["if (nextOffset > startOffset) await file.sync();", ""],
    "does not sync the name of what it found": [
      "if (nextOffset > startOffset || size === 0) await input.storage.syncDirectory(input.directory);",
      "",
    ],
    "does not miss what the checkpoint proved": [
      "if (isLast && nextOffset < durableOffset) return",
      "if (false) return",
    ],
    "does not miss the last segment": ["if (isLast && lostSegment !== undefined) {", "if (false) {"],
    "does not miss the end of a segment before the next": [
      "if (position === 0 && segment.baseOffset !== nextOffset)",
      "if (false)",
    ],
    "cuts what a newer release wrote": ['error.code === "UNSUPPORTED_FORMAT_VERSION"', "false"],
  }),
  ...within("core/segment/scan-segment.ts", [RECOVERY, SEGMENTS], {
    "does not check that offsets follow": [
      "if (nextOffset !== undefined && batch.baseOffset !== nextOffset) {",
      "if (false) {",
    ],
  }),
  ...within("core/files/checked-json.ts", [DAMAGE, RECOVERY], {
    "does not check the checkpoint's checksum": [
      'if (end === 0 || bytes.toString("latin1", end) !== `${hexCrc(bytes.subarray(0, end))}\\n`) return undefined;',
      "if (end === 0) return undefined;",
    ],
  }),
  ...within("core/files/checkpoint-file.ts", [RECOVERY, DAMAGE], {
    "reads a newer checkpoint": ["parsed?.formatVersion === CHECKPOINT_FORMAT_VERSION ? parsed : undefined", "parsed"],
  }),
  ...within("core/storage/atomic-file.ts", [FAULTS], {
    "renames before it syncs": ["await file.sync();", ""],
    "does not sync a rename": ["await storage.syncDirectory(directory);", ""],
    "writes over the file itself": [
      "await storage.rename(temporary, `${directory}/${name}`);",
      "const whole = await storage.createFile(`${directory}/${name}`); await whole.write([content], 0); await whole.close();",
    ],
  }),
  ...within("core/partition/log-writer.ts", [FAULTS, PRODUCERS, STORE, CLOSING], {
    "acknowledges before the sync": [
      "if (wantsFlush && offsets.flushedUpTo < offsets.logEnd) await this.#sync(segments.active!);",
      "if (wantsFlush && offsets.flushedUpTo < offsets.logEnd) void this.#sync(segments.active!).catch(() => {});",
    ],
    "publishes before the sync": [
      "if (wantsFlush && offsets.flushedUpTo < offsets.logEnd) await",
      "segments.active?.publish(); offsets.publish();\n    if (wantsFlush && offsets.flushedUpTo < offsets.logEnd) await",
    ],
    "calls a duplicate flushed that is not": [
      "if (wantsFlush && offsets.flushedUpTo < offsets.logEnd) await",
      "if (wantsFlush && accepted.length > 0) await",
    ],
    "writes the checkpoint before the sync": [
      "await this.#sync(active);\n    await active.writeIndex();\n    await this.#checkpoint(active);",
      "await active.writeIndex();\n    await this.#checkpoint(active);\n    await this.#sync(active);",
    ],
    "rolls without a sync": [
      "await this.#sync(active);\n      await active.writeIndex();\n    }",
      "await active.writeIndex();\n    }",
    ],
    "does not wait for the sync behind the writer": ["await this.#flushBehind.settle();", ""],
    "goes on after a sync behind the writer failed": ["this.#flushBehind.check();", ""],
    "claims that a batch makes itself durable": [
      "const { flushedUpTo } = this.#log.offsets;",
      "const flushedUpTo = logEnd;",
    ],
    "follows a clock that jumps back": ["Math.max(this.#storage.now(), this.#lastAppendTime)", "this.#storage.now()"],
    "leaves a gap for what it refuses": ["logEnd: end,", "logEnd: end + (known.length > accepted.length ? 1 : 0),"],
    "ignores the expected offset": ["isNew && expectedOffset !== undefined && expectedOffset !== logEnd", "false"],
    "keeps no checkpoint when it rolls": [
      "this.#log.segments.add(segment);\n    await this.#checkpoint(segment);",
      "this.#log.segments.add(segment);",
    ],
    "checkpoints the segment before": ["segment: active.baseOffset,", "segment: this.#log.segments.first!.baseOffset,"],
  }),
  ...within("core/partition/group-commit.ts", [FAULTS, "test/faults/"], {
    "tries again after a failed sync": [
      "this.#failure ??= storageFailed(cause);\n        for (const append of group) append.reject(this.#failure);\n        this.#queue.rejectAll(this.#failure);",
      "for (const append of group) append.reject(storageFailed(cause));",
    ],
    "lets the next group through after a failure": ["this.#queue.rejectAll(this.#failure);", ""],
  }),
  ...within("core/partition/flush-behind.ts", [FAULTS], {
    "ignores a sync behind the writer that failed": ["this.#failure = { error };", "void error;"],
  }),
  ...within("core/partition/producer-state.ts", [PRODUCERS, DAMAGE], {
    "appends what comes twice": ["return same.baseOffset;", "return undefined;"],
    "lets a producer of an older epoch through": [
      "if (producerEpoch < known.epoch) throw fenced(batch, known.epoch);",
      "",
    ],
    "remembers one batch too few": [
      "known.batches.slice(1 - REMEMBERED_BATCHES)",
      "known.batches.slice(2 - REMEMBERED_BATCHES)",
    ],
    "loses count at 2^32": [
      "(batch.baseSequence + batch.recordCount) % SEQUENCES",
      "batch.baseSequence + batch.recordCount",
    ],
    "tells the checkpoint of what is not written": [
      "[...this.#producers].map(",
      "[...this.#producers, ...this.#unwritten].map(",
    ],
  }),
  ...within("core/segment/segment.ts", [FAULTS, SEGMENTS, STORE, CLOSING], {
    "does not sync a new segment's name": ["await storage.syncDirectory(directory);", ""],
    "lets readers see what is not published": ["return this.#visibleSize ?? this.size();", "return this.size();"],
    "tries a failed sync again": [
      "await (await this.file()).sync();",
      "const file = await this.file();\n    await file.sync().catch(() => file.sync());",
    ],
    "closes a file that is being read": ["await Promise.allSettled(this.#reading);", ""],
  }),
  ...within("core/segment/segment-list.ts", [SEGMENTS, STORE], {
    "finds the segment before": [
      "this.#segments[middle]!.baseOffset > offset",
      "this.#segments[middle]!.baseOffset >= offset",
    ],
  }),
  ...within("core/segment/roll-policy.ts", ["src/segment/roll-policy.test.ts", SEGMENTS], {
    "rolls one byte early": ["sizeBytes + groupBytes > segmentBytes", "sizeBytes + groupBytes >= segmentBytes"],
  }),
  ...within("core/segment/sparse-index.ts", [SEGMENTS, DAMAGE], {
    "trusts a stale index": [" || Number(file.readBigUInt64LE(16)) !== logBytes", ""],
    "trusts another segment's index": ["Number(file.readBigUInt64LE(8)) !== baseOffset || ", ""],
    "does not check the index's checksum": [
      "if (file.readUInt32LE(end) !== crc32c(file, 0, end)) return undefined;",
      "",
    ],
    "seeks a time one batch late": ["firstAbove(this.#appendTimes, time - 1)", "firstAbove(this.#appendTimes, time)"],
    "seeks an offset one entry late": ["firstAbove(this.#offsets, offset) - 1", "firstAbove(this.#offsets, offset)"],
  }),
  ...within("core/partition/batch-reader.ts", [RECOVERY, DAMAGE, SEGMENTS], {
    "reads on across a gap": ["if (!follows) throw new Error(`a batch begins at offset ${baseOffset}`);", ""],
    "reads on behind a missing segment": ["if (next?.baseOffset !== this.#offset)", "if (next === undefined)"],
    "ends quietly at damage": ["if (damage !== undefined && this.#offset < until) throw damage;", ""],
  }),
  ...within("core/store/record-stream.ts", [RECOVERY, DAMAGE], {
    "reads without verifying": ["return batch.verify();", "return batch;"],
    "ends quietly at the damage": ["if (log.damage !== undefined) throw log.damage;", ""],
  }),
  ...within("core/storage/directory-lock.ts", ["src/storage/directory-lock.test.ts"], {
    "locks nobody out": [
      "if (!(await listen(server, address))) {",
      "if (!(await listen(server, address)) && process.pid < 0) {",
    ],
    "shares its lock in a cluster": ["exclusive: true", "exclusive: false"],
  }),
  ...within("core/store/log-store.ts", [STORE, "src/storage/directory-lock.test.ts"], {
    "opens without a lock": ["const lock = await storage.lock(path);", "const lock = { release: async () => {} };"],
    "keeps the lock of a store that it could not open": [
      "} catch (error) {\n      await lock.release();\n      throw error;",
      "} catch (error) {\n      throw error;",
    ],
  }),
  ...within("core/files/marker-file.ts", [RECOVERY, STORE, "src/broker/broker.test.ts"], {
    "makes a store among other files": ["if (foreign === undefined) return undefined;", "return undefined;"],
    "opens a store of a newer release": [
      "if (marker.formatVersion === formatVersion) return marker;",
      "if (marker.formatVersion >= formatVersion) return marker;",
    ],
  }),
  ...within("core/broker/topics.ts", ["src/broker/broker.test.ts"], {
    "names a topic before its store is made": [
      "if (content === undefined) return;",
      "if (content === undefined) throw new Error(file);",
    ],
  }),
  ...within("codec/record-batch.ts", ["test/golden.test.ts", "test/damage.test.ts", "test/fuzz/"], {
    "does not verify the records' checksum": ["if (actual !== expected) {", "if (actual < 0) {"],
    "does not check the header's checksum": [
      "if (crc32c(bytes, at, at + layout.SERVER_CRC_OFFSET) !== readU32(bytes, at + layout.SERVER_CRC_OFFSET)) {",
      "if (crc32c(bytes, at, at + layout.SERVER_CRC_OFFSET) < 0) {",
    ],
    "verifies all but the first field": [
      "crc32c(this.bytes, layout.PRODUCER_ID_OFFSET)",
      "crc32c(this.bytes, layout.BASE_TIMESTAMP_OFFSET)",
    ],
    "believes any batch length": ["if (length > limits.maxBatchBytes) {", "if (length < 0) {"],
    "believes any records length": ["if (recordsLength > limits.maxRecordsBytes) {", "if (recordsLength < 0) {"],
    "does not count what it unpacked": ["if (records.length === length) return records;", "return records;"],
  }),
  ...within("codec/record-cursor.ts", ["test/golden.test.ts", "test/damage.test.ts", "test/fuzz/"], {
    "reads beyond a batch's end": [
      'if (end > this.#end) throw this.#corrupt("a record is longer than its batch");',
      "",
    ],
    "reads beyond a record's end": ["this.#keyEnd > end || this.#valueEnd > end", "false"],
    "leaves bytes over": ["if (this.#recordEnd !== this.#end) throw", "if (this.#recordEnd < 0) throw"],
  }),
  ...within("codec/ordinary-records.ts", ["src/ordinary-records.test.ts", "test/damage.test.ts", "test/fuzz/"], {
    "lets a key through that is longer than its record": ["at + keyMark - 1) <= recordEnd", "at + keyMark - 1) <= end"],
  }),
  ...within("codec/validate-batch.ts", ["src/validate-batch.test.ts", "test/damage.test.ts"], {
    "accepts a batch with records that nobody can read": ["batch.verify().checkRecords();", "batch.verify();"],
    "accepts any number of batches that unpack": [
      "if (recordsLength > limits.maxRecordsBytes) {",
      "if (recordsLength < 0) {",
    ],
  }),
  ...within("codec/server-half.ts", ["src/record-batch.test.ts", "test/fuzz/"], {
    "believes a header without its checksum": [
      "if (crc32c(bytes, at, at + layout.SERVER_CRC_OFFSET) !== crc) return undefined;",
      "if (crc < 0) return undefined;",
    ],
  }),
  ...within("codec/crc32c.ts", ["src/crc32c.test.ts", "test/golden.test.ts"], {
    "uses the polynomial of another CRC-32": ["0x82f63b78", "0xedb88320"],
    "skips the last bytes": ["for (; i < end; i++) crc", "for (; i < end - 1; i++) crc"],
  }),
  ...within("codec/platform/node.ts", ["src/platform/node.test.ts", "src/compression.test.ts"], {
    "unpacks gzip to any length": [
      "zlib.gunzipSync(bytes, { maxOutputLength: maxBytes })",
      "zlib.gunzipSync(bytes, { maxOutputLength: 2 ** 30 + 0 * maxBytes })",
    ],
  }),
];
