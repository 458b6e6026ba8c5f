/** Defects of opening a partition after a crash. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are pieces of source text
import { DELETION, FAULTS, GOLDEN, POWER_CUTS, RECOVERY, STORE_SNAPSHOT, SWEEP, TORN } from "./catchers.ts";
import { type Defect, within } from "./defect.ts";

export const coreRecoveryDefects: readonly Defect[] = [
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
  ...within("core/partition/recovery/torn-tail.ts", [POWER_CUTS, TORN, STORE_SNAPSHOT, RECOVERY, SWEEP], {
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
  ...within("core/partition/recovery/open-log.ts", [POWER_CUTS, DELETION, RECOVERY, GOLDEN, SWEEP], {
    "keeps segments that were set aside": [
      "segments.slice(0, segments.length - torn)",
      "segments.slice(0, segments.length - torn * 0)",
    ],
    "leaves temporary files": ["if (name.endsWith(TEMPORARY_SUFFIX)) await", "if (name === TEMPORARY_SUFFIX) await"],
  }),
];
