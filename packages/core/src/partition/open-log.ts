/** Finds a partition's files, and recovers its log. */
import { StorageFailedError } from "@logstore/codec";
import { readCheckpoint } from "../files/checkpoint-file.js";
import { baseOffsetsOf, TEMPORARY_SUFFIX } from "../files/file-names.js";
import { Segment, type SegmentHome } from "../segment/segment.js";
import { ProducerState } from "./producer-state.js";
import { type RecoveredLog, recoverLog } from "./recovery.js";

/** A disk that cannot be read costs this partition, not the store. */
export async function openLog(
  home: SegmentHome,
  partition: number,
): Promise<{ segments: Segment[]; recovered: RecoveredLog }> {
  let segments: Segment[] = [];
  try {
    const { storage, directory } = home;
    const names = (await storage.list(directory)) ?? [];
    for (const name of names) {
      if (name.endsWith(TEMPORARY_SUFFIX)) await storage.remove(`${directory}/${name}`);
    }
    segments = baseOffsetsOf(names).map((baseOffset) => new Segment(home, baseOffset));
    const checkpoint = names.length === 0 ? undefined : await readCheckpoint(storage, directory);
    const recovered = await recoverLog({ home, partition, segments, checkpoint });
    const torn = recovered.active?.later ?? [];
    return { segments: segments.filter((segment) => !torn.includes(segment)), recovered };
  } catch (cause) {
    for (const segment of segments) await segment.close();
    if ((cause as NodeJS.ErrnoException).code !== "EIO") throw cause;
    return { segments: [], recovered: unreadable(unreadableError(partition, cause as Error)) };
  }
}

function unreadable(damage: StorageFailedError): RecoveredLog {
  const producers = new ProducerState();
  const nothing = {
    logStart: 0,
    nextOffset: 0,
    expectedEnd: 0,
    lastAppendTime: 0,
    active: undefined,
    tornTail: undefined,
    gaps: [],
  };
  return { ...nothing, producers, damage, zeroTails: [] };
}

function unreadableError(partition: number, cause: Error): StorageFailedError {
  return new StorageFailedError(
    `partition ${partition} cannot be read (${cause.message}): see to its disk, then open the store again`,
    { partition },
    { cause },
  );
}
