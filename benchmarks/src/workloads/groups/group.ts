/** A group whose members read a topic from its start, again and again. */
import { GrpcLogApi, type LogClient } from "@logstore/client";
import type { GroupReaderTasks } from "../../processes/programs/group-reader.ts";
import type { Worker } from "../../processes/worker.ts";
import { type Run, timed } from "../../statistics/rounds.ts";
import { sealedBatch } from "../sealed-batch.ts";
import { groupWhen } from "./group-when.ts";

export type Reader = Worker<GroupReaderTasks>;

/** Members of one group that own their partitions, and read nothing until they are told to. */
export class Group {
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
    topic: string,
    group: string,
    readers: readonly Reader[],
    how: { readonly by?: "record"; readonly commit?: "manual"; readonly commitIntervalMs?: number },
  ): Promise<Group> {
    const options = { group, topics: [topic], from: "latest", by: "batch", ...how } as const;
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

/** Creates a topic with as many messages of records in each partition. */
export async function fill(
  client: LogClient,
  address: string,
  { topic, partitions, messagesEach }: { topic: string; partitions: number; messagesEach: number },
): Promise<void> {
  await client.createTopic(topic, { partitions });
  const api = new GrpcLogApi(address);
  for (let partition = 0; partition < partitions; partition++) {
    const produce = () => api.produce({ topic, partition, batches: sealedBatch().batch });
    await Promise.all(Array.from({ length: messagesEach }, produce));
  }
  api.close();
}
