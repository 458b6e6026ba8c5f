/** Reads of many small batches, and many concurrent reads. */
import { encode, type Stranger } from "../../hostile/stranger.ts";
import { call, createTopic, type LargeRequest, produce, some, times } from "../request.ts";
import { smallest } from "./appends.ts";

const MIB = 1024 * 1024;
const PARTITIONS = 100;
const LATEST = { edge: 2 };

/** A Consume stream up to the current log end. */
async function consume(stranger: Stranger, fields: object): Promise<void> {
  const request = encode("ConsumeRequest", { from: { edge: 1 }, until: LATEST, ...fields });
  const { status, message } = await stranger.stream("/logstore.v1.LogService/Consume", [request]);
  if (status !== 0) throw new Error(`Consume: ${status} ${message}`);
}

const fetch = (stranger: Stranger, fields: object) =>
  call(stranger, "LogService/Fetch", "FetchRequest", { from: { edge: 1 }, ...fields });

export const reads: readonly LargeRequest[] = [
  {
    name: "Fetch of 4 MiB of the smallest batches",
    async prepare(stranger) {
      await createTopic(stranger, "one", 1);
      for (let i = 0; i < 30; i++) await produce(stranger, Buffer.concat(Array(1_800).fill(smallest())));
    },
    run: (stranger) => fetch(stranger, { topic: "one", maxBytes: 4 * MIB }),
  },
  {
    name: "Consume of the smallest batches, 4 MiB a message",
    run: (stranger) => consume(stranger, { topic: "one", maxBytes: 4 * MIB }),
  },
  {
    name: "Consume of the smallest batches, 10 streams at once",
    run: (stranger) => times(10, () => consume(stranger, { topic: "one" })),
  },
  {
    name: "Fetch of 100 partitions at once",
    async prepare(stranger) {
      await createTopic(stranger, "wide", PARTITIONS);
      const batches = smallest();
      await some(20, [...Array(PARTITIONS).keys()], (partition) =>
        call(stranger, "LogService/Produce", "ProduceRequest", { topic: "wide", partition, batches }),
      );
    },
    run: (stranger) => times(PARTITIONS, (partition) => fetch(stranger, { topic: "wide", partition })),
  },
  {
    name: "Consume of 100 partitions at once",
    run: (stranger) => times(PARTITIONS, (partition) => consume(stranger, { topic: "wide", partition })),
  },
];
