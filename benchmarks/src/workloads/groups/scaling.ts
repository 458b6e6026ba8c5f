/** A group of one to four members that share one to sixteen partitions. */
import { connect } from "@logstore/client";
import type { GroupReaderTasks } from "../../processes/programs/group-reader.ts";
import { Worker } from "../../processes/worker.ts";
import { type Result, situations } from "../../statistics/result.ts";
import { rate } from "../../statistics/rounds.ts";
import { sealedBatch } from "../sealed-batch.ts";
import { fill, Group } from "./group.ts";

const SHAPES = [
  { partitions: 1, members: 1 },
  { partitions: 4, members: 1 },
  { partitions: 4, members: 2 },
  { partitions: 4, members: 4 },
  { partitions: 16, members: 1 },
  { partitions: 16, members: 4 },
] as const;
const MOST_PARTITIONS = 16;

export async function scaling(address: string, records: number, rounds: number): Promise<Result[]> {
  const { recordsPerMessage } = sealedBatch();
  const messages = Math.ceil(records / recordsPerMessage / MOST_PARTITIONS) * MOST_PARTITIONS;
  const moved = messages * recordsPerMessage;
  const client = connect(address);
  // The groups use no bare server.
  const readers = await Promise.all(
    Array.from({ length: 4 }, () => Worker.start<GroupReaderTasks>("group-reader", [address, "1"])),
  );
  const groups = new Map<string, Group>();
  try {
    for (const { partitions, members } of SHAPES) {
      const topic = `scaling-${partitions}-${members}`;
      await fill(client, address, { topic, partitions, messagesEach: messages / partitions });
      const name = `members: ${members}, partitions: ${partitions}`;
      groups.set(name, await Group.join(client, topic, topic, readers.slice(0, members), {}));
    }
    const rates: Record<string, number[]> = Object.fromEntries(Array.from(groups.keys(), (name) => [name, []]));
    for (let round = 0; round <= rounds; round++) {
      for (const [name, group] of groups) {
        const perSecond = rate(await group.readAll(moved));
        if (round > 0) rates[name]!.push(perSecond);
      }
    }
    return [situations({ name: "groups.scaling", title: "Groups: batches", unit: "records/s" }, rates)];
  } finally {
    await Promise.all(readers.map((reader) => reader.kill()));
    await client.close();
  }
}
