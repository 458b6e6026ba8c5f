/**
 * Measures the memory that remains when topics are repeatedly created, used and deleted: server,
 * client and data in one process.
 *
 *     node --expose-gc src/topic-memory/rounds.ts [rounds] [topics per round]
 *
 * Prints one line per round: resident memory, and the size of the heap and of buffers after a
 * garbage collection.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "@logstore/client";
import { Broker } from "@logstore/core";
import { serve } from "@logstore/server-grpc";

interface RoundMemory {
  readonly rssMb: number;
  readonly heapMb: number;
  readonly externalMb: number;
}

const CONCURRENCY = 20;
const MIB = 1024 * 1024;

/** Memory after each round. Needs `--expose-gc`. */
async function* memoryOfRounds(rounds: number, topics: number): AsyncGenerator<RoundMemory> {
  const directory = await mkdtemp(join(tmpdir(), "logstore-rounds-"));
  const broker = await Broker.open(directory);
  const server = await serve(broker, { port: 0 });
  const client = connect(server.address);
  try {
    for (let round = 0; round < rounds; round++) {
      const names = Array.from({ length: topics }, (_, i) => `round-${round}-topic-${i}`);
      for (let first = 0; first < topics; first += CONCURRENCY) {
        await Promise.all(names.slice(first, first + CONCURRENCY).map(useTopic));
      }
      yield await memoryNow();
    }
  } finally {
    await client.close();
    await server.stop();
    await broker.close();
    await rm(directory, { recursive: true, force: true });
  }

  async function useTopic(topic: string): Promise<void> {
    await client.createTopic(topic, { partitions: 1 });
    await client.append(topic, 0, [{ value: "appended" }]);
    const producer = client.producer(topic);
    await producer.send({ value: "sent" });
    await producer.close();
    for await (const _ of client.reader({ assign: { [topic]: [0] }, until: "latest" }));
    await client.deleteTopic(topic);
  }
}

async function memoryNow(): Promise<RoundMemory> {
  // Finalizers and closed streams release their memory a few turns later.
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  const mb = (bytes: number) => Math.round((bytes / MIB) * 10) / 10;
  return { rssMb: mb(rss), heapMb: mb(heapUsed), externalMb: mb(external) };
}

if (import.meta.main) {
  const [rounds = 6, topics = 700] = process.argv.slice(2).map(Number);
  let round = 0;
  for await (const { rssMb, heapMb, externalMb } of memoryOfRounds(rounds, topics)) {
    console.log(`round ${++round}: ${rssMb} MiB resident, ${heapMb} in the heap, ${externalMb} external`);
  }
}
