/** The partitions and offsets to read. */
import type { LogClient, PartitionOffset, PositionInput } from "@logstore/client";
import { CliError } from "../../errors/cli-error.js";
import { exitCodes } from "../../errors/exit-codes.js";
import type { LogPosition } from "../../values/position.js";

/** The records from `from` to before `until`. */
export interface PartitionRange {
  readonly partition: number;
  readonly from: number;
  readonly until: number;
}

export interface Ranges {
  readonly ranges: readonly PartitionRange[];
  /** Reasons not to trust the result fully, one sentence each. */
  readonly warnings: readonly string[];
  /** Whether a partition is damaged, so that records may be missing. */
  readonly isDamaged: boolean;
}

interface Wanted {
  /** Default: all. */
  readonly partitions?: readonly number[] | undefined;
  readonly from: LogPosition;
  readonly until: LogPosition;
}

/** Looks the positions up. @throws CliError if a partition does not exist */
export async function findRanges(client: LogClient, topic: string, wanted: Wanted): Promise<Ranges> {
  const { partitions: all } = await client.describeTopic(topic);
  const partitions = wanted.partitions ?? all.map(({ partition }) => partition);
  const unknown = partitions.find((partition) => partition >= all.length);
  if (unknown !== undefined) {
    throw new CliError("UNKNOWN_PARTITION", `topic ${topic} has no partition ${unknown}`, {
      exitCode: exitCodes.notFound,
      hint: all.length === 1 ? "it has partition 0 only" : `its partitions are 0 to ${all.length - 1}`,
    });
  }
  const from = await lookUp(client, topic, partitions, wanted.from);
  const until = await lookUp(client, topic, partitions, wanted.until);
  const warnings: string[] = [];
  const ranges = partitions.map((partition, i) => {
    const { logStartOffset: start, highWatermark: end } = until[i]!;
    const begin = offsetOf(wanted.from, from[i]!);
    if (wanted.from.type === "offset" && begin < start) {
      warnings.push(`partition ${partition} begins at offset ${start}: what was before it is deleted`);
    }
    if (wanted.from.type === "offset" && begin > end) {
      warnings.push(`partition ${partition} ends at offset ${end}, before ${begin}`);
    }
    const within = (offset: number) => Math.min(Math.max(offset, start), end);
    return { partition, from: within(begin), until: within(offsetOf(wanted.until, until[i]!)) };
  });
  const damaged = until.filter(({ damage }) => damage !== undefined);
  for (const { partition, damage } of damaged) warnings.push(`partition ${partition} is damaged: ${damage!.message}`);
  return { ranges, warnings, isDamaged: damaged.length > 0 };
}

function lookUp(
  client: LogClient,
  topic: string,
  partitions: readonly number[],
  position: LogPosition,
): Promise<PartitionOffset[]> {
  const asked = question(position);
  return client.listOffsets(
    topic,
    partitions.map((partition) => ({ partition, position: asked })),
  );
}

/** Offsets are looked up as well, because the response contains the partition's bounds. */
function question(position: LogPosition): PositionInput {
  if (position.type === "time") return { time: position.time };
  return position.type === "edge" ? position.edge : "latest";
}

function offsetOf(position: LogPosition, { offset, logStartOffset, highWatermark }: PartitionOffset): number {
  if (position.type === "offset") return position.offset;
  if (position.type === "beforeEnd") return Math.max(logStartOffset, highWatermark - position.records);
  return offset;
}
