/** Defects of appending to a partition. */
import { ENGINE, FAULTS, FLUSH, GOLDEN, GUARD, LOCK, POWER_CUTS, PRODUCERS, STORE, SWEEP, TAIL } from "./catchers.ts";
import { type Defect, within } from "./defect.ts";

export const coreAppendDefects: readonly Defect[] = [
  ...within("core/engine/append/assign-offsets.ts", [FAULTS, POWER_CUTS, PRODUCERS, FLUSH, GOLDEN, SWEEP, STORE], {
    "claims that a batch makes itself durable": [
      "batch.accept({ baseOffset: end, appendTime, flushedUpTo })",
      "batch.accept({ baseOffset: end, appendTime, flushedUpTo: Math.max(flushedUpTo, logEnd.offset) })",
    ],
    "leaves a gap for what it refuses": [
      "logEnd: { offset: end, appendTime },",
      "logEnd: { offset: end + (known.length > accepted.length ? 1 : 0), appendTime },",
    ],
    "follows a clock that jumps back": ["return Math.max(previous, appendTime", "return Math.max(0, appendTime"],
    "ignores the expected offset": [
      "isNew && expectedOffset !== undefined && expectedOffset !== logEnd.offset",
      "false",
    ],
    "refuses what was appended, because more was": [
      "isNew && expectedOffset !== undefined && expectedOffset !== logEnd.offset",
      "expectedOffset !== undefined && expectedOffset !== logEnd.offset",
    ],
  }),
  ...within("core/engine/append/assign-offsets.ts", [ENGINE], {
    "gives a copy a new append time": ["appendTime === 0 ? now : Math.min(appendTime, now)", "now"],
    "takes an append time from the future": ["Math.min(appendTime, now)", "appendTime"],
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
      "await this.#publishBounds(this.#log.partition, offsets.logStart, offsets.logEnd);\n    if (wantsFlush && offsets.flushedUpTo < offsets.logEnd) await",
      "waits for tests",
    ],
    "tells other processes nothing": [
      "const publishing = this.#publishBounds(partition, offsets.logStart, offsets.logEnd);",
      "const publishing = partition < 0 ? Promise.resolve() : undefined;",
      "waits for tests",
    ],
    "calls a duplicate flushed that is not": [
      "if (wantsFlush && offsets.flushedUpTo < offsets.logEnd) await",
      "if (wantsFlush && accepted.length > 0) await",
    ],
    "goes on after a sync behind the writer failed": [
      "this.#behind.check();\n    this.#checkOwner(RECENT_MS);\n    const now",
      "this.#checkOwner(RECENT_MS);\n    const now",
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
    "keeps batches in memory at the wrong place": [
      "this.#log.tail?.add(batches, segment, position, owned);",
      "this.#log.tail?.add(batches, segment, 0, owned);",
    ],
  }),
  ...within("core/partition/append/log-writer.ts", [GUARD, LOCK], {
    "acknowledges without looking at the lock": [
      "this.#checkOwner(); // if the directory has a new owner, that may have read it without this group",
      "",
    ],
  }),
  ...within("core/partition/append/log-writer.ts", [TAIL], {
    "frees the bytes of an append that fails": ["this.#cache = () => this.#log.tail?.add", "this.#log.tail?.add"],
  }),
  ...within("core/partition/append/appender.ts", [TAIL], {
    "frees one of several batches in a buffer": [" && batches.length === 1;", ";"],
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
  ...within("core/partition/append/group-commit.ts", [STORE], {
    "keeps the event loop from everything else": ["if (pacer.isDue) await pacer.pause();", ""],
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
      "[...(this.#producers ?? [])].map(",
      "[...(this.#producers ?? []), ...(this.#unwritten ?? [])].map(",
    ],
    "lets a gap through within one append": [
      "if (batch.baseSequence !== sequenceAfter(previous)) throw outOfOrder(batch, sequenceAfter(previous));",
      "",
    ],
  }),
  ...within("core/engine/append/check-later.ts", ["src/engine/append/check-later.test.ts"], {
    "large appends of one partition are checked before those of others": [
      "waiting.delete(partition);\n    if (queue.length > 0) waiting.set(partition, queue); // at the end, behind the other partitions",
      "if (queue.length === 0) waiting.delete(partition);",
    ],
  }),
];
