/** Looks up many positions of a topic without blocking other calls. */
import type { PartitionOffset, Position } from "@logstore/protocol";
import { checkedPosition } from "../engine/read/position.js";
import { sharedPacer } from "../pacing/pacer.js";

/** Number of partitions of one call that are looked up concurrently; times need the disk. */
const CONCURRENCY = 4;

interface Wanted {
  readonly partition: number;
  readonly position: Position;
}

type LookUp = (partition: number, position: Position) => Promise<PartitionOffset>;

/**
 * Returns one result for each request, in order. A position that is requested several times is
 * looked up once. A time between two others with the same offset is not looked up.
 */
export async function listPositions(requests: readonly Wanted[], lookUp: LookUp): Promise<PartitionOffset[]> {
  const wanted = requests.map((each) => ({ ...each, position: checkedPosition(each.position) }));
  const answers: PartitionOffset[] = new Array(wanted.length);
  const partitions = indexesByPartition(wanted).entries();
  const worker = async () => {
    for (const [partition, indexes] of partitions) {
      const found = await positionsOf(
        partition,
        indexes.map((i) => wanted[i]!.position),
        lookUp,
      );
      for (const i of indexes) answers[i] = found.get(keyOf(wanted[i]!.position))!;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return answers;
}

function indexesByPartition(wanted: readonly Wanted[]): Map<number, number[]> {
  const byPartition = new Map<number, number[]>();
  for (const [i, { partition }] of wanted.entries()) {
    const indexes = byPartition.get(partition);
    if (indexes) indexes.push(i);
    else byPartition.set(partition, [i]);
  }
  return byPartition;
}

/** Looks up positions of one partition. Returns the results by {@link keyOf}. */
async function positionsOf(
  partition: number,
  positions: readonly Position[],
  lookUp: LookUp,
): Promise<Map<string, PartitionOffset>> {
  const found = new Map<string, PartitionOffset>();
  const find = async (position: Position): Promise<PartitionOffset> => {
    const key = keyOf(position);
    const known = found.get(key);
    if (known) return known;
    while (sharedPacer.isDue) await sharedPacer.pause();
    const offset = await lookUp(partition, position);
    found.set(key, offset);
    return offset;
  };
  const times = new Set<number>();
  for (const position of positions) {
    if (typeof position === "object") times.add(position.time);
    else await find(position);
  }
  const sorted = [...times].sort((a, b) => a - b);
  /**
   * Offsets never decrease as times increase: if two times have the same offset, so have all
   * between.
   */
  const between = async (first: number, last: number): Promise<void> => {
    const [from, to] = [await find({ time: sorted[first]! }), await find({ time: sorted[last]! })];
    if (last - first < 2) return;
    if (from.offset === to.offset && from.damage === undefined && to.damage === undefined) {
      for (let i = first + 1; i < last; i++) found.set(keyOf({ time: sorted[i]! }), to);
      return;
    }
    const middle = (first + last) >>> 1;
    await between(first, middle);
    await between(middle, last);
  };
  if (sorted.length > 0) await between(0, sorted.length - 1);
  return found;
}

function keyOf(position: Position): string {
  return typeof position === "object" ? `time ${position.time}` : String(position);
}
