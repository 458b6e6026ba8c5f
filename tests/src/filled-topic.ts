/** A topic whose records identify themselves, and readers that check them. */
import { RecordBatchBuilder } from "@logstore/codec";
import type { LogApi } from "@logstore/protocol";

const MIB = 1024 * 1024;

function contentOf(partition: number, offset: number, bytes: number): Buffer {
  return Buffer.alloc(bytes, `${partition}/${offset} `);
}

export interface Filling {
  readonly partitions: number;
  readonly batches: number;
  readonly batchBytes: number;
  readonly recordBytes: number;
}

/**
 * Fills a topic "t" with full batches, as a producer makes them. Returns the number of records in
 * each partition.
 */
export async function fill(api: LogApi, { partitions, batches, batchBytes, recordBytes }: Filling): Promise<number> {
  await api.createTopic({ topic: "t", partitions, config: { maxBatchBytes: Math.max(batchBytes + 1000, 16 * MIB) } });
  let end = 0;
  for (let partition = 0; partition < partitions; partition++) {
    let offset = 0;
    for (let i = 0; i < batches; i++) {
      const builder = new RecordBatchBuilder({ targetBytes: batchBytes });
      while (builder.append(null, contentOf(partition, offset, recordBytes), 1)) offset++;
      end = (await api.produce({ topic: "t", partition, batches: builder.seal(), durability: "written" })).nextOffset;
    }
  }
  return end;
}

/**
 * Checks what is read from several partitions: nothing is missing or repeated, and each record has
 * the right content.
 */
export function checkedReading(recordBytes: number) {
  const next = new Map<number, number>();
  return {
    check(partition: number, offset: number, value: Uint8Array) {
      const expected = next.get(partition) ?? 0;
      if (offset !== expected) throw new Error(`partition ${partition}: ${offset} came in place of ${expected}`);
      if (contentOf(partition, offset, recordBytes).compare(value) !== 0) {
        throw new Error(`${partition}/${offset} has the content of another: ${Buffer.from(value.subarray(0, 20))}`);
      }
      next.set(partition, offset + 1);
    },
    ends: () => [...next.values()],
  };
}
