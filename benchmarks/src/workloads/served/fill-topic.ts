/** Creates a topic of one partition and fills it with sealed batches. */
import { connect, GrpcLogApi } from "@logstore/client";
import { progress } from "../../reports/progress.ts";
import { sealedBatch } from "../sealed-batch.ts";

const UNACKED = 8;

export async function fillTopic(address: string, topic: string, bytes: number): Promise<void> {
  progress(`filling a topic with ${bytes.toLocaleString("en")} bytes`);
  const client = connect(address);
  await client.createTopic(topic, { partitions: 1 });
  await client.close();
  const api = new GrpcLogApi(address);
  let left = Math.ceil(bytes / sealedBatch().sealedBytes);
  const producer = async () => {
    while (left-- > 0) await api.produce({ topic, partition: 0, batches: sealedBatch().batch });
  };
  try {
    await Promise.all(Array.from({ length: UNACKED }, producer));
  } finally {
    api.close();
  }
}
