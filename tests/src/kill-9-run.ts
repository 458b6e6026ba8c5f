/**
 * One run of a server that is killed with SIGKILL and restarted while a producer in this process
 * sends. The producer remembers what was acknowledged. Afterwards every acknowledged record must be
 * in the log: once, and in order by key.
 */
import { connect, text } from "@logstore/client";
import { seededRandom } from "./bytes.ts";
import { freePort } from "./free-port.ts";
import { removeDirectory, temporaryDirectory } from "./homes.ts";
import { ServerProcess } from "./server-process.ts";

const PARTITIONS = 4;
const KEYS = 20;

export interface KillRun {
  readonly seed: number;
  readonly kills: number;
  /** Approximate number of records sent between a start of the server and its kill. */
  readonly recordsPerKill: number;
}

export interface KillOutcome {
  readonly acknowledged: number;
  readonly problems: string[];
}

export async function runWithKills({ seed, kills, recordsPerKill }: KillRun): Promise<KillOutcome> {
  const random = seededRandom(seed);
  const durability = random() < 0.5 ? "written" : "flushed"; // both survive a crash of the process
  const directory = await temporaryDirectory();
  const options = { port: await freePort(), args: ["--segment-bytes", "200000"] };
  let server = await ServerProcess.start(directory, options);
  const acknowledged = new Map<string, { partition: number; offset: number }>();
  try {
    await using client = connect(server.address);
    await client.createTopic("t", { partitions: PARTITIONS });
    const producer = client.producer("t", { durability, batchBytes: 2_000 });
    let sent = 0;
    for (let kill = 0; kill <= kills; kill++) {
      const records = 1 + Math.floor(random() * 2 * recordsPerKill);
      // At a random acknowledgement of this round.
      const killAt = kill < kills ? acknowledged.size + Math.floor(random() * records) : Number.POSITIVE_INFINITY;
      let killing: Promise<void> | undefined;
      const sends = Array.from({ length: records }, async () => {
        const value = String(sent++);
        const { partition, offset } = await producer.send({ key: `key-${Number(value) % KEYS}`, value });
        if (acknowledged.size >= killAt) killing ??= restart();
        acknowledged.set(value, { partition, offset });
      });
      const restart = async () => {
        await server.kill();
        server = await ServerProcess.start(directory, options);
      };
      await Promise.all(sends);
      await killing;
    }
    await producer.close();
    await server.kill();
    server = await ServerProcess.start(directory, options);

    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
    const reader = client.reader({ assign: { t: partitions }, until: "latest", key: text(), value: text() });
    const problems: string[] = [];
    const seen = new Set<string>();
    const lastOfKey = new Map<string | null, number>();
    for await (const { partition, offset, key, value } of reader) {
      const where = `record ${value} of ${key} at ${partition}/${offset}`;
      if (seen.has(value)) problems.push(`${where} is there twice`);
      if (Number(value) <= (lastOfKey.get(key) ?? -1)) problems.push(`${where} comes after a later one`);
      const ack = acknowledged.get(value);
      if (ack && (ack.partition !== partition || ack.offset !== offset))
        problems.push(`${where} was acknowledged elsewhere`);
      seen.add(value);
      lastOfKey.set(key, Number(value));
    }
    for (const value of acknowledged.keys()) if (!seen.has(value)) problems.push(`record ${value} is lost`);
    return { acknowledged: acknowledged.size, problems };
  } finally {
    await server.kill();
    await removeDirectory(directory);
  }
}
