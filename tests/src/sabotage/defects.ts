/**
 * Defects for mutation testing, each a small edit of one file: a text of the file, and its
 * replacement. The tests must detect every one. A text that does not occur exactly once stops the
 * run: the code has changed, and the entry must be updated.
 */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source text

export interface Defect {
  readonly name: string;
  /** Relative to the root of the repository. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly package: "codec" | "protocol" | "core" | "client" | "server-grpc";
  /** Test files of that package that probably detect it: they run first. */
  readonly catchers: readonly string[];
  /** Scenarios of the conveyor that must detect it on their own, in place of tests. */
  readonly scenarios?: readonly string[];
  /** No test exists yet that could detect it: the entry is left out of the run and not counted. */
  readonly waitsForTests: boolean;
}

type Edit = readonly [find: string, replace: string, note?: "waits for tests"];

export function within(
  path: `${Defect["package"]}/${string}`,
  catchers: readonly string[],
  edits: Readonly<Record<string, Edit>>,
): Defect[] {
  const [name, ...rest] = path.split("/");
  const file = ["packages", name, "src", ...rest].join("/");
  return Object.entries(edits).map(([defect, [find, replace, note]]) => ({
    name: defect,
    file,
    find,
    replace,
    package: name as Defect["package"],
    catchers,
    waitsForTests: note !== undefined,
  }));
}

const RECOVERY = "src/partition/recovery/recovery.test.ts";
const POWER_CUTS = "src/partition/recovery/power-cut-regressions.test.ts";
const FAULTS = "src/partition/storage-faults.test.ts";
const FOUND_DAMAGE = "src/partition/read/found-damage.test.ts";
const READ_FAULTS = "test/faults/read-faults.test.ts";
const PRODUCERS = "src/partition/append/producers.test.ts";
const DELETION = "src/partition/upkeep/delete-records.test.ts";
const FULL_DISK = "src/partition/upkeep/full-disk.test.ts";
const OVERTAKEN = "src/partition/read/overtaken.test.ts";
const RETENTION = "src/partition/upkeep/retention-policy.test.ts";
const TAIL = "src/partition/read/tail-cache.test.ts";
const FLUSH = "src/partition/append/flush.test.ts";
const SEGMENTS = "src/segment/segments.test.ts";
const POOL = "src/storage/file-pool.test.ts";
const LOCK = "src/storage/directory-lock.test.ts";
const GUARD = "src/storage/directory-guard.test.ts";
const FIGHT = "test/lock/fight.test.ts";
const STORE = "src/store/log-store.test.ts";
const CONSUME = "src/broker/consume.test.ts";
const BUDGETS = "src/services/stream-budgets.test.ts";
const UNSENT = "src/transport/unsent-messages.test.ts";
const TOPIC_LIMITS = "src/broker/topic-limits.test.ts";
const QUOTAS = "src/access/quotas.test.ts";
const ACCESS = "src/access/access.test.ts";
const BROKER = "src/broker/broker.test.ts";
const ASSIGNORS = "src/group/assignors/assignors.test.ts";
const TURNS = "src/group/decide/take-turn.test.ts";
const COORDINATOR = "src/group/group-coordinator.test.ts";
const GROUP_LOG = "src/group/journal/group-log.test.ts";
const SNAPSHOT_FILE = "src/group/journal/snapshot-file.test.ts";
const GROUPS = "src/broker/groups.test.ts";
const SIMULATION = "test/group-simulation/simulation.test.ts";
const SWEEP = "test/crash-sweep/sweep.test.ts";
const TORN = "test/damage/torn-tail.test.ts";
const RECORD_COUNT = "test/damage/record-count.test.ts";
const SNAPSHOTS = "src/broker/snapshots/snapshots.test.ts";
const STORE_SNAPSHOT = "src/snapshot/snapshot.test.ts";
const SNAPSHOT_CRASH = "test/snapshots/crash.test.ts";
const GOLDEN = "test/golden.test.ts";

/** Run after the others, if those detect nothing. */
export const slow: readonly string[] = [RECOVERY, SEGMENTS, POOL, SIMULATION, SWEEP];

export const defects: readonly Defect[] = [
  ...within("core/partition/recovery/recovery.ts", [POWER_CUTS, FAULTS, TORN, GOLDEN, RECOVERY], {
    "leaves zeros behind the log": [
      "if (!isTorn && soundBytes < size) await (await segment.file()).truncate(soundBytes); // zeros",
      "",
    ],
    "goes on behind the zeros": ["segment.becomeActive(soundBytes, index);", "segment.becomeActive(size, index);"],
    "does not sync what it found": ["await makeDurable(survey, active);", ""],
    "does not sync the names that it found": [
      "await storage.syncDirectory(directory);\n  segment.becomeActive",
      "segment.becomeActive",
    ],
    "leaves zeros in a finished segment": [
      "if (zeros !== undefined) await file.truncate(zeros.soundBytes);",
      "void zeros;",
    ],
    "does not sync the finished segments that it found": [
      "    await file.sync();\n  }\n  if (index === undefined) return;",
      "  }\n  if (index === undefined) return;",
    ],
    "trusts a page that a failed sync left behind": [
      "if (durableOffset < nextOffset) await writeBack(file, index.positionOfOffset(durableOffset), soundBytes);",
      "",
    ],
    "trusts the pages of a finished segment": [
      "if (end > durableOffset) await writeBack(file, 0, await finished.visibleSize());",
      "void end;",
    ],
  }),
  ...within("core/partition/recovery/torn-tail.ts", [TORN, STORE_SNAPSHOT, RECOVERY, SWEEP], {
    "goes on in a file that a snapshot has": ["if (later.length > 0) await segment.replace(size);", ""],
    "cuts without saving": ["(saved) => copyRange(file, position, end, saved, 0)", "async () => {}"],
    "cuts before it saves": [
      "await saveAside(storage, file, soundBytes, size, directory, name);\n    await file.truncate(soundBytes);",
      "await file.truncate(soundBytes);\n    await saveAside(storage, file, soundBytes, size, directory, name);",
    ],
    "does not sync the name of what it saved": [
      "saved, 0));\n  await storage.syncDirectory(directory);",
      "saved, 0));",
    ],
    "does not sync the cut": [
      "await file.truncate(soundBytes);\n    await file.sync();",
      "await file.truncate(soundBytes);",
    ],
    "does not set torn segments aside": [
      "await storage.rename(other.path, `${directory}/${name}`);\n    await storage.syncDirectory(directory);",
      "",
    ],
    "leaves the index of a segment that is set aside": ["await other.indexFile.remove();", ""],
    "writes nothing back": ["return copyRange(file, position, end, file, position);", "return Promise.resolve();"],
  }),
  ...within("core/storage/copy-range.ts", ["src/storage/copy-range.test.ts", TORN], {
    "copies every piece to the same place": ["toStart + at - start", "toStart"],
  }),
  ...within("core/partition/recovery/survey-log.ts", [POWER_CUTS, GOLDEN, RECOVERY, DELETION, SWEEP], {
    "takes a long tail of zeros for torn": [
      "if (!(await isZeros(file, soundBytes, size))) scan.fault = error;",
      "scan.fault = error;",
    ],
    "takes every torn tail for zeros": [
      "if (!(await isZeros(file, soundBytes, size))) scan.fault = error;",
      "await isZeros(file, soundBytes, size);",
    ],
    "does not note zeros in finished segments": ["this.#zeroTails.push({ segment, soundBytes });", ""],
    "looks for no proof behind the damage": [
      "this.#durableOffset = Math.max(this.#durableOffset, witness.durable);",
      "",
    ],
    "looks for no proof in later segments": [
      "for (const other of later) rest.push({ file: await other.file(), from: 0, to: await other.size() });",
      "",
    ],
    "cuts what is proven": [
      "if (!isProven && !isNewer && lost === undefined) return undefined;",
      "if (!isNewer && lost === undefined) return undefined;",
    ],
    "calls what nothing proves damage": [
      "if (!isProven && !isNewer && lost === undefined) return undefined;",
      "if (!isProven && fault === undefined && !isNewer && lost === undefined) return undefined;",
    ],
    "cuts what a newer release wrote": [
      'scan.isNewer = error.code === "UNSUPPORTED_FORMAT_VERSION" && (await isNewerBatch(file, soundBytes));',
      "scan.isNewer = false;",
    ],
    "takes a torn version for a newer one": [
      'error.code === "UNSUPPORTED_FORMAT_VERSION" && (await isNewerBatch(file, soundBytes))',
      'error.code === "UNSUPPORTED_FORMAT_VERSION"',
    ],
    "reads on where a segment ends early": [
      "return next.baseOffset === this.#nextOffset || isGap(this.#gaps, this.#nextOffset, next.baseOffset);",
      "this.#nextOffset = next.baseOffset;\n    return true;",
    ],
    "recovers without verifying the records": ["limits, verify: true }", "limits, verify: false }"],
    "calls durable what it has read": [
      "this.#durableOffset = Math.max(this.#durableOffset, batch.flushedUpTo);",
      "this.#durableOffset = Math.max(this.#durableOffset, batch.nextOffset);",
    ],
    "forgets the checkpoint's producers": ["new ProducerState(start.checkpoint?.producers)", "new ProducerState()"],
    "forgets the producers behind the checkpoint": ["this.#producers.appended(batch);", ""],
    "forgets the checkpoint's append time": ["start.checkpoint?.lastAppendTime ?? 0", "0"],
    "forgets that the checkpoint proved more": [
      "Math.max(checkpoint?.recoveryPoint ?? 0, checkpoint?.expectedEnd ?? 0);",
      "checkpoint?.expectedEnd ?? 0;",
    ],
    "forgets the end that repair noted": [
      "Math.max(checkpoint?.recoveryPoint ?? 0, checkpoint?.expectedEnd ?? 0);",
      "checkpoint?.recoveryPoint ?? 0;",
      "waits for tests",
    ],
    "forgets where the log begins": [
      "input.checkpoint?.logStart ?? segments[0]?.baseOffset ?? 0",
      "segments[0]?.baseOffset ?? 0",
    ],
    "does not miss the first segment": [
      "if (segments[0] === undefined || segments[0].baseOffset > logStart)",
      "if (segments[0] === undefined)",
    ],
    "does not know how far offsets were given": ["Math.max(givenOffset, durableOffset, lost ?? 0)", "nextOffset"],
  }),
  ...within("core/partition/recovery/survey-start.ts", [POWER_CUTS, GOLDEN, RECOVERY, DELETION, SWEEP], {
    "believes a checkpoint beyond the file's end": ["(await segment.size()) < checkpoint.position", "false"],
    "does not miss the last segment": [
      "return isThere ? undefined : checkpoint?.segment;",
      "return isThere || segments.length > 0 ? undefined : checkpoint?.segment;",
    ],
  }),
  ...within("core/partition/recovery/witness.ts", [RECOVERY, GOLDEN, "src/partition/recovery/witness.test.ts", SWEEP], {
    "takes a batch within a value for proof": ["i += Math.max(1, header?.batchLength ?? 1);", "i += 1;"],
    "believes headers of offsets that were read": [
      "if (baseOffset < damagedOffset || flushedUpTo > baseOffset) continue;",
      "if (flushedUpTo > baseOffset) continue;",
    ],
    "believes a header that contradicts itself": [
      "if (baseOffset < damagedOffset || flushedUpTo > baseOffset) continue;",
      "if (baseOffset < damagedOffset) continue;",
    ],
    "misses a header that lies across two pieces": [
      "if (found < 0 || (!isRest && bytes.length - i < HEADER_LENGTH)) break;",
      "if (found < 0) break;",
    ],
    "gives offsets of a damaged batch again": [
      "return baseOffset + Math.max(1, declaredRecordCount);",
      "return baseOffset;",
    ],
    "looks at the first byte only, for zeros": ["bytes.some((byte) => byte !== 0)", "bytes[0] !== 0"],
    "looks at the first piece only, for zeros": [
      "at += bytes.length;\n  }\n  return true;",
      "return true;\n  }\n  return true;",
    ],
  }),
  ...within("core/segment/scan-segment.ts", [RECOVERY, SEGMENTS], {
    "does not check that offsets follow": [
      "if (nextOffset !== undefined && batch.baseOffset !== nextOffset) {",
      "if (false) {",
    ],
  }),
  ...within("core/engine/append/assign-offsets.ts", [FAULTS, POWER_CUTS, PRODUCERS, FLUSH, GOLDEN, SWEEP, STORE], {
    "claims that a batch makes itself durable": [
      "batch.accept({ baseOffset: end, appendTime, flushedUpTo })",
      "batch.accept({ baseOffset: end, appendTime, flushedUpTo: Math.max(flushedUpTo, logEnd) })",
    ],
    "leaves a gap for what it refuses": ["logEnd: end,", "logEnd: end + (known.length > accepted.length ? 1 : 0),"],
    "ignores the expected offset": ["isNew && expectedOffset !== undefined && expectedOffset !== logEnd", "false"],
    "refuses what was appended, because more was": [
      "isNew && expectedOffset !== undefined && expectedOffset !== logEnd",
      "expectedOffset !== undefined && expectedOffset !== logEnd",
    ],
  }),
  ...within("core/partition/append/log-writer.ts", [FAULTS, POWER_CUTS, PRODUCERS, FLUSH, GOLDEN, SWEEP, STORE], {
    "acknowledges before the sync": [
      "if (wantsFlush && offsets.flushedUpTo < offsets.logEnd) await this.sync();",
      "if (wantsFlush && offsets.flushedUpTo < offsets.logEnd) void this.sync().catch(() => {});",
    ],
    "publishes before the sync": [
      "if (wantsFlush && offsets.flushedUpTo < offsets.logEnd) await",
      "await this.#publish();\n    if (wantsFlush && offsets.flushedUpTo < offsets.logEnd) await",
    ],
    "tells other processes before the sync": [
      "if (wantsFlush && offsets.flushedUpTo < offsets.logEnd) await",
      "await this.#publishBounds(offsets.logStart, offsets.logEnd);\n    if (wantsFlush && offsets.flushedUpTo < offsets.logEnd) await",
      "waits for tests",
    ],
    "tells other processes nothing": [
      "await this.#publishBounds(offsets.logStart, offsets.logEnd);\n    offsets.publish();",
      "offsets.publish();",
      "waits for tests",
    ],
    "calls a duplicate flushed that is not": [
      "if (wantsFlush && offsets.flushedUpTo < offsets.logEnd) await",
      "if (wantsFlush && accepted.length > 0) await",
    ],
    "goes on after a sync behind the writer failed": [
      "this.#behind.check();\n    this.#checkOwner();\n    const appendTime",
      "this.#checkOwner();\n    const appendTime",
    ],
    "flushes without the finished segment": ["if (this.#behind.isRunning) await this.#behind.settle();", ""],
    "notes as durable what a sync behind the writer failed on": [
      "this.#behind.check();\n    await this.#log.segments.active?.sync();",
      "await this.#log.segments.active?.sync();",
    ],
    "closes with zeros behind the log": ["await active.cutZeros();\n    await this.sync();", "await this.sync();"],
    "writes the last checkpoint before the sync": [
      "await this.sync();\n    await active.indexFile.write();\n    await this.checkpoint(this.#log.offsets.logStart);",
      "await active.indexFile.write();\n    await this.checkpoint(this.#log.offsets.logStart);\n    await this.sync();",
    ],
    "closes without a checkpoint": [
      "await active.indexFile.write();\n    await this.checkpoint(this.#log.offsets.logStart);",
      "await active.indexFile.write();",
    ],
    "finishes a segment while the one before is not durable": [
      "await this.#behind.settle();\n      await finished.cutZeros();",
      "await finished.cutZeros();",
    ],
    "leaves zeros in a finished segment": ["await finished.cutZeros();", ""],
    "does not sync a finished segment": ["await finished.sync();\n        offsets.flushed", "offsets.flushed"],
    "calls a finished segment durable before its sync": [
      "await finished.sync();\n        offsets.flushed(segment.baseOffset);",
      "offsets.flushed(segment.baseOffset);\n        await finished.sync();",
    ],
    "writes the checkpoint before the finished segment's sync": [
      "this.#behind.start(async () => {\n        await finished.sync();",
      "this.#behind.start(async () => {\n        await this.#writeCheckpoint(checkpoint);\n        await finished.sync();",
    ],
    "checkpoints what was written meanwhile": [
      "await this.#writeCheckpoint(checkpoint);\n      });",
      "await this.checkpoint(offsets.logStart);\n      });",
    ],
    "keeps no checkpoint of a new partition": [
      "if (finished === undefined) await this.#writeCheckpoint(checkpoint);",
      "if (finished === undefined) await Promise.resolve();",
    ],
    "keeps no checkpoint when it rolls": ["await this.#writeCheckpoint(checkpoint);\n      });", "});"],
    "checkpoints the segment before": ["segment: active.baseOffset,", "segment: this.#log.segments.first!.baseOffset,"],
    "forgets the gaps": ["gaps: this.#log.gaps.filter(([, to]) => to > logStart),", "gaps: [],"],
    "follows a clock that jumps back": ["return Math.max(now, this.#lastAppendTime);", "return now;"],
    "keeps batches in memory at the wrong place": [
      "this.#log.tail?.add(batches, segment, position);",
      "this.#log.tail?.add(batches, segment, 0);",
    ],
  }),
  ...within("core/partition/append/behind-the-writer.ts", [FAULTS, SWEEP], {
    "ignores a sync behind the writer that failed": ["this.#failure = { error };", "void error;"],
    "does not wait": ["await this.#running;", ""],
  }),
  ...within("core/partition/append/group-commit.ts", [FAULTS, FLUSH, SWEEP], {
    "goes on after a failure": [
      "this.#failure = storageFailed(cause, this.#partition);\n      this.#failed(this.#failure);",
      "const failure = storageFailed(cause, this.#partition);\n      this.#failed(failure);\n      return failure;",
    ],
    "lets the next group through after a failure": ["this.#queue.rejectAll(this.#failure);\n    return", "return"],
    "deletes after a failure": ["if (this.#failure !== undefined) throw this.#failure;", ""],
  }),
  ...within("core/partition/recovery/open-log.ts", [POWER_CUTS, DELETION, RECOVERY, GOLDEN, SWEEP], {
    "keeps segments that were set aside": [
      "segments.filter((segment) => !torn.includes(segment))",
      "segments.filter((segment) => torn !== undefined || segment)",
    ],
    "leaves temporary files": ["if (name.endsWith(TEMPORARY_SUFFIX)) await", "if (name === TEMPORARY_SUFFIX) await"],
  }),
  ...within("core/partition/file-partition-log.ts", [POWER_CUTS, DELETION, RECOVERY, GOLDEN, SWEEP], {
    "removes leftovers that the checkpoint names": [
      "await this.#writer.checkpoint(logStart); // the last one may refer to a segment that is being removed",
      "",
    ],
    "leaves leftovers for ever": ["await log.#removeLeftovers();", ""],
    "removes leftovers of a damaged log": [
      "    if (this.damage !== undefined) return;\n    const startFiles",
      "    const startFiles",
    ],
    "checkpoints after a failure": [
      "this.damage === undefined && this.#groupCommit.failure === undefined && this.#writer.finish()",
      "this.damage === undefined && this.#writer.finish()",
    ],
    "does not miss what was given, when it verifies": [
      "Math.max(this.expectedEnd, this.offsets.highWatermark)",
      "this.offsets.highWatermark",
    ],
    "keeps everything when it rolls": ["void this.applyRetention().catch(() => {}); // it is tried again later", ""],
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
      "await publishBounds(offset, log.offsets.highWatermark);",
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
  ...within("core/partition/read/tail-cache.ts", [TAIL, STORE], {
    "hands out what may not be read yet": ["if (batch.baseOffset >= until || segment", "if (segment"],
    "hands out two segments as one": ["|| segment !== first.segment) break;", ") break;"],
    "hands out more than was asked for": ["if (i > from && byteLength + batch.byteLength > maxBytes) break;", ""],
    "loses count of positions": ["at += batch.byteLength;\n      this.#cache", "this.#cache"],
    "keeps everything": ["while (this.#bytes > this.#maxBytes)", "while (this.#bytes > this.#maxBytes * 1000)"],
    "keeps what closed partitions had": ["    this.#isClosed = true;\n", ""],
    "counts what closed partitions had": [
      "    this.#bytes -= byteLength;\n    this.#closedCount",
      "    this.#closedCount",
    ],
  }),
  ...within("core/engine/append/producer-state.ts", [PRODUCERS, GOLDEN, SWEEP], {
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
    "lets a gap through within one append": [
      "if (batch.baseSequence !== sequenceAfter(previous)) throw outOfOrder(batch, sequenceAfter(previous));",
      "",
    ],
  }),
  ...within("core/partition/read/batch-reader.ts", [TAIL, RECORD_COUNT, GOLDEN, DELETION, RECOVERY, SEGMENTS], {
    "reads on across a gap": ["if (!follows) throw new Error(`a batch begins at offset ${baseOffset}`);", ""],
    "reads on behind a missing segment": ["if (next?.baseOffset !== this.#offset)\n", "if (next === undefined)\n"],
    "ends quietly at damage": ["if (damage !== undefined && this.#offset < until) throw damage;", ""],
    "takes a wrong record count for batches before": [
      "if (isFirst && nextOffset <= this.#offset) {",
      "if (nextOffset <= this.#offset) {",
    ],
    "reads from memory what may not be read yet": [
      "log.tail?.read(this.#offset, end, options.maxBytes)",
      "log.tail?.read(this.#offset, Number.POSITIVE_INFINITY, options.maxBytes)",
    ],
    "reads deleted records": [
      "if (this.#offset < log.offsets.logStart) throw outOfRange(log, this.#offset); // deleted meanwhile",
      "if (this.#offset < log.offsets.logStart) return undefined;",
    ],
    "forgets how far it read in memory": ["this.#position = position + byteLength;", "this.#position += byteLength;"],
    "hands out the cache's own bytes": [
      "return { bytes, headroomBytes, nextOffset: this.#offset, segment, position };",
      "return { bytes: batches.length === 1 ? batches[0]!.bytes : bytes, headroomBytes, nextOffset: this.#offset, segment, position };",
    ],
  }),
  ...within("core/engine/read/buffers.ts", [CONSUME], {
    "reads into a buffer that was handed out": [
      "  return Buffer.allocUnsafeSlow(headroomBytes + length).subarray(headroomBytes);",
      "  kept = kept.length < headroomBytes + length ? Buffer.allocUnsafeSlow(headroomBytes + length) : kept;\n" +
        "  return kept.subarray(headroomBytes, headroomBytes + length);\n}\nlet kept = Buffer.alloc(0);\n{",
    ],
    "keeps the memory of what was released": ["buffer.transfer(0)", "buffer.slice(0)"],
  }),
  ...within("core/engine/read/read-in-budget.ts", [CONSUME], {
    "gives back what a chunk holds": ["budget.giveBack(takenBytes - heldBytes);", "budget.giveBack(takenBytes);"],
    "counts the batches and not their buffer": [
      "heldBytes = chunk.bytes.buffer.byteLength - (options.headroomBytes ?? 0);",
      "heldBytes = chunk.bytes.length;",
    ],
    "does not give back what was released": [
      "owned(chunk, () => budget.giveBack(heldBytes))",
      "owned(chunk, () => {})",
    ],
  }),
  ...within("core/engine/read/read-ahead.ts", [CONSUME], {
    "waits for room while it holds something": [
      "await tryReadInBudget(this.#reader, this.#nextRead(), this.#options.budget)",
      "await readInBudget(this.#reader, this.#nextRead(), this.#options.budget)",
    ],
    "keeps what was read ahead for nobody": ["    ahead?.release();", ""],
  }),
  ...within("core/broker/fetch.ts", [CONSUME], {
    "waits for room while it holds batches": ["bytes === 0 ? readInBudget : tryReadInBudget", "readInBudget"],
    "does not tell of gaps": ["if (gap !== undefined) gaps.push(gap);", ""],
  }),
  ...within("core/broker/consume.ts", [CONSUME], {
    "does not tell of gaps": ['if (gap !== undefined) yield { type: "gap", ...gap, ...endsOf(log) };', ""],
  }),
  ...within("core/engine/read/checked-read.ts", [CONSUME], {
    "takes any gap for one of a repair": ["if (!isLost(log, expected, next)) throw gapError(log, expected, next);", ""],
  }),
  ...within("server-grpc/services/consume-stream.ts", [BUDGETS], {
    "frees a message before it is sent": [
      "    const isSent = await writeMessage(call, event, signal);",
      '    const sent = writeMessage(call, event, signal);\n    if (event.type === "batches") event.release?.();\n    const isSent = await sent;',
    ],
    "gives back what is still being read": ["    lease.cutOff(error);", "    lease.close(error);"],
    "keeps what was read too late to be sent": ['        if (event.type === "batches") event.release?.();\n', ""],
  }),
  ...within("server-grpc/services/consume-stream.ts", [UNSENT], {
    "frees what HTTP/2 may still read": ["    else unsent.keep(stream, giveBack);", "    else giveBack();"],
  }),
  ...within("server-grpc/services/fetch.ts", [UNSENT], {
    "frees an answer before it is sent": ["    else unsent.keep(stream, giveBack);", "    else giveBack();"],
    "has answers copied": ["    answerInPlace(call, result);\n", ""],
  }),
  ...within("server-grpc/transport/unsent-messages.ts", [UNSENT], {
    "takes a closed stream for one that is not read": ["stream.writableFinished || this.#isClosed", "true"],
    "waits for ever for a peer that reads nothing": ["    else this.#connection.refuse();\n", ""],
    "releases nothing when the connection ends": [
      "    callAll([...this.#thisPing.splice(0), ...this.#nextPing.splice(0)]);\n",
      "",
    ],
    "releases nothing when a ping is answered": ["      callAll(released);\n", ""],
  }),
  ...within("codec/call-all.ts", ["src/call-all.test.ts"], {
    "a function that throws keeps the others from being called": [
      "      errors.push(error);\n",
      "      throw error;\n",
    ],
  }),
  ...within("server-grpc/serving/grpc-services.ts", ["src/transport/http2-servers.test.ts"], {
    "calls are not paced, and nobody hears of it": ["http2ServersOf(grpc, missing)", "http2ServersOf(grpc, () => {})"],
  }),
  ...within("core/broker/topics/topic-limits.ts", [TOPIC_LIMITS], {
    "has no limits": ["if (!more[kind] || wanted <= limit) continue;", "if (wanted !== undefined) continue;"],
  }),
  ...within("core/broker/topics/topics.ts", [TOPIC_LIMITS], {
    "counts a topic that was not made": ["        this.#totals.remove(made);\n", ""],
    "goes on counting a deleted topic": ["this.#totals.remove({ topics: 1, partitions: partitionCount });", ""],
    "does not count what was there": ["this.#totals.add({ partitions: partitionCount });", ""],
  }),
  ...within("core/broker/snapshots/snapshots.ts", [TOPIC_LIMITS], {
    "restores beyond the limit of partitions": ["reserve(said.partitions.length);", ""],
    "does not count snapshots that were there": [
      "totals.add({ snapshots: await snapshots.#directories.find() });",
      "await snapshots.#directories.find();",
    ],
  }),
  ...within("core/broker/topics/topics.ts", [TOPIC_LIMITS], {
    "takes segments of any size": ["    this.#totals.checkSegmentBytes(change.segmentBytes);\n", ""],
  }),
  ...within("core/engine/append/check-later.ts", ["src/engine/append/check-later.test.ts"], {
    "large appends of one partition are checked before those of others": [
      "waiting.delete(partition);\n    if (queue.length > 0) waiting.set(partition, queue); // at the end, behind the other partitions",
      "if (queue.length === 0) waiting.delete(partition);",
    ],
  }),
  ...within("server-grpc/transport/receive-turns.ts", ["src/transport/receive-turns.test.ts"], {
    "a connection may have a whole turn, whoever shares it": ["this.#turnBytes / sharing", "this.#turnBytes"],
    "short requests cost nothing": [
      "(this.#taken.get(connection) ?? 0) + bytes)",
      "(this.#taken.get(connection) ?? 0) + bytes - REQUEST_COST_BYTES)",
    ],
  }),
  ...within("server-grpc/services/produce-stream.ts", ["src/services/produce-stream.test.ts"], {
    "all that a connection has sent ahead is read in one turn": ["receiveTurns.took(session, bytes);", ""],
  }),
  ...within("server-grpc/transport/receive-window.ts", ["src/transport/receive-window.test.ts"], {
    "several connections that append have the window of one": [
      "this.#appending.size > 1",
      "this.#appending.size > 1e9",
    ],
    "the window stays small for one that appends alone": ["() => this.#setAll(this.#options.windowBytes)", "() => {}"],
  }),
  ...within("server-grpc/telemetry/traffic.ts", ["src/telemetry/observed-api.test.ts"], {
    "tells of a topic that was deleted": ["counts.isDeleted || this.#named.get(topic) !== counts", "false"],
    "remembers what a peer makes up": [
      "    if (counts.calls === 0 && this.#named.get(topic) === counts) this.#named.delete(topic);\n",
      "",
    ],
  }),
  ...within("server-grpc/access/charged-reads.ts", [QUOTAS, ACCESS], {
    "charges a fetch when it is read": ["api.fetch(request, { ...options, budget })", "api.fetch(request, options)"],
    "charges streams when they have read": ["readAhead: false, budget })", "readAhead: false })"],
  }),
  ...within("server-grpc/access/guarded-log.ts", [QUOTAS, ACCESS], {
    "lets anybody who alters delete by retention": [
      "if (mayDeleteRecords(change, config, effectiveConfig))",
      "if (false)",
    ],
  }),
  ...within("server-grpc/access/charged-budget.ts", [QUOTAS], {
    "refuses where others only read": ["if (settling !== undefined) await settling;\n      else if", "if"],
    "keeps what a read did not use": ["    this.#settle(bytes, 0);", ""],
  }),
  ...within("server-grpc/access/retention-change.ts", [ACCESS], {
    "takes going back to the server's retention for harmless": ["return config[name] !== undefined;", "return false;"],
  }),
  ...within("server-grpc/access/access-control.ts", [ACCESS], {
    "waits for keys before rules hold": ["if (isKnownLater && isStillTheSame) caller.stand", "if (false) caller.stand"],
  }),
  ...within("server-grpc/services/fetch.ts", [BUDGETS], {
    "waits for room when the server stops": ["    lease.cutOff(error);", ""],
  }),
  ...within("core/partition/followed-log.ts", [GOLDEN], {
    "reads more than the writer says": [
      "Math.min(survey.nextOffset, bounds?.highWatermark ?? survey.durableOffset)",
      "survey.nextOffset",
    ],
    "shows what the writer deleted": [
      "Math.max(survey.logStart, bounds?.logStart ?? 0)",
      "survey.logStart",
      "waits for tests",
    ],
    "sees no new segment": ["await this.#findNewSegments();\n", "", "waits for tests"],
    "hears nothing of deletions": ["if (bounds.logStart > this.offsets.logStart) {", "if (false) {", "waits for tests"],
    "keeps the size of a finished segment": ["this.segments.active?.follow();\n    }", "}", "waits for tests"],
    "believes damage at first sight": [
      "if (survey.damage === undefined || attempt === ATTEMPTS) return",
      "if (survey.damage !== null) return",
      "waits for tests",
    ],
    "wakes nobody when it is closed": ["this.offsets.wakeAll();", "", "waits for tests"],
  }),
  ...within("core/store/read-only-log-store.ts", [GOLDEN], {
    "does not look when it is told": [
      "() => void this.look());\n    } catch",
      "() => {});\n    } catch",
      "waits for tests",
    ],
    "reads the watermarks after the files": [
      "store = new ReadOnlyLogStore(storage, path, partitions);",
      "store = new ReadOnlyLogStore(storage, path, partitions);\n    await store.look();",
      "waits for tests",
    ],
    "looks once, whatever comes meanwhile": ["while (this.#lookAgain) {", "if (this.#lookAgain) {", "waits for tests"],
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
  ...within("core/partition/upkeep/verify-log.ts", [GOLDEN, SWEEP], {
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
  ...within("core/partition/upkeep/repair-log.ts", [STORE_SNAPSHOT, GOLDEN], {
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
  ...within("core/files/checked-json.ts", [GOLDEN, RECOVERY], {
    "does not check the checkpoint's checksum": [
      'if (end === 0 || bytes.toString("latin1", end) !== `${hexCrc(bytes.subarray(0, end))}\\n`) return undefined;',
      "if (end === 0) return undefined;",
      "waits for tests",
    ],
    "does not check the checksum of store.json": [
      "isIntact: crc === hexCrc(Buffer.from(JSON.stringify(fields))) };",
      "isIntact: true };",
      "waits for tests",
    ],
    "does not write the checksum of store.json": ["{ ...fields, crc }, null, 2)", "{ ...fields }, null, 2)"],
  }),
  ...within("core/files/checkpoint-file.ts", [GOLDEN, RECOVERY], {
    "knows no gaps": [
      "from <= offset && offset < to && to === nextBaseOffset",
      "from > offset && offset < to && to === nextBaseOffset",
    ],
    "reads a newer checkpoint": ["parsed?.formatVersion !== CHECKPOINT_FORMAT_VERSION", "parsed === undefined"],
  }),
  ...within("core/files/watermarks-file.ts", [GOLDEN, BROKER], {
    "believes damaged watermarks": [
      "if (slot.readUInt32LE(CRC_OFFSET) !== crc32c(slot, 0, CRC_OFFSET)) return undefined;",
      "",
    ],
    "writes every partition's watermarks to the same place": [
      "partition * SLOT_LENGTH);\n    } catch",
      "0);\n    } catch",
      "waits for tests",
    ],
    "fails an append for the sake of other processes": [
      "} catch {\n      // The next update writes it again.",
      "} catch (error) {\n      throw error;",
    ],
  }),
  ...within("core/files/marker-file.ts", [STORE, BROKER, GOLDEN, RECOVERY], {
    "makes a store among other files": ["if (foreign === undefined) return undefined;", "return undefined;"],
    "opens a store of a newer release": [
      "if (found === formatVersion) return marker as Marker & Partial<Content>;",
      "if (found! >= formatVersion) return marker as Marker & Partial<Content>;",
    ],
  }),
  ...within("core/storage/atomic-file.ts", [TORN, FAULTS, POWER_CUTS, SNAPSHOTS, SWEEP], {
    "does not sync a new file": ["await file.sync();", ""],
    "does not sync a rename": ["await storage.syncDirectory(directory);", ""],
    "writes over the file itself": [
      "await storage.rename(temporary, `${directory}/${name}`);",
      "await writeNewFile(storage, `${directory}/${name}`, fill);",
    ],
  }),
  ...within("core/storage/pooled-file.ts", [FAULTS, POOL, STORE], {
    "does not sync what it closes for now": [
      "if (this.#isDirty && this.#failure === undefined) {",
      "if (this.#users < 0) {",
    ],
    "ignores a failed sync of what it closes for now": [
      "await file?.sync().catch((error: unknown) => {\n        this.#pool.note(error, SYNCING, this.#path);\n        this.#failure = { error };",
      "await file?.sync().catch((error: unknown) => {\n        this.#pool.note(error, SYNCING, this.#path);",
    ],
    "forgets that a file was written to": ["this.#isDirty = true;\n      return file.write", "return file.write"],
    "tries a failed sync again": ["await file.sync();", "await file.sync().catch(() => file.sync());"],
    "takes writes after a failed sync": [
      "this.#failure = { error }; // the sync must not be retried when the file is closed",
      "",
    ],
    "closes files in use": ["if (this.#users++ === 0) this.#pool.busy(this);", "this.#users++;"],
  }),
  ...within("core/storage/file-pool.ts", [FAULTS, POOL, STORE], {
    "lets go of a slice twice": ["if (!isHeld) return;", ""],
  }),
  ...within("core/storage/descriptor-slots.ts", [POOL, STORE], {
    "opens more files than it may": ["if (this.#openFiles < this.#maxOpenFiles) {", "if (this.#openFiles >= 0) {"],
    "gives up where the system has no more files": ["if (!isTooMany) throw error;", "throw error;"],
  }),
  ...within("core/storage/directory-lock.ts", [LOCK, GUARD], {
    "does not look whether it still has the lock": ["if (!lock.isHeld()) throw lost(directory);", ""],
    "keeps the lock where its file cannot be removed": [
      "release: () => runAll(removeLockFile, () => lock.release()),",
      "release: () => removeLockFile().then(() => lock.release()),",
    ],
  }),
  ...within("core/storage/socket-lock.ts", [LOCK, FIGHT], {
    "locks nobody out": [
      "for (const epoch of epochs) if (await isAlive(this.#address(lockName(epoch)))) return true;",
      "",
    ],
    "takes a live owner's name for a dead one's": [
      "resolve(true);\n    });\n    socket.once",
      "resolve(false);\n    });\n    socket.once",
    ],
    "cuts long paths": ["if (Buffer.byteLength(path) <= maxBytes) return path;", "if (path) return path;"],
    "takes a long path where there is no /proc": ['if (this.#platform === "linux")', "if (this.#platform)"],
    "leaves the dead where they are": ["await place.removeDead(others);", ""],
  }),
  ...within("core/storage/directory-guard.ts", [GUARD], {
    "does not look which directory it is": [
      "if (identity === undefined || identity === found) {",
      "if (identity === found || true) {",
    ],
    "believes in a directory that comes back": ["if (this.#failure !== undefined) throw this.#failure;", ""],
    "looks at nothing while nobody writes": ["this.#timer = setInterval(() => this.#look(), LOOK_INTERVAL_MS);", ""],
  }),
  ...within("core/storage/node-storage.ts", [GUARD], {
    "makes a directory's parents anew": [
      "await mkdir(whole, { mode: DIRECTORY_MODE });",
      "await mkdir(whole, { mode: DIRECTORY_MODE, recursive: true });",
    ],
    "syncs a file that nobody finds": ["this.#checkName();\n  }", "}"],
    "lets everybody read": ['openDescriptor(path, "w+", FILE_MODE)', 'openDescriptor(path, "w+")'],
  }),
  ...within("core/partition/append/log-writer.ts", [GUARD, LOCK], {
    "acknowledges without looking at the lock": [
      "this.#checkOwner(); // if the directory has a new owner, that may have read it without this group",
      "",
    ],
  }),
  ...within("core/storage/home.ts", [STORE, LOCK], {
    "opens without a lock": ["return storage.lock(path);", "return { check() {}, release: async () => {} };"],
  }),
  ...within("core/store/open-store.ts", [STORE, FAULTS, LOCK], {
    "keeps the lock of a store that it could not open": [
      "} catch (error) {\n    await lock.release().catch(() => {});\n    throw error;",
      "} catch (error) {\n    throw error;",
    ],
    "does not sync the name of store.json": [
      "await storage.syncDirectory(path); // a crash may have come between the file's renaming and that",
      "",
    ],
    "opens a topic beside its broker": ["await checkNotABrokers(storage, path);", ""],
  }),
  ...within("core/store/repair-store.ts", [STORE, GOLDEN], {
    "does not tell other processes of a repair": [
      "if (bounds !== undefined) await watermarks.set(partition, bounds);",
      "void bounds;",
      "waits for tests",
    ],
  }),
  ...within("core/broker/snapshots/snapshot-names.ts", ["src/broker/snapshots/snapshot-names.test.ts"], {
    "takes capitals for small letters": [
      "if (/[a-zA-Z]/.test(letter) && (letter !== lower) !== isUpper) {",
      "if (letter < lower && isUpper) {",
    ],
  }),
  ...within("core/snapshot/cut.ts", [SNAPSHOTS, STORE_SNAPSHOT], {
    "takes what may not be read yet": ["end: highWatermark,", "end: log.offsets.logEnd,"],
    "lets files go that it needs": ["segments.map((segment) => segment.hold())", "segments.map(() => async () => {})"],
    "goes on from a place that was deleted": ["if (outdated.length === 0)", "if (outdated.length >= 0)"],
  }),
  ...within("core/snapshot/copy-partition.ts", [OVERTAKEN, SNAPSHOTS, STORE_SNAPSHOT, SNAPSHOT_CRASH], {
    "links the segment that is written to": [
      "await copyFile(storage, last.path, `${directory}/${last.name}`, position);",
      "await linkOrCopy(storage, last.path, `${directory}/${last.name}`);",
    ],
    "does not wait for a finished segment's sync": ["await log.finishedDurably();", ""],
    "forgets the newest batches of producers": ["producers.appended(batch);", ""],
    "notes no log start": ["...found, logStart,", "...found, logStart: 0,"],
  }),
  ...within("core/restore/restore-store.ts", [SNAPSHOTS, SNAPSHOT_CRASH], {
    "links the segment that goes on": ["if (baseOffset === last) await copyFile", "if (baseOffset < 0) await copyFile"],
    "keeps the id of another store": ["{ ...identity, id: storage.randomHex(16) }", "identity"],
  }),
  ...within("core/restore/check-restored.ts", [SNAPSHOTS], {
    "takes less than there was": ["if (sizeBytes !== said.sizeBytes)", "if (sizeBytes > said.sizeBytes)"],
  }),
  ...within("core/storage/link-or-copy.ts", [SNAPSHOTS, STORE_SNAPSHOT, SNAPSHOT_CRASH], {
    "gives up where it cannot link": ['.has((error as NodeJS.ErrnoException).code ?? "")', '.has("")'],
  }),
  ...within("core/broker/snapshots/snapshots.ts", [SNAPSHOTS, SNAPSHOT_CRASH], {
    "does not sync a new snapshot's name": [
      "await this.#directories.syncNames(topic, `${what}: delete it and make it again`);",
      "void what;",
    ],
    "removes a snapshot in its place": [
      "await storage.rename(directory, deleted);",
      "await storage.removeDirectory(directory);",
    ],
    "does not sync that a snapshot is gone": [
      ".syncNames(topic, `snapshot ${snapshot} of topic ${topic} was deleted, but may be back after a power cut`)",
      ".has(topic, snapshot)",
    ],
    "restores other offsets": ["await checkBounds(this.#storage, directory, said);", ""],
    "goes on when the broker is closed": [
      "await store.copyTo(unfinished, this.#stop.signal);",
      "await store.copyTo(unfinished, new AbortController().signal);",
    ],
  }),
  ...within("core/broker/snapshots/snapshot-directories.ts", [SNAPSHOTS, SNAPSHOT_CRASH], {
    "does not sync the names that it found": [
      "this.#storage.syncDirectory(this.path(topic)).catch((cause) => this.#noteUnreadable(cause, topic)),",
      "void topic,",
    ],
    "leaves what was half made": ["if (UNFINISHED.test(name)) await", 'if (name === "~") await'],
  }),
  ...within("core/partition/read/found-damage.ts", [FOUND_DAMAGE], {
    "takes what is corrupt for mended": [
      'if (code === "STORAGE_FAILED" && from <= offset',
      "if (code && from <= offset",
    ],
    "tells of what was deleted": ["if (found < offset) this.#found.delete(found);", "void offset;"],
    "takes a lack of descriptors for damage": [
      'return code === "ENOENT" || isDiskTrouble({ code });',
      "return code !== undefined || isDiskTrouble({ code });",
    ],
  }),
  ...within("core/partition/read/readable-log.ts", [RECOVERY, GOLDEN, FOUND_DAMAGE], {
    "keeps rot to itself": [
      "return this.cameUpon(damagedAt(this, segment, batch.baseOffset, byte, cause));",
      "return damagedAt(this, segment, batch.baseOffset, byte, cause);",
    ],
  }),
  ...within("core/partition/read/append-time-at.ts", [READ_FAULTS], {
    "keeps what it could not read to itself": [
      "if (!wasDeleted) log.cameUpon(readError(log, segment, offset, error));",
      "void readError(log, segment, offset, wasDeleted);",
    ],
  }),
  ...within("core/store/record-stream.ts", [RECOVERY, GOLDEN, FOUND_DAMAGE], {
    "reads without verifying": ["return batch.verify();", "return batch;"],
    "ends quietly at the damage": ["log.checkEnd();\n  }", "}"],
  }),
  ...within("core/segment/segment.ts", [SNAPSHOTS, POWER_CUTS, FAULTS, SEGMENTS, STORE, DELETION, SWEEP], {
    "does not sync a new segment's name": ["await home.storage.syncDirectory(home.directory);", ""],
    "lets readers see what is not published": ["return this.#visibleSize ?? this.size();", "return this.size();"],
    "cuts no zeros": ["await (await this.file()).truncate(size);", ""],
    "forgets the zeros that it wrote": ["this.#zerosTo = end + ahead;", "this.#zerosTo = end;"],
    "counts the zeros as log": ["this.#size = position;", "this.#size = Math.max(position, this.#zerosTo);"],
    "removes a log before its index": [
      "await this.indexFile.remove();\n    await this.#home.storage.remove(this.path);",
      "await this.#home.storage.remove(this.path);\n    await this.indexFile.remove();",
    ],
  }),
  ...within("core/segment/lazy-file.ts", [SEGMENTS], {
    "closes a file that is being read": ["await Promise.allSettled(this.#reading);", "", "waits for tests"],
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
  ...within("core/segment/segment-list.ts", [SEGMENTS, STORE], {
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
  ...within("core/file-engine/file-catalogue.ts", [BROKER, GOLDEN], {
    "makes a topic in its place": [
      "const unfinished = `${directory}.new`;",
      "const unfinished = directory;",
      "waits for tests",
    ],
    "does not sync a new topic's name": [
      "await storage.syncDirectory(this.#directory);\n      return await",
      "return await",
      "waits for tests",
    ],
    "removes a topic in its place": [
      "const deleted = `${directory}.deleted`;",
      "const deleted = directory;",
      "waits for tests",
    ],
    "does not sync that a topic is gone": [
      "await this.#storage.syncDirectory(this.#directory);\n    await this.#storage.removeDirectory(deleted)",
      "await this.#storage.removeDirectory(deleted)",
      "waits for tests",
    ],
    "keeps what was half made and half removed": ["if (UNFINISHED.test(id)) await", 'if (id === ".deleted") await'],
    "serves one of two that have the same name": [
      "if (other === undefined && !unreadable.some((each) => each.topic === topic)) {",
      "if (!unreadable.some((each) => each.topic === topic)) {",
    ],
    "alters a topic until it is opened again": [
      "await writeTopicFile(this.#storage, location, file);",
      "",
      "waits for tests",
    ],
  }),
  ...within("core/broker/topics/topics.ts", [BROKER, GOLDEN], {
    "gives an unreadable topic's name again": [
      "return this.#topics.has(topic) || this.#isUnreadable(topic);",
      "return this.#topics.has(topic);",
      "waits for tests",
    ],
  }),
  ...within("core/file-engine/topic-file.ts", [BROKER, GOLDEN], {
    "takes any directory for a topic": [
      "if (content === undefined) return undefined;",
      "if (content === undefined) throw new NotALogStoreError(file, { file });",
    ],
  }),
  ...within("core/broker/producer-ids.ts", ["src/broker/producer-ids.test.ts", GOLDEN], {
    "hands out ids before they are reserved": [
      "if (this.#next >= this.#reserved) await this.#reserve();",
      "if (this.#next >= this.#reserved) void this.#reserve().catch(() => {});",
    ],
    "reserves too few": ["next: first + BLOCK };", "next: first };"],
    "begins anew where the file is damaged": [
      "if (content?.formatVersion === 1) return content.next;",
      "return content?.next ?? 1;",
    ],
    "goes on with a block that could not be noted": [
      "      const isSet = await this.#map",
      "      this.#next = first;\n      this.#reserved = first + BLOCK;\n      const isSet = await this.#map",
    ],
    "takes a block that another broker has taken": ["      if (isSet === undefined) continue;\n", ""],
    "hands the same id to two at once": [
      "const next = this.#last.then(() => this.#take());",
      "const next = this.#take();",
    ],
  }),
  ...within("core/group/decide/reconcile.ts", [TURNS, GROUPS, SIMULATION], {
    "gives before it was given up": [
      "if (memberId === undefined || takenOfTopic?.[partition] !== undefined) continue;",
      "if (memberId === undefined || takenOfTopic?.[partition] === memberId) continue;",
    ],
    "gives under the old epoch": [
      "gain.set(topic, partition, { since: draft.epoch, revokedAt: undefined });",
      "gain.set(topic, partition, { since: 0, revokedAt: undefined });",
    ],
    "does not take back what is meant for others": [
      "kept.set(topic, partition, { ...holding, revokedAt: draft.epoch });",
      "void holding;",
    ],
  }),
  ...within("core/group/decide/apply-input.ts", [TURNS, GROUPS, SIMULATION], {
    "takes an answer to something older": [
      "if (revokedAt !== undefined && memberEpoch >= revokedAt) kept.delete(topic, partition);",
      "if (revokedAt !== undefined) kept.delete(topic, partition);",
    ],
    "takes an answer for what was not asked for": [
      "if (revokedAt !== undefined && memberEpoch >= revokedAt) kept.delete(topic, partition);",
      "if (memberEpoch >= (revokedAt ?? 0)) kept.delete(topic, partition);",
    ],
    "a static member inherits what it was to give up": [
      "if (revokedAt === undefined) kept.set(topic, partition, { since: draft.epoch, revokedAt: undefined });",
      "kept.set(topic, partition, { since: draft.epoch, revokedAt });",
    ],
    "a static member comes back under the old epoch": [
      "if (revokedAt === undefined) kept.set(topic, partition, { since: draft.epoch, revokedAt: undefined });",
      "if (revokedAt === undefined) kept.set(topic, partition, { since: 0, revokedAt: undefined });",
    ],
    "a static member is told of topics that it does not name": ["if (!isWanted(member.topics, topic)) continue;", ""],
    "commits of a deleted topic's owner count": [
      "kept.set(topic, partition, { since: NEVER, revokedAt });",
      "kept.set(topic, partition, { since: 0, revokedAt });",
    ],
    "forgets nothing of a deleted topic": ["  draft.forgotten.push(topic);\n", ""],
  }),
  ...within("core/group/decide/turn-draft.ts", [TURNS, GROUPS, SIMULATION], {
    "shares out anew when a static member comes back": [
      "else this.successors.set(memberId, successor);",
      "else this.isStale = true;",
    ],
  }),
  ...within("core/group/decide/target.ts", [TURNS, GROUPS, SIMULATION], {
    "what is being given up counts as kept after a recovery": [
      "if (revokedAt === undefined) ownersOf(owners, topic)[partition] = member.memberId;",
      "ownersOf(owners, topic)[partition] = member.memberId;\n        void revokedAt;",
    ],
    "does not see that a topic is new": [
      "if (!draft.isStale && before !== undefined && hasShape(before, counts)) return before;",
      "if (!draft.isStale && before !== undefined) return before;",
    ],
  }),
  ...within("core/group/decide/take-turn.ts", [TURNS, GROUPS, SIMULATION], {
    "gains are written down before the losses": ["...[...losses, ...parts].map(", "...[...parts, ...losses].map("],
  }),
  ...within("core/group/decide/commits.ts", [GROUPS, COORDINATOR, SIMULATION], {
    "takes commits of older epochs": ["if (memberEpoch >= holding.since) return undefined;", "return undefined;"],
    "takes commits of whoever is a member": [
      "if (holding === undefined) {",
      "if (holding === undefined && memberEpoch < 0) {",
    ],
    "commits go back": ["if (offset >= committed) {", "if (offset >= 0) {"],
    "takes commits beyond the end": ["if (offset <= logEnd || damage", "if (offset <= logEnd + 1 || damage"],
    "takes commits of nobody while there are members": [
      "if (state === undefined || state.members.size === 0) return undefined;",
      "return undefined;",
    ],
  }),
  ...within("core/group/decide/resets.ts", [GROUPS, SIMULATION], {
    "a reset does not change the epoch": ["since: isKept ? epoch : NEVER", "since: isKept ? holding.since : NEVER"],
    "a reset leaves who gives up alone": ["since: isKept ? epoch : NEVER", "since: isKept ? epoch : holding.since"],
    "the owner keeps its old epoch": ["epoch: ofMember.length > 0 ? epoch : member.epoch", "epoch: member.epoch"],
  }),
  ...within("core/group/members/news.ts", [GROUPS, COORDINATOR, SIMULATION], {
    "who was away hears of no reset": [
      "if (since > knownEpoch && since !== NEVER && offset !== undefined)",
      "if (since > knownEpoch && since === NEVER && offset !== undefined)",
    ],
    "who was away hears only of resets of what it keeps": [
      "for (const [topic, partition, { since }] of holdingsOf(member)) {",
      "for (const [topic, partition, { since, revokedAt }] of holdingsOf(member)) {\n    if (revokedAt !== undefined) continue;",
    ],
    "who goes on is told the newest epoch first": [
      "joined: joinedOf(member, knownEpoch),",
      "joined: joinedOf(member, member.epoch),",
    ],
    "tells what is to be given up as owned": ["else partitions.push(", "if (partition >= 0) partitions.push("],
  }),
  ...within("core/group/journal/group-format.ts", ["src/group/names.test.ts"], {
    "names are keys of an object with a prototype": ["Object.create(null) as ByTopic<Entry>", "{} as ByTopic<Entry>"],
  }),
  ...within("core/group/state/group-totals.ts", ["src/group/state/group-totals.test.ts"], {
    "groups grow beyond their limits": [
      "if (more <= 0 || held[kind] + more <= limits[kind]) continue;",
      "if (limits[kind] >= 0) continue;",
    ],
    "joins that are being decided do not count": ["    this.add(owner, held);\n", ""],
    "a principal has no limits": ["if (owner !== undefined) {", "if (owner === undefined) {"],
  }),
  ...within("core/group/members/members.ts", [COORDINATOR, GROUPS, SIMULATION, "src/group/names.test.ts"], {
    "tells before it is durable": [
      "    durable.then(\n      () => this.#slices.add(eachInTurn(tellings)),\n      () => {},\n    );",
      "    this.#slices.add(eachInTurn(tellings));\n    durable.catch(() => {});",
    ],
    "a join that is said again makes another member": [
      "if (memberEpoch > 0 || this.#member(group, memberId) !== undefined) {",
      "if (memberEpoch > 0) {",
    ],
    "a membership is told before it has its turn": [
      "return membership.isWelcome ? membership : undefined;",
      "return membership;",
    ],
    "lets anybody come back with any epoch": [
      "if (memberEpoch < session.heardEpoch || memberEpoch > member.epoch) {",
      "if (memberEpoch > member.epoch) {",
    ],
    "nobody is ever silent": [
      'if (at <= now) this.input(group, { type: "gone", memberId, reason });',
      'if (at < 0) this.input(group, { type: "gone", memberId, reason });',
    ],
    "a newer membership leaves the older one there": ["    session.membership?.finish();\n", ""],
    "listens to an older membership": [
      "return session?.membership === membership ? session : undefined;",
      "return session;",
    ],
    "members of before a crash have no session": [
      "        this.#sessions.set(keyOf(group, memberId), session);\n        this.#note",
      "        this.#note",
    ],
  }),
  ...within("core/group/group-coordinator.ts", [COORDINATOR, GROUPS], {
    "answers a commit before it is durable": [
      "    return this.#journal.append(changes());",
      "    this.#journal.append(changes()).catch(() => {});\n    return Promise.resolve();",
    ],
    "does not look at the topics after a recovery": [
      '      if (members.size > 0) this.#members.input(group, { type: "topicsChanged" });\n      yield;',
      "      yield;",
    ],
    "commits beyond a log that lost its end stay": [
      "if (offset > logEnd) beyond.push({ topic, topicId: this.#topics.id(topic), partition, offset: logEnd });",
      "",
    ],
    "keeps groups for ever": [
      "if (emptySince === undefined || emptySince + this.#offsetsRetentionMs > at) continue;",
      "if (emptySince === undefined || emptySince + this.#offsetsRetentionMs >= 0) continue;",
    ],
  }),
  ...within("core/group/journal/journal.ts", [COORDINATOR], {
    "goes on after the disk failed": ['this.fail(storageError(error, "the groups\' log failed"));', ""],
  }),
  ...within("core/group/time/clock.ts", [COORDINATOR], {
    "counts the time in which it was stopped": ["this.#awayMs += now - this.#expectedBy;", ""],
  }),
  ...within("core/group/members/session.ts", [COORDINATOR, GROUPS], {
    "waits for ever for what is to be given up": ["if (overdue < silent) {", "if (overdue < 0) {"],
    "begins to wait anew with each answer": [
      "for (const epoch of epochs) if (!session.toldAt.has(epoch)) session.toldAt.set(epoch, now);",
      "for (const epoch of epochs) session.toldAt.set(epoch, now);",
    ],
  }),
  ...within("core/group/members/membership.ts", [GROUPS], {
    "an assignment comes before the reset": [
      "const event = this.#joined ?? this.#resets ?? this.#assignment;",
      "const event = this.#joined ?? this.#assignment ?? this.#resets;",
    ],
    "a second reset replaces the first": [
      "this.#resets = this.#resets === undefined ? resets : both(this.#resets, resets)",
      "this.#resets = resets",
    ],
  }),
  ...within("core/group/journal/group-log.ts", [GROUP_LOG], {
    "a snapshot is ahead of the log": [
      "const ready = () => this.#writer.settled();",
      "const ready = () => Promise.resolve();",
    ],
    "skips what the snapshot has not": ["readRecords(log, Math.max(logStart, from))", "readRecords(log, upTo)"],
    "deletes the log before the snapshot is there": [
      "this.#lastSnapshotBytes = await writeSnapshot(this.#store, from, this.#encoded(), ready);\n    await log.deleteRecords(from);",
      "await ready();\n    await log.deleteRecords(from);\n    this.#lastSnapshotBytes = await writeSnapshot(this.#store, from, this.#encoded(), ready);",
    ],
    "takes a missing snapshot for an empty one": [
      "if (logStart > from) throw",
      'if (logStart > from && found === "damaged") throw',
    ],
  }),
  ...within("core/file-engine/file-journal-store.ts", [SNAPSHOT_FILE, GROUP_LOG], {
    "does not sync the snapshot": ["      await file.sync();\n", ""],
    "does not sync the snapshot's name": ["    await storage.syncDirectory(this.location);\n", ""],
  }),
  ...within("core/group/journal/snapshot-file.ts", [SNAPSHOT_FILE, GROUP_LOG], {
    "does not count the groups": ["isWhole = piece.groups === count;", "isWhole = true;"],
  }),
  ...within("core/broker/topics/topics.ts", ["src/broker/topic-id.test.ts"], {
    "takes a topic for another one of its name": [
      "if (!expected || expected === id) return;",
      "if (expected !== id) return;",
    ],
  }),
  ...within("core/file-engine/file-catalogue.ts", ["src/broker/topic-id.test.ts"], {
    "gives a topic without an id another one at each opening": [
      "id ?? topicIdOf(store.id)",
      "id ?? topicIdOf(this.#storage.randomHex(16))",
    ],
  }),
  ...within("core/group/group-coordinator.ts", ["src/broker/topic-id.test.ts"], {
    "counts what was committed for another topic of that name": [
      "!this.#topics.mayExist(topic) || this.#isOfAnother(state, topic)",
      "!this.#topics.mayExist(topic)",
    ],
  }),
  ...within("core/broker/broker.ts", [GROUPS], {
    "groups do not hear that a topic is gone": [
      "await this.#topics.delete(topic, () => groups.topicDeleted(topic), topicId);",
      "await this.#topics.delete(topic, async () => {}, topicId);",
    ],
    "groups do not hear that a topic is new": [
      "await this.#topics.create(topic, partitions, config, ifNotExists);\n    this.#groupsOrNone?.topicsChanged();",
      "await this.#topics.create(topic, partitions, config, ifNotExists);",
    ],
    "groups do not hear that a topic was restored": [
      'await this.#files("snapshots").snapshots.restore(topic, snapshot, newTopic);\n    this.#groupsOrNone?.topicsChanged();',
      'await this.#files("snapshots").snapshots.restore(topic, snapshot, newTopic);',
    ],
  }),
  ...within("core/group/lag.ts", [GROUPS], {
    "the lag of what is deleted counts": [
      "behindGap(Math.max(committed ?? logStart, logStart), gaps)",
      "behindGap(committed ?? logStart, gaps)",
    ],
  }),
  ...within("core/group/assignors/sticky.ts", [ASSIGNORS, SIMULATION], {
    "shares are left uneven": ["    yield* evenOut(shares, wanting);\n", ""],
    "shares of members that want the same are left uneven": ["    yield* evenOutAlike(shares);\n", ""],
    "nobody keeps anything": [
      "if (keeper?.member.topics.has(topic)) give",
      "if (keeper?.member.topics.has(topic) && keeper.count < 0) give",
    ],
  }),
  ...within("core/group/assignors/uneven-wants.ts", [ASSIGNORS], {
    "evens out between neighbours only": ["    level = next;", "    level = [];\n    void next;"],
    "takes a share that nobody can take of directly for even": [
      " ?? (yield* pathToLess(most, shares.length, wanting))",
      "",
    ],
  }),
  ...within("core/broker/topics-for-groups.ts", [GROUPS], {
    "forgets the commits of a topic that cannot be read": [
      "topics.has(topic) || topics.unreadable.some((other) => other.topic === undefined || other.topic === topic),",
      "topics.has(topic),",
    ],
  }),
  ...within("protocol/batch-messages.ts", ["src/batch-messages.test.ts"], {
    "frames over what is before too small a headroom": [
      "  if (prefix.length <= headroomBytes && start >= 0) {",
      "  if (start >= 0) {",
    ],
  }),
  ...within("codec/record-batch.ts", ["test/golden.test.ts", "test/damage.test.ts", "test/fuzz/fuzz.test.ts"], {
    "does not verify the records' checksum": ["if (actual === expected) return;", "if (actual >= 0) return;"],
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
  ...within("codec/record-cursor.ts", ["test/golden.test.ts", "test/damage.test.ts", "test/fuzz/fuzz.test.ts"], {
    "reads beyond a batch's end": [
      'if (end > this.#end) throw this.#corrupt("a record is longer than its batch");',
      "",
    ],
    "reads beyond a record's end": ["this.#keyEnd > end || this.#valueEnd > end", "false"],
    "leaves bytes over": ["if (this.#recordEnd !== this.#end) throw", "if (this.#recordEnd < 0) throw"],
  }),
  ...within(
    "codec/ordinary-records.ts",
    ["src/ordinary-records.test.ts", "test/damage.test.ts", "test/fuzz/fuzz.test.ts"],
    {
      "lets a key through that is longer than its record": [
        "at + keyMark - 1) <= recordEnd",
        "at + keyMark - 1) <= end",
      ],
    },
  ),
  ...within("codec/validate-batch.ts", ["src/validate-batch.test.ts", "test/damage.test.ts"], {
    "accepts a batch with records that nobody can read": ["batch.verify().checkRecords();", "batch.verify();"],
    "accepts any number of batches that unpack": [
      "if (recordsLength > limits.maxRecordsBytes) {",
      "if (recordsLength < 0) {",
    ],
  }),
  ...within("codec/server-half.ts", ["src/record-batch.test.ts", "test/fuzz/fuzz.test.ts"], {
    "believes a header without its checksum": [
      "if (!hasSoundServerHalf(bytes, at)) return undefined;",
      "if (bytes.length - at < layout.PRODUCER_CRC_OFFSET) return undefined;",
    ],
    "takes any bytes for a newer batch": [
      "return crc32c(bytes, at, at + layout.SERVER_CRC_OFFSET) === readU32(bytes, at + layout.SERVER_CRC_OFFSET);",
      "return true;",
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
    "keeps what it could not unpack": ["      release(first ?? (unpacking as WithOutBuffer)._outBuffer);\n", ""],
    "unpacks to any length on another thread": [
      "if (length > maxBytes) unpacking.destroy",
      "if (false) unpacking.destroy",
    ],
  }),
  ...within("codec/record-batch.ts", ["src/compression.test.ts"], {
    "keeps the memory of records that it has checked": ["      release?.();\n", ""],
    "keeps the memory of records that are not whole": ["      unpacked?.release?.();\n", ""],
  }),
];
