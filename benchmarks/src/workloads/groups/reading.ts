/**
 * The read rate of a group: four members compared with four bare clients, one that takes records
 * one by one, and the cost of commits.
 */
import { connect, GrpcLogApi, type LogClient } from "@logstore/client";
import type { GroupReaderTasks } from "../../processes/programs/group-reader.ts";
import { Worker } from "../../processes/worker.ts";
import { against, figure, type Result } from "../../statistics/result.ts";
import { inTurns, type Run, rate, timed } from "../../statistics/rounds.ts";
import { sealedBatch } from "../sealed-batch.ts";
import { groupWhen } from "./group-when.ts";

const TOPIC = "reading";
const PARTITIONS = 16;
const MEMBERS = 4;
const DEFAULT_COMMIT_INTERVAL_MS = 5_000;
/** Short, so that a short run has many commits, each at its usual cost. */
const FREQUENT_COMMIT_INTERVAL_MS = 50;

type Reader = Worker<GroupReaderTasks>;

export async function reading(address: string, barePort: number, records: number, rounds: number): Promise<Result[]> {
  const { recordsPerMessage, sealedBytes } = sealedBatch();
  const messages = Math.ceil(records / recordsPerMessage / PARTITIONS) * PARTITIONS;
  const moved = messages * recordsPerMessage;
  const client = connect(address);
  const readers = await Promise.all(
    Array.from({ length: MEMBERS }, () => Worker.start<GroupReaderTasks>("group-reader", [address, String(barePort)])),
  );
  try {
    await fill(client, address, messages / PARTITIONS);
    const often = { commitIntervalMs: FREQUENT_COMMIT_INTERVAL_MS };
    const groups = {
      usual: await Group.join(client, "usual", readers, {}),
      committing: await Group.join(client, "committing", readers, often),
      silent: await Group.join(client, "silent", readers, { commit: "manual" }),
      oneByOne: await Group.join(client, "one-by-one", readers.slice(0, 1), { by: "record" }),
    };
    const streams = PARTITIONS / MEMBERS;
    const download = { streams, messageBytes: sealedBytes, messages: messages / MEMBERS };
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

/** Members of one group that own their partitions, and read nothing until they are told to. */
class Group {
  readonly #client: LogClient;
  readonly #name: string;
  readonly #readers: readonly Reader[];
  #runs = 0;

  private constructor(client: LogClient, name: string, readers: readonly Reader[]) {
    this.#client = client;
    this.#name = name;
    this.#readers = readers;
  }

  static async join(
    client: LogClient,
    group: string,
    readers: readonly Reader[],
    how: { readonly by?: "record"; readonly commit?: "manual"; readonly commitIntervalMs?: number },
  ): Promise<Group> {
    const options = { group, topics: [TOPIC], from: "latest", by: "batch", ...how } as const;
    for (const reader of readers) await reader.ask("join", options);
    await groupWhen(client, group, ({ state, members }) => state === "stable" && members.length === readers.length);
    return new Group(client, group, readers);
  }

  /** Resets all of them to the start: a run ends when everything has been read once more. */
  readAll(records: number): Promise<Run> {
    const each = (++this.#runs * records) / this.#readers.length;
    return timed(records, async () => {
      const reached = this.#readers.map((reader) => reader.ask("reach", { group: this.#name, records: each }));
      await this.#client.resetOffsets(this.#name, { to: "earliest" });
      for (const count of await Promise.all(reached)) {
        if (count !== each) throw new Error(`${this.#name}: a member read ${count} records, not ${each}`);
      }
    });
  }
}

async function fill(client: LogClient, address: string, messagesEach: number): Promise<void> {
  await client.createTopic(TOPIC, { partitions: PARTITIONS });
  const api = new GrpcLogApi(address);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const produce = () => api.produce({ topic: TOPIC, partition, batches: sealedBatch().batch });
    await Promise.all(Array.from({ length: messagesEach }, produce));
  }
  api.close();
}
