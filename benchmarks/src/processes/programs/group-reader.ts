/** A process that reads: as a member of groups, through bare streams, or from its own memory. */
import { type ConsumerOptions, connect } from "@logstore/client";
import { BareClient } from "../../contestants/bare-grpc.ts";
import { iterateByHand } from "../../workloads/groups/iterate-by-hand.ts";
import { work } from "../worker.ts";

const [address = "", barePort = ""] = process.argv.slice(2);
const client = connect(address);
const bare = new BareClient(Number(barePort));

/** Counts the records received, and wakes those that wait for a number. */
class Count {
  #records = 0;
  #awaited = Number.POSITIVE_INFINITY;
  #reached: () => void = () => {};

  add(records: number): void {
    this.#records += records;
    if (this.#records >= this.#awaited) this.#reached();
  }

  /** Resolves, once that many records have been received, to their actual number. */
  async reach(records: number): Promise<number> {
    this.#awaited = records;
    if (this.#records < records) await new Promise<void>((resolve) => (this.#reached = resolve));
    this.#awaited = Number.POSITIVE_INFINITY;
    return this.#records;
  }
}

const counts = new Map<string, Count>();

async function readBatches(options: ConsumerOptions, count: Count): Promise<void> {
  for await (const { baseOffset, nextOffset } of client.consumer(options).batches()) count.add(nextOffset - baseOffset);
}

async function readRecords(options: ConsumerOptions, count: Count): Promise<void> {
  for await (const record of client.consumer(options)) count.add(record.value.length > 0 ? 1 : 0);
}

const tasks = {
  join({ by, ...options }: ConsumerOptions & { readonly by: "batch" | "record" }): void {
    const count = new Count();
    counts.set(options.group, count);
    void (by === "batch" ? readBatches(options, count) : readRecords(options, count)); // a failure ends this process
  },
  reach: ({ group, records }: { readonly group: string; readonly records: number }) =>
    counts.get(group)!.reach(records),
  async download({ streams, messageBytes, messages }: Record<"streams" | "messageBytes" | "messages", number>) {
    await Promise.all(Array.from({ length: streams }, () => bare.download(messageBytes, messages / streams)));
  },
  iterateByHand: ({ messages }: { readonly messages: number }) => iterateByHand(messages),
};
export type GroupReaderTasks = typeof tasks;
work(tasks);
