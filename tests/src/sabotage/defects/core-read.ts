/** Defects of reading a partition. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source text
import {
  CONSUME,
  DELETION,
  FOUND_DAMAGE,
  GOLDEN,
  READ_FAULTS,
  READ_ONLY_BROKER,
  RECORD_COUNT,
  RECOVERY,
  SEGMENTS,
  STORE,
  TAIL,
} from "./catchers.ts";
import { type Defect, within } from "./defect.ts";

export const coreReadDefects: readonly Defect[] = [
  ...within("core/partition/read/tail-cache.ts", [TAIL, STORE], {
    "hands out what may not be read yet": ["if (batch.baseOffset >= until || segment", "if (segment"],
    "hands out two segments as one": ["|| segment !== first.segment) break;", ") break;"],
    "hands out more than was asked for": ["if (i > from && byteLength + batch.byteLength > maxBytes) break;", ""],
    "loses count of positions": ["at += byteLength;\n      this.#cache", "this.#cache"],
    "keeps everything": ["while (this.#bytes > this.#maxBytes)", "while (this.#bytes > this.#maxBytes * 1000)"],
    "frees the bytes of callers": ["if (isOwned && byteLength", "if (byteLength"],
    "leaves owned bytes to the collector": [
      "if (isOwned && byteLength >= FREED_FROM_BYTES) freeBuffer(batch.bytes);",
      "",
    ],
    "keeps what closed partitions had": ["    this.#isClosed = true;\n", ""],
    "counts what closed partitions had": [
      "    this.#bytes -= byteLength;\n    this.#closedCount",
      "    this.#closedCount",
    ],
  }),
  ...within("core/partition/read/batch-reader.ts", [READ_ONLY_BROKER], {
    "ends quietly at damage": ["if (this.#offset < until) this.#log.checkEnd();", ""],
  }),
  ...within("core/partition/read/batch-reader.ts", [TAIL, RECORD_COUNT, GOLDEN, DELETION, RECOVERY, SEGMENTS], {
    "reads on across a gap": ["if (!follows) throw new Error(`a batch begins at offset ${baseOffset}`);", ""],
    "reads on behind a missing segment": [
      "if (next === undefined || next.baseOffset !== this.#offset)\n",
      "if (next === undefined)\n",
    ],
    "takes a wrong record count for batches before": [
      "if (isFirst && nextOffset <= this.#offset) {",
      "if (nextOffset <= this.#offset) {",
    ],
    "reads from memory what may not be read yet": [
      "tail?.read(this.#offset, end, maxBytes)",
      "tail?.read(this.#offset, Number.POSITIVE_INFINITY, maxBytes)",
    ],
    "reads deleted records": [
      "if (this.#offset < log.offsets.logStart) throw outOfRange(log, this.#offset); // deleted meanwhile",
      "if (this.#offset < log.offsets.logStart) return undefined;",
    ],
    "forgets how far it read in memory": [
      "this.#goTo(segment, position + byteLength);",
      "this.#goTo(segment, this.#position + byteLength);",
    ],
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
      "  return bytes.buffer.byteLength - headroomBytes;",
      "  void headroomBytes;\n  return bytes.length;",
    ],
    "gives back at once what a chunk from memory holds": [
      "budget?.giveBack(takenBytes - heldBytes);",
      "budget?.giveBack(takenBytes);",
    ],
    "does not give back what was released of memory": [
      "owned(chunk, () => budget?.giveBack(heldBytes))",
      "owned(chunk, () => {})",
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
  ...within("core/engine/read/checked-read.ts", [CONSUME], {
    "takes any gap for one of a repair": ["if (!isLost(log, expected, next)) throw gapError(log, expected, next);", ""],
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
  ...within("core/partition/read/found-damage.ts", [FOUND_DAMAGE], {
    "takes what is corrupt for mended": [
      'if (code === "STORAGE_FAILED" && from <= offset',
      "if (code && from <= offset",
    ],
    "tells of what was deleted": ["if (found < offset) this.#found?.delete(found);", "void offset;"],
    "takes a lack of descriptors for damage": [
      'return code === "ENOENT" || isDiskTrouble({ code });',
      "return code !== undefined || isDiskTrouble({ code });",
    ],
  }),
  ...within("core/partition/read/readable-log.ts", [RECOVERY, GOLDEN, FOUND_DAMAGE], {
    "keeps rot to itself": [
      "return this.noteDamage(damagedAt(this, segment, batch.baseOffset, byte, cause));",
      "return damagedAt(this, segment, batch.baseOffset, byte, cause);",
    ],
  }),
  ...within("core/partition/read/append-time-at.ts", [READ_FAULTS], {
    "keeps what it could not read to itself": [
      "if (!wasDeleted) log.noteDamage(readError(log, segment, offset, error));",
      "void readError(log, segment, offset, wasDeleted);",
    ],
  }),
];
