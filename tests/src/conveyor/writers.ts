/**
 * Every way to write. Callers change their buffers after a call has returned, which must have no
 * effect.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { LogClient } from "@logstore/client";
import { RecordBatchBuilder } from "@logstore/codec";
import { type LogApi, PRODUCE_HEADROOM_BYTES } from "@logstore/protocol";
import type { SentRecord } from "./content.ts";

export interface WriterTarget {
  readonly topic: string;
  readonly api: LogApi;
  readonly client: LogClient;
  readonly compression: "none" | "gzip" | "zstd";
}

export interface Writer {
  /**
   * Appends records in order; resolves when they are acknowledged. The buffers belong to the caller
   * again when it returns.
   */
  write(partition: number, records: readonly SentRecord[]): Promise<unknown>;
  /** Whether the next call may be made before the previous one is acknowledged. */
  readonly pipelines: boolean;
}

export const writers = { append: appends, send: sends, "send many": sendsMany, produce: produces };
export type WriterName = keyof typeof writers;

function appends({ client, topic, compression }: WriterTarget): Writer {
  const options = { durability: "written", compression } as const;
  return { pipelines: true, write: (partition, records) => client.append(topic, partition, records, options) };
}

function sends({ client, topic, compression }: WriterTarget): Writer {
  const producer = client.producer(topic, { compression, durability: "written" });
  return {
    pipelines: true,
    write: (partition, records) => Promise.all(records.map((record) => producer.send({ ...record, partition }))),
  };
}

/**
 * One buffer for all values, as in a program that reads them from somewhere: it is refilled for
 * each record.
 */
function sendsMany({ client, topic, compression }: WriterTarget): Writer {
  const producer = client.producer(topic, { compression, durability: "written" });
  return {
    pipelines: false,
    write: (partition, records) => {
      const own = records.map((record) => ({ ...record, value: Buffer.from(record.value) }));
      const shared = Buffer.alloc(Math.max(...own.map(({ value }) => value.length)));
      const one = function* () {
        for (const record of own) {
          record.value.copy(shared);
          yield { ...record, value: shared.subarray(0, record.value.length), partition };
          shared.fill(0xee);
        }
      };
      return producer.sendMany(one());
    },
  };
}

/**
 * The bare API, as a client in another language uses it: a batch is resent until it is
 * acknowledged.
 */
function produces({ api, topic, compression }: WriterTarget): Writer {
  const sequences = new Map<number, number>();
  const producerId = Math.floor(Math.random() * 2 ** 40) + 2 ** 48;
  return {
    pipelines: false,
    write: async (partition, records) => {
      const builder = new RecordBatchBuilder({
        targetBytes: Number.MAX_SAFE_INTEGER,
        compression,
        headroomBytes: PRODUCE_HEADROOM_BYTES,
      });
      for (const { key, value, timestamp, headers } of records) {
        if (!builder.append(key, value, timestamp, headers)) throw new Error("the records do not fit into one batch");
      }
      const baseSequence = sequences.get(partition) ?? 0;
      sequences.set(partition, baseSequence + records.length);
      const sealed = builder.seal({ producerId, producerEpoch: 0, baseSequence });
      const copy = () => {
        const room = Buffer.alloc(PRODUCE_HEADROOM_BYTES + sealed.length).subarray(PRODUCE_HEADROOM_BYTES);
        room.set(sealed);
        return room;
      };
      for (;;) {
        try {
          const batches = copy();
          return await api.produce({
            topic,
            partition,
            batches,
            headroomBytes: PRODUCE_HEADROOM_BYTES,
            durability: "written",
          });
        } catch (error) {
          if ((error as { code?: string }).code !== "UNAVAILABLE") throw error;
          await sleep(20);
        }
      }
    },
  };
}

/**
 * Limits the unacknowledged appends of all partitions together, so that no writer's buffer is ever
 * full.
 */
const MAX_UNACKED_BYTES = 12 * 1024 * 1024;

export class WritingRoom {
  #bytes = 0;
  #waiting: (() => void)[] = [];

  async take(bytes: number): Promise<void> {
    while (this.#bytes > 0 && this.#bytes + bytes > MAX_UNACKED_BYTES)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#bytes += bytes;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
