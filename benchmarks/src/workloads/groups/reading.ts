/**
 * The read rate of a group: four members compared with four bare clients, one that takes records
 * one by one, and the cost of commits.
 */
import { connect } from "@logstore/client";
import { RESPONSE_BYTES } from "../../contestants/bare-grpc.ts";
import type { GroupReaderTasks } from "../../processes/programs/group-reader.ts";
import { Worker } from "../../processes/worker.ts";
import { against, figure, type Result } from "../../statistics/result.ts";
import { inTurns, type Run, rate, timed } from "../../statistics/rounds.ts";
import { sealedBatch } from "../sealed-batch.ts";
import { fill, Group } from "./group.ts";

const TOPIC = "reading";
const PARTITIONS = 16;
const MEMBERS = 4;
const DEFAULT_COMMIT_INTERVAL_MS = 5_000;
/** Short, so that a short run has many commits, each at its usual cost. */
const FREQUENT_COMMIT_INTERVAL_MS = 50;

export async function reading(address: string, barePort: number, records: number, rounds: number): Promise<Result[]> {
  const { recordsPerMessage, sealedBytes } = sealedBatch();
  const batchesPerResponse = Math.floor(RESPONSE_BYTES / sealedBytes);
  const atOnce = PARTITIONS * batchesPerResponse;
  const messages = Math.ceil(records / recordsPerMessage / atOnce) * atOnce;
  const moved = messages * recordsPerMessage;
  const client = connect(address);
  const readers = await Promise.all(
    Array.from({ length: MEMBERS }, () => Worker.start<GroupReaderTasks>("group-reader", [address, String(barePort)])),
  );
  try {
    await fill(client, address, { topic: TOPIC, partitions: PARTITIONS, messagesEach: messages / PARTITIONS });
    const often = { commitIntervalMs: FREQUENT_COMMIT_INTERVAL_MS };
    const groups = {
      usual: await Group.join(client, TOPIC, "usual", readers, {}),
      committing: await Group.join(client, TOPIC, "committing", readers, often),
      silent: await Group.join(client, TOPIC, "silent", readers, { commit: "manual" }),
      oneByOne: await Group.join(client, TOPIC, "one-by-one", readers.slice(0, 1), { by: "record" }),
    };
    const streams = PARTITIONS / MEMBERS;
    const download = {
      streams,
      messageBytes: sealedBytes * batchesPerResponse,
      messages: messages / MEMBERS / batchesPerResponse,
    };
    const runs = await inTurns(rounds, {
      bare: () =>
        timed(moved, async () => void (await Promise.all(readers.map((one) => one.ask("download", download))))),
      silent: () => groups.silent.readAll(moved),
      usual: () => groups.usual.readAll(moved),
      committing: () => groups.committing.readAll(moved),
      byHand: () => timed(moved, async () => void (await readers[0]!.ask("iterateByHand", { messages }))),
      oneByOne: () => groups.oneByOne.readAll(moved),
    });
    return results(runs);
  } finally {
    await Promise.all(readers.map((reader) => reader.kill()));
    await client.close();
  }
}

function results(runs: Record<"bare" | "usual" | "silent" | "committing" | "byHand" | "oneByOne", Run[]>): Result[] {
  const rates = (side: keyof typeof runs) => runs[side].map(rate);
  const unit = "records/s";
  const [silent, committing] = [rates("silent"), rates("committing")];
  // Scales the cost of these commits to the number with the default interval.
  const shares = silent.map(
    (alone, i) => ((1 - committing[i]! / alone) * FREQUENT_COMMIT_INTERVAL_MS) / DEFAULT_COMMIT_INTERVAL_MS,
  );
  const members = { title: `${MEMBERS} members, ${PARTITIONS} partitions: batches`, unit };
  return [
    against(
      { ...members, baseline: `${MEMBERS} bare clients, ${PARTITIONS} streams`, goal: { atLeast: 0.85 } },
      rates("usual"),
      rates("bare"),
    ),
    against(
      {
        title: `${MEMBERS} members that commit every ${FREQUENT_COMMIT_INTERVAL_MS} ms`,
        unit,
        baseline: "without commits",
      },
      committing,
      silent,
    ),
    figure(
      { title: "throughput cost of a commit every 5 s", unit: "%", goal: { atMost: 1 } },
      shares.map((share) => share * 100),
    ),
    figure({ title: "one member: records, for await", unit, goal: { atLeast: 2e6 } }, rates("oneByOne")),
    against(
      { title: "one member: records, next to the limit", unit, baseline: "iterated by hand, from memory" },
      rates("oneByOne"),
      rates("byHand"),
    ),
  ];
}
